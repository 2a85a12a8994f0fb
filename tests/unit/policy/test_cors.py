from dataclasses import replace

import pytest

from proxy.message.headers import Headers
from proxy.message.request import Request
from proxy.policy.cors import CORS_FIELDS, decorated, is_answered_here, is_preflight, preflight, without_cors
from proxy.policy.rules import Cors, Match, Route, RuleBook
from proxy.policy.templates import PathTemplate

APP = b"https://app.example"
RULES = Cors(
    (APP,),
    (b"GET", b"PUT"),
    (b"Authorization", b"content-type"),
    credentials=True,
    expose=(b"X-Request-ID", b"X-Cache-Status"),
)
ANY = Cors((b"*",), (b"*",), (b"*",))
BARE = Cors((APP,), (b"GET",), ())


def asks(origin=APP, method=b"PUT", headers=None, request_method=b"OPTIONS"):
    lines = [
        (b"Origin", origin),
        (b"Access-Control-Request-Method", method),
        (b"Access-Control-Request-Headers", headers),
    ]
    return Request(request_method, b"/plans/7", Headers(line for line in lines if line[1] is not None), b"api.example")


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        pytest.param(asks(), True, id="a preflight"),
        pytest.param(asks(request_method=b"GET"), False, id="another method"),
        pytest.param(asks(origin=None), False, id="no origin"),
        pytest.param(asks(method=None), False, id="a plain OPTIONS"),
    ],
)
def test_a_preflight_is_known_by_its_fields(request_, expected):
    assert is_preflight(request_) is expected


def test_preflights_to_cached_paths_are_answered_here():
    routes = (Route(name="r", matches=(Match(frozenset({b"GET"}), PathTemplate.parse("/plans/{id}")),)),)
    assert is_answered_here(asks(), RuleBook("svc", routes, cors=RULES))
    assert not is_answered_here(asks(), RuleBook("svc", routes))
    assert not is_answered_here(asks(), RuleBook("svc", cors=RULES))
    assert not is_answered_here(asks(method=None), RuleBook("svc", routes, cors=RULES))


VARY = (b"Vary", b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
LEAVE = [
    (b"Access-Control-Allow-Origin", APP),
    (b"Access-Control-Allow-Credentials", b"true"),
    (b"Access-Control-Allow-Methods", b"GET, PUT"),
    (b"Access-Control-Allow-Headers", b"Authorization, content-type"),
    (b"Access-Control-Max-Age", b"600"),
]


@pytest.mark.parametrize(
    ("request_", "rules", "expected"),
    [
        pytest.param(asks(), RULES, LEAVE, id="allowed"),
        pytest.param(asks(headers=b"content-type, AUTHORIZATION"), RULES, LEAVE, id="allowed with fields in any case"),
        pytest.param(asks(origin=b"https://evil.example"), RULES, [], id="another origin"),
        pytest.param(asks(origin=APP + b".evil.example"), RULES, [], id="an origin that begins like ours"),
        pytest.param(asks(origin=b"null"), RULES, [], id="no origin that has a name"),
        pytest.param(asks(origin=b""), RULES, [], id="an empty origin"),
        pytest.param(asks(method=b"DELETE"), RULES, [], id="another method"),
        pytest.param(asks(method=b"put"), RULES, [], id="methods have a case"),
        pytest.param(asks(headers=b"authorization, x-other"), RULES, [], id="another field"),
        pytest.param(
            asks(headers=b"X-A, x-b"),
            ANY,
            [
                (b"Access-Control-Allow-Origin", b"*"),
                (b"Access-Control-Allow-Methods", b"PUT"),
                (b"Access-Control-Allow-Headers", b"x-a, x-b"),
                (b"Access-Control-Max-Age", b"600"),
            ],
            id="anything",
        ),
        pytest.param(
            asks(method=b"GET"),
            BARE,
            [
                (b"Access-Control-Allow-Origin", APP),
                (b"Access-Control-Allow-Methods", b"GET"),
                (b"Access-Control-Max-Age", b"600"),
            ],
            id="no fields",
        ),
        pytest.param(asks(), replace(ANY, credentials=True), [], id="anyone with credentials is refused"),
    ],
)
def test_preflights(request_, rules, expected):
    response = preflight(request_, rules)
    assert response.status == 204
    assert list(response.headers) == [*expected, VARY]


def test_two_origins_are_no_origin():
    request = asks()
    twice = replace(request, headers=request.headers.plus([(b"Origin", APP)]))
    assert list(preflight(twice, RULES).headers) == [VARY]


OURS = [
    (b"Access-Control-Allow-Origin", APP),
    (b"Access-Control-Allow-Credentials", b"true"),
    (b"Access-Control-Expose-Headers", b"X-Request-ID, X-Cache-Status"),
]


@pytest.mark.parametrize(
    ("origin", "rules", "vary", "expected"),
    [
        pytest.param(APP, RULES, None, [*OURS, (b"Vary", b"Origin")], id="allowed"),
        pytest.param(b"https://evil.example", RULES, None, [(b"Vary", b"Origin")], id="another origin"),
        pytest.param(None, RULES, None, [(b"Vary", b"Origin")], id="no origin"),
        pytest.param(APP, RULES, b"Accept, origin", OURS, id="Vary says it already"),
        pytest.param(APP, RULES, b"*", OURS, id="Vary says more"),
        pytest.param(APP, BARE, b"Accept", [OURS[0], (b"Vary", b"Origin")], id="nothing exposed"),
        pytest.param(APP, ANY, None, [(b"Access-Control-Allow-Origin", b"*"), (b"Vary", b"Origin")], id="anyone"),
    ],
)
def test_answers_carry_our_fields_in_place_of_the_backend_s(origin, rules, vary, expected):
    kept = [(b"Content-Type", b"text/html"), *([(b"Vary", vary)] if vary else [])]
    backend = [(name.title(), b"backend") for name in sorted(CORS_FIELDS)]
    request = asks(origin=origin, method=None, request_method=b"GET")
    assert list(decorated(Headers([*backend, *kept]), request, rules)) == [*kept, *expected]


def test_the_backend_s_fields_are_not_stored():
    headers = Headers([(b"Access-Control-Allow-Origin", APP), (b"ETag", b'"1"')])
    assert list(without_cors(headers)) == [(b"ETag", b'"1"')]
