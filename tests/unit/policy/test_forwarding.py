from dataclasses import replace

import pytest

from proxy.message.headers import Headers
from proxy.message.request import Request
from proxy.policy.forwarding import Forwarding, as_fetched, fetch_for, max_forwards, passed_through, to_client
from proxy.policy.hops import CONDITIONS, FOR_CACHES, FORWARDED, HARMLESS, HOP_BY_HOP
from proxy.policy.keys import key_for
from proxy.policy.rules import IMPLICIT_ROUTE, Cors, Credentials, Matched, Route, RuleBook

CLIENTS = Forwarding(None, b"127.0.0.1:8000")
NAMED = Forwarding(b"backend.example", b"127.0.0.1:8000")


def request(*lines, **changes):
    base = Request(
        b"GET",
        b"/a?b=1",
        Headers(lines),
        b"api.example",
        scheme=b"https",
        forwarded_for=b"192.0.2.1, 127.0.0.1",
        request_id=b"id-1",
    )
    return replace(base, **changes)


SIGNED = [
    (b"Via", b"1.1 sapwood"),
    (b"X-Forwarded-For", b"192.0.2.1, 127.0.0.1"),
    (b"X-Forwarded-Proto", b"https"),
    (b"X-Forwarded-Host", b"api.example"),
    (b"X-Request-ID", b"id-1"),
]


def fetched(sent, route, options=CLIENTS, *, cors=False, keyed_authority=True):
    book = RuleBook("svc", (route,), cors=Cors((), (), ()) if cors else None, keyed_authority=keyed_authority)
    key = key_for(sent, Matched(route, {}), book)
    return fetch_for(sent, as_fetched(sent, route, cors=cors), key, options)


def test_a_request_that_passes_through_keeps_its_end_to_end_fields_in_order():
    kept = [
        (b"Accept", b"a"),
        (b"COOKIE", b"c=1"),
        (b"Authorization", b"x"),
        (b"Accept", b"b"),
        (b"If-None-Match", b'"1"'),
        (b"Range", b"bytes=0-1"),
    ]
    target, headers = passed_through(request(*kept), CLIENTS)
    assert target == b"/a?b=1"
    assert list(headers) == [(b"Host", b"api.example"), *kept, *SIGNED]


@pytest.mark.parametrize("name", sorted(HOP_BY_HOP | {b"content-length", b"x-nominated"}))
def test_what_ends_at_this_hop_is_not_passed_through(name):
    sent = request((b"Connection", b"X-Nominated"), (name.title(), b"x"))
    assert name not in passed_through(sent, CLIENTS)[1]


@pytest.mark.parametrize("name", sorted(FORWARDED - {b"via"}))
def test_nobody_is_believed_about_where_a_request_came_from(name):
    said = passed_through(request((name, b"evil")), CLIENTS)[1].get_all(name)
    fetch = fetched(request((name, b"evil")), IMPLICIT_ROUTE)[1].get_all(name)
    assert b"evil" not in [*said, *fetch]
    assert len(said) <= 1


@pytest.mark.parametrize("name", sorted(FORWARDED | {b"transfer-encoding", b"content-length"}))
def test_nor_under_a_name_that_some_backends_read_as_that(name):
    disguised = name.title().replace(b"-", b"_")
    _, said = passed_through(request((disguised, b"evil")), CLIENTS)
    assert b"evil" not in [value for _, value in said]


@pytest.mark.parametrize("name", [b"Trailer", b"Expect", b"X-Real-IP", b"Baggage", b"Cache-Control"])
def test_other_fields_pass_through(name):
    assert passed_through(request((name, b"x")), CLIENTS)[1].get(name.lower()) == b"x"


def test_an_upgrade_keeps_its_upgrade_field_only():
    sent = request(
        (b"Connection", b"Upgrade, X-A"),
        (b"Upgrade", b"websocket"),
        (b"X-A", b"1"),
        (b"Sec-WebSocket-Key", b"k"),
        upgrade=True,
    )
    headers = passed_through(sent, CLIENTS)[1]
    assert headers.get(b"upgrade") == b"websocket"
    assert headers.get(b"sec-websocket-key") == b"k"
    assert b"connection" not in headers
    assert b"x-a" not in headers


@pytest.mark.parametrize(
    ("options", "authority", "expected"),
    [
        pytest.param(CLIENTS, b"api.example", b"api.example", id="the client's"),
        pytest.param(CLIENTS, b"", b"127.0.0.1:8000", id="the backend's, where the client says none"),
        pytest.param(NAMED, b"api.example", b"backend.example", id="the one that is configured"),
    ],
)
def test_the_host_that_the_backend_is_told(options, authority, expected):
    sent = request((b"Host", b"API.example"), authority=authority)
    for headers in (passed_through(sent, options)[1], fetched(sent, IMPLICIT_ROUTE, options)[1]):
        assert headers.lines[0] == (b"Host", expected)
        assert headers.get_all(b"host") == [expected]


def test_an_authority_that_is_not_keyed_is_not_told_on_a_fetch():
    for options, expected in ((CLIENTS, b"127.0.0.1:8000"), (NAMED, b"backend.example")):
        headers = fetched(request(), IMPLICIT_ROUTE, options, keyed_authority=False)[1]
        assert headers.get(b"host") == expected
        assert b"x-forwarded-host" not in headers
    assert passed_through(request(), NAMED)[1].get(b"x-forwarded-host") == b"api.example"


@pytest.mark.parametrize(
    ("lines", "version", "expected"),
    [
        pytest.param((), (1, 1), b"1.1 sapwood", id="the first hop"),
        pytest.param((), (1, 0), b"1.0 sapwood", id="the version that was received"),
        pytest.param(((b"Via", b"1.1 a"), (b"via", b"2 b")), (1, 1), b"1.1 a, 2 b, 1.1 sapwood", id="after the others"),
    ],
)
def test_via_names_this_hop(lines, version, expected):
    assert passed_through(request(*lines, version=version), CLIENTS)[1].get_all(b"via") == [expected]


@pytest.mark.parametrize(
    ("method", "value", "left", "sent_on"),
    [
        pytest.param(b"OPTIONS", b"3", 3, b"2", id="one hop less"),
        pytest.param(b"TRACE", b"0", 0, b"0", id="none left"),
        pytest.param(b"OPTIONS", b"x", None, b"x", id="no number"),
        pytest.param(b"OPTIONS", b"9" * 5000, 2**31, b"%d" % (2**31 - 1), id="a number beyond all hops"),
        pytest.param(b"GET", b"3", None, b"3", id="another method"),
        pytest.param(b"TRACE", None, None, None, id="not said"),
    ],
)
def test_max_forwards(method, value, left, sent_on):
    lines = () if value is None else ((b"Max-Forwards", value),)
    sent = request(*lines, method=method)
    assert max_forwards(sent) == left
    assert passed_through(sent, CLIENTS)[1].get(b"max-forwards") == sent_on


EVERYTHING = [
    (b"Accept", b"text/html"),
    (b"Accept-Encoding", b"br, gzip"),
    (b"User-Agent", b"curl"),
    (b"Traceparent", b"00-1"),
    (b"Authorization", b"Bearer a"),
    (b"X-Api-Key", b"k"),
    (b"Cookie", b"lang=de; id=1; lang=en"),
    (b"Origin", b"https://app.example"),
    (b"X-Tenant", b"acme"),
    (b"X-Other", b"x"),
    (b"Referer", b"https://x/?secret"),
    (b"Cache-Control", b"no-cache"),
    (b"Baggage", b"user=1"),
    (b"Surrogate-Capability", b'x="ESI/1.0"'),
    (b"Expect", b"100-continue"),
    (b"Content-Length", b"0"),
    *((name, b"x") for name in sorted(CONDITIONS)),
]
IGNORES = {"authorization": Credentials.IGNORE, "cookies": Credentials.IGNORE}
PLAIN = {b"accept", b"accept-encoding", b"user-agent", b"traceparent"}


@pytest.mark.parametrize(
    ("settings", "cors", "expected"),
    [
        pytest.param(IGNORES, True, {}, id="what is ignored is not forwarded"),
        pytest.param(IGNORES, False, {b"origin": [b"https://app.example"]}, id="Origin where the backend speaks CORS"),
        pytest.param(
            IGNORES | {"key_headers": (b"x-tenant", b"origin")}, True, {b"x-tenant": [b"acme"]}, id="keyed fields"
        ),
        pytest.param(
            IGNORES | {"cookies": (b"lang",)},
            True,
            {b"cookie": [b"lang=de; lang=en"]},
            id="a listed cookie is the whole Cookie",
        ),
        pytest.param(IGNORES | {"cookies": (b"none",)}, True, {}, id="no listed cookie is there"),
        pytest.param(
            {"scope": "credential", "cookies": Credentials.IGNORE},
            True,
            {b"authorization": [b"Bearer a"]},
            id="the credential that is keyed",
        ),
        pytest.param(
            {
                "scope": "credential",
                "credential_headers": (b"authorization", b"x-api-key"),
                "cookies": Credentials.IGNORE,
            },
            True,
            {b"authorization": [b"Bearer a"], b"x-api-key": [b"k"]},
            id="two credentials",
        ),
        pytest.param(
            IGNORES | {"scope": "credential", "credential_headers": (b"cookie",), "cookies": (b"lang",)},
            True,
            {b"cookie": [b"lang=de; id=1; lang=en"]},
            id="all cookies where they are the credential",
        ),
        pytest.param(
            IGNORES | {"key_headers": tuple(CONDITIONS | FORWARDED | HOP_BY_HOP)}, True, {}, id="never a condition"
        ),
    ],
)
def test_a_declared_fetch_carries_what_is_keyed_and_what_is_harmless(settings, cors, expected):
    route = Route(name="r", key_query=(), **settings)
    target, headers = fetched(request(*EVERYTHING), route, cors=cors)
    signed = {name.lower() for name, _ in SIGNED} | {b"host"}
    assert target == b"/a"
    assert {name: headers.get_all(name) for name in headers.names() - signed - PLAIN} == expected
    assert headers.names() >= signed | PLAIN
    assert headers.lines[-len(SIGNED) :] == tuple(SIGNED)


@pytest.mark.parametrize("name", sorted(HARMLESS))
def test_harmless_fields_are_fetched_with(name):
    assert fetched(request((name, b"x")), Route(name="r"))[1].get(name) == b"x"


def test_an_implicit_fetch_keeps_all_but_conditions_and_what_only_the_client_can_process():
    target, headers = fetched(request(*EVERYTHING), IMPLICIT_ROUTE)
    dropped = CONDITIONS | {b"surrogate-capability", b"expect", b"content-length"}
    kept = [line for line in EVERYTHING if line[0].lower() not in dropped]
    assert target == b"/a?b=1"
    assert list(headers) == [(b"Host", b"api.example"), *kept, *SIGNED]
    assert b"origin" not in fetched(request(*EVERYTHING), IMPLICIT_ROUTE, cors=True)[1]


@pytest.mark.parametrize(
    "route", [IMPLICIT_ROUTE, Route(name="r", key_query=(), **IGNORES)], ids=["implicit", "declared"]
)
def test_vary_selects_by_what_is_fetched_with(route):
    sent = request(*EVERYTHING)
    asked = as_fetched(sent, route, cors=False)
    fetch = fetched(sent, route)[1]
    assert asked.target == sent.target
    assert list(asked.headers) == list(fetch)[1 : -len(SIGNED)]


def test_a_response_loses_what_ends_at_this_hop_and_what_was_meant_for_caches():
    kept = [
        (b"Content-Type", b"text/html"),
        (b"Set-Cookie", b"a"),
        (b"set-cookie", b"b"),
        (b"Cache-Groups", b'"a"'),
        (b"Content-Length", b"3"),
    ]
    nominated = [(b"Connection", b"X-A"), (b"X-A", b"1")]
    dropped = [(name.title(), b"x") for name in sorted(HOP_BY_HOP - {b"connection"} | FOR_CACHES)]
    assert list(to_client(Headers([*nominated, *dropped, *kept]))) == kept


def test_a_101_says_what_the_connection_became():
    headers = Headers([(b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")])
    assert list(to_client(headers, upgraded=True)) == [(b"Upgrade", b"websocket")]
    assert list(to_client(headers)) == []


def test_a_field_that_the_client_calls_its_own_hops_is_not_fetched_with():
    sent = request((b"Connection", b"close, Accept-Language"), (b"Accept-Language", b"de"), (b"Accept", b"x"))
    assert as_fetched(sent, Route(name="r"), cors=False).headers.lines == ((b"Accept", b"x"),)


def test_a_response_that_names_no_hop_loses_the_usual():
    sent = Headers([(b"Keep-Alive", b"timeout=5"), (b"Surrogate-Key", b"a"), (b"X", b"y"), (b"Upgrade", b"h2c")])
    assert to_client(sent).lines == ((b"X", b"y"),)
