import base64
from dataclasses import replace

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy.message.headers import Headers
from proxy.message.request import Request
from proxy.policy import keys
from proxy.policy.forwarding import Forwarding, as_fetched, fetch_for
from proxy.policy.hops import HARMLESS
from proxy.policy.keys import Key, Unkeyed, UnkeyedReason, key_for, keyed_cookies, keyed_fields, variant
from proxy.policy.material import parts_of
from proxy.policy.rules import IMPLICIT_ROUTE, Cors, Credentials, Match, Matched, Namespace, Route, RuleBook
from proxy.policy.templates import PathTemplate
from proxy.policy.values import ValueTemplate

CORS = Cors((b"https://app.example",), (b"GET",), ())
CATALOG = Namespace("plan_catalog", "v1")
KNOWN = {"plan_id", "query.*", "header.*", "jwt.*"}


def template(text):
    return ValueTemplate.parse(text, KNOWN)


def bearer(**claims):
    return b"Bearer e30." + base64.urlsafe_b64encode(orjson.dumps(claims)).rstrip(b"=") + b".sig"


def get(target, *lines, **other):
    return Request(b"GET", target, Headers(lines), **{"authority": b"api.example", **other})


def declared(path="/plans/{plan_id}", **rules):
    return Route(
        name="plan", matches=(Match(frozenset({b"GET"}), PathTemplate.parse(path)),), fingerprint="f0", **rules
    )


IGNORES = {"authorization": Credentials.IGNORE, "cookies": Credentials.IGNORE}
PUBLIC = declared(namespace=CATALOG, id=template("{plan_id}"), tags=(template("plan:{plan_id}"),), **IGNORES)
OWN = declared(scope="credential", user=template("{jwt.sub}"))


def key_of(request, route, cors=CORS, **book):
    rules = RuleBook("svc", (route,), cors=cors, **book)
    matched = Matched(route, {}) if route.implicit else rules.route_for(b"GET", request.path)
    return key_for(request, matched, rules)


def digest_of(*args, **book):
    key = key_of(*args, **book)
    assert isinstance(key, Key), key
    return key.cache.digest


ROOT = get(b"/plans/7?b=2&a=1")


@pytest.mark.parametrize(
    ("route", "one", "other"),
    [
        pytest.param(PUBLIC, ROOT, get(b"/plans/7?a=1&b=2"), id="the order of a query's names"),
        pytest.param(PUBLIC, ROOT, replace(ROOT, method=b"HEAD"), id="HEAD and GET"),
        pytest.param(
            PUBLIC, ROOT, get(b"/plans/7?b=2&a=1", (b"Authorization", b"x")), id="a credential that is ignored"
        ),
        pytest.param(PUBLIC, ROOT, get(b"/plans/7?b=2&a=1", (b"Cookie", b"x=1")), id="a cookie that is ignored"),
        pytest.param(PUBLIC, ROOT, get(b"/plans/7?b=2&a=1", (b"X-Other", b"x")), id="a field that is not keyed"),
        pytest.param(PUBLIC, ROOT, get(b"/plans/7?b=2&a=1", (b"Origin", b"https://x")), id="Origin where CORS is ours"),
        pytest.param(declared(key_query=()), ROOT, get(b"/plans/7"), id="a query that is not keyed"),
        pytest.param(
            declared(key_query=(b"a",)), ROOT, get(b"/plans/7?utm=x&a=1"), id="parts of a query that are not keyed"
        ),
        pytest.param(
            declared(cookies=(b"lang",)),
            get(b"/plans/7", (b"Cookie", b"lang=de; id=1")),
            get(b"/plans/7", (b"Cookie", b"id=2;  lang=de")),
            id="cookies that are not keyed",
        ),
        pytest.param(
            declared(key_headers=(b"x-tenant",)),
            get(b"/plans/7", (b"X-Tenant", b"a")),
            get(b"/plans/7", (b"x-tenant", b"a")),
            id="the case of a keyed field's name",
        ),
        pytest.param(IMPLICIT_ROUTE, ROOT, get(b"/plans/7?b=2&a=1", (b"Authorization", b"x")), id="Vary does the rest"),
    ],
)
def test_equal_by_rule_means_one_key(route, one, other):
    assert digest_of(one, route) == digest_of(other, route)


@pytest.mark.parametrize(
    ("route", "one", "other"),
    [
        pytest.param(PUBLIC, ROOT, get(b"/plans/8?b=2&a=1"), id="path"),
        pytest.param(PUBLIC, ROOT, get(b"/plans/7?b=2&a=3"), id="query"),
        pytest.param(PUBLIC, get(b"/plans/7?a=1&a=2"), get(b"/plans/7?a=2&a=1"), id="the order among equal names"),
        pytest.param(PUBLIC, ROOT, replace(ROOT, authority=b"other.example"), id="authority"),
        pytest.param(PUBLIC, ROOT, replace(ROOT, scheme=b"https"), id="scheme"),
        pytest.param(
            declared(key_headers=(b"x-tenant",)),
            ROOT,
            get(b"/plans/7?b=2&a=1", (b"X-Tenant", b"")),
            id="an empty keyed field",
        ),
        pytest.param(
            declared(key_headers=(b"x", b"y")),
            get(b"/plans/7", (b"X", b"1")),
            get(b"/plans/7", (b"Y", b"1")),
            id="which field it is",
        ),
        pytest.param(
            declared(key_headers=(b"x",)),
            get(b"/plans/7", (b"X", b"1, 2")),
            get(b"/plans/7", (b"X", b"1"), (b"X", b"2")),
            id="one line or two",
        ),
        pytest.param(
            declared(cookies=(b"lang",)),
            get(b"/plans/7", (b"Cookie", b"lang=de")),
            get(b"/plans/7", (b"Cookie", b"lang=en")),
            id="a keyed cookie",
        ),
        pytest.param(
            OWN,
            get(b"/plans/7", (b"Authorization", bearer(sub="u1"))),
            get(b"/plans/7", (b"Authorization", bearer(sub="u1") + b"x")),
            id="a credential, also with the same claims",
        ),
        pytest.param(IMPLICIT_ROUTE, get(b"/a?"), get(b"/a"), id="an empty query on the implicit route"),
        pytest.param(
            IMPLICIT_ROUTE, get(b"/a?x=1&y"), get(b"/a?y&x=1"), id="the order of a query on the implicit route"
        ),
    ],
)
def test_different_requests_have_different_keys(route, one, other):
    assert digest_of(one, route) != digest_of(other, route)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"fingerprint": "f1"}, id="other rules"),
        pytest.param({"namespace": Namespace("plan_catalog", "v2")}, id="another version"),
        pytest.param({"namespace": Namespace("plans", "v1")}, id="another namespace"),
        pytest.param({"namespace": None}, id="no namespace"),
    ],
)
def test_entries_made_under_other_rules_are_never_found(changes):
    assert digest_of(ROOT, PUBLIC) != digest_of(ROOT, replace(PUBLIC, **changes))


def test_two_services_share_a_redis_but_no_entry():
    matched = Matched(PUBLIC, {"plan_id": "7"})
    one, other = (key_for(ROOT, matched, RuleBook(name, (PUBLIC,))) for name in ("a", "b"))
    assert one.cache != other.cache


def test_an_authority_that_is_not_keyed_is_not_in_the_key():
    other = replace(ROOT, authority=b"other.example")
    assert digest_of(ROOT, PUBLIC, keyed_authority=False) == digest_of(other, PUBLIC, keyed_authority=False)
    assert key_of(ROOT, PUBLIC, keyed_authority=False).authority is None
    assert key_of(ROOT, PUBLIC).authority == b"api.example"


def test_origin_is_keyed_where_the_backend_speaks_cors():
    one, other = get(b"/plans/7", (b"Origin", b"https://a")), get(b"/plans/7", (b"Origin", b"https://b"))
    assert digest_of(one, PUBLIC, cors=None) != digest_of(other, PUBLIC, cors=None)
    assert digest_of(one, PUBLIC) == digest_of(other, PUBLIC)
    assert digest_of(one, IMPLICIT_ROUTE, cors=None) == digest_of(other, IMPLICIT_ROUTE, cors=None)


@pytest.mark.parametrize(
    ("headers", "cors", "expected"),
    [
        ((), False, (b"origin",)),
        ((), True, ()),
        ((b"x", b"origin"), False, (b"x", b"origin")),
        ((b"x", b"origin"), True, (b"x",)),
    ],
)
def test_the_fields_that_are_keyed(headers, cors, expected):
    assert keyed_fields(declared(key_headers=headers), cors=cors) == expected


@pytest.mark.parametrize(
    ("wanted", "lines", "expected"),
    [
        pytest.param(Credentials.UNSET, [b"a=1"], [], id="none is keyed"),
        pytest.param((b"b", b"a"), [b"a=1; b=2; c=3"], [(b"b", [b"2"]), (b"a", [b"1"])], id="in the route's order"),
        pytest.param((b"a",), [b"a=1; a=2", b"a=3"], [(b"a", [b"1", b"2", b"3"])], id="all of a name, over all lines"),
        pytest.param((b"a", b"a"), [b"a=1"], [(b"a", [b"1"])], id="a name listed twice"),
        pytest.param((b"a",), [b"a; A=1; a =2;;=3"], [], id="what is no such cookie"),
        pytest.param((b"a",), [b'a="x;y"'], [(b"a", [b'"x'])], id="quotes protect nothing"),
        pytest.param((b"a",), [], [], id="no cookie at all"),
    ],
)
def test_the_cookies_that_are_keyed(wanted, lines, expected):
    headers = Headers((b"Cookie", line) for line in lines)
    assert keyed_cookies(headers, declared(cookies=wanted)) == expected


@pytest.mark.parametrize(
    ("request_", "route", "reason"),
    [
        pytest.param(replace(ROOT, has_body=True), PUBLIC, UnkeyedReason.BODY, id="unusable whoever sends it"),
        pytest.param(replace(ROOT, has_body=True), IMPLICIT_ROUTE, UnkeyedReason.BODY, id="on the implicit route too"),
        pytest.param(ROOT, OWN, UnkeyedReason.NO_CREDENTIAL, id="own data without a credential"),
        pytest.param(
            ROOT, declared(id=template("{query.c}"), namespace=CATALOG), UnkeyedReason.NO_ID, id="an absent id"
        ),
        pytest.param(
            ROOT, declared(id=template("{jwt.sub}")), UnkeyedReason.NO_ID, id="an id by a token that is not there"
        ),
    ],
)
def test_requests_without_a_key(request_, route, reason):
    assert key_of(request_, route) == Unkeyed(reason)


def test_the_backend_is_asked_for_exactly_what_is_keyed():
    assert key_of(get(b"/plans/7?utm=1&b=2&a=%31"), declared(key_query=(b"a", b"b"))).target == b"/plans/7?a=%31&b=2"
    assert key_of(get(b"/plans/7?utm=1"), declared(key_query=())).target == b"/plans/7"
    assert key_of(get(b"/plans/7?"), IMPLICIT_ROUTE).target == b"/plans/7?"


def test_the_names_of_a_public_entry():
    key = key_of(get(b"/plans/7?b=2&a=1"), PUBLIC)
    assert key.logical == "plan_catalog:v1:7"
    assert key.user is None
    assert key.credential_exp is None
    assert key.selectors == (
        "all",
        "route:plan",
        "ns:plan_catalog",
        "key:plan_catalog:v1:7",
        "path:/plans/7",
        "url:/plans/7?a=1&b=2",
        "tag:plan:7",
    )


def test_the_names_of_somebody_s_own_entry():
    token = bearer(sub="u1", exp=2000)
    route = replace(OWN, id=template("{jwt.sub}"), tags=(template("u:{jwt.sub}"), template("none:{jwt.x}")))
    key = key_of(get(b"/plans/7", (b"Authorization", token)), route)
    assert (key.logical, key.user, key.credential_exp) == ("u1", "u1", 2000.0)
    assert key.selectors == ("all", "route:plan", "key:u1", "path:/plans/7", "url:/plans/7", "user:u1", "tag:u:u1")


def test_an_opaque_credential_names_nobody():
    key = key_of(get(b"/plans/7", (b"Authorization", b"Bearer opaque")), OWN)
    assert key.user is None
    assert key.credential_exp is None
    assert not any(name.startswith("user:") for name in key.selectors)


def test_names_come_only_from_what_is_keyed():
    # Else who fetched it first would decide which purges find an entry that all share.
    wanted = ["{query.utm}", "{header.x-a}", "{query.a}{header.x-b}", "{jwt.sub}"]
    text = tuple(template(each) for each in wanted)
    route = declared(key_query=(b"a",), key_headers=(b"x-b",), tags=text, **IGNORES)
    sent = (b"X-A", b"1"), (b"X-B", b"2"), (b"Authorization", bearer(sub="u1"))
    names = key_of(get(b"/plans/7?utm=1&a=2", *sent), route).selectors
    assert [name for name in names if name.startswith("tag:")] == ["tag:22"]


def test_claims_name_an_entry_that_is_keyed_by_its_token_s_value():
    route = declared(key_headers=(b"authorization",), user=template("{jwt.sub}"))
    assert key_of(get(b"/plans/7", (b"Authorization", bearer(sub="u1"))), route).user == "u1"


def test_credentials_and_cookies_are_nowhere_in_the_material():
    route = declared(scope="credential", cookies=(b"lang",), key_headers=(b"x-key",))
    sent = (b"Authorization", b"Bearer s3cret"), (b"Cookie", b"lang=s3cret"), (b"X-Key", b"s3cret")
    key = key_of(get(b"/plans/7", *sent), route)
    place = variant(key, ((b"cookie", b"s3cret"),))
    assert b"s3cret" not in place.material
    assert "s3cret" not in repr(key)
    assert {name for name, _ in parts_of(place.material)} >= {"header", "cookie", "credential", "vary"}


def test_variants_have_places_of_their_own():
    key = key_of(ROOT, PUBLIC)
    fields = [
        (),
        ((b"accept", None),),
        ((b"accept", b""),),
        ((b"accept", b"a"),),
        ((b"accept-language", b"a"),),
        ((b"accept", b"a"), (b"accept-language", b"a")),
    ]
    places = [variant(key, vary) for vary in fields]
    assert len({place.digest for place in places}) == len(fields)
    assert places[0] == key.cache


def test_the_keys_room_hands_out_what_purges_by_url_need():
    assert keys.canonical_url(RuleBook("svc", (PUBLIC,)), "/plans/7?b=1&a=2") == ["url:/plans/7?a=2&b=1"]


TOKENS = st.sampled_from([b"Bearer a", b"Bearer b", b"", b"Basic a"])
LINE = st.one_of(
    st.tuples(st.sampled_from([b"Authorization", b"X-Api-Key"]), TOKENS),
    st.tuples(st.just(b"Cookie"), st.sampled_from([b"lang=de", b"lang=de; id=1", b"lang=d; lang=e", b"id=2", b"lang"])),
    st.tuples(st.sampled_from([b"Origin", b"X-Tenant", b"X-Other", b"Range"]), st.sampled_from([b"1", b"2", b""])),
    st.tuples(st.just(b"Connection"), st.sampled_from([b"close", b"X-Tenant", b"authorization"])),
    st.tuples(st.sampled_from([b"X-Forwarded-Host", b"X-Original-URL", b"Forwarded"]), st.sampled_from([b"/a", b"b"])),
    st.tuples(st.sampled_from([b"Accept", b"User-Agent"]), st.sampled_from([b"1", b"2"])),
)
LINES = st.lists(LINE, max_size=4)
REQUESTS = st.builds(
    Request,
    method=st.sampled_from([b"GET", b"HEAD"]),
    target=st.sampled_from(
        [b"/plans/7", b"/plans/8", b"/plans/7?a=1", b"/plans/7?a=2&b", b"/plans/7?b&a=2", b"/plans/7?"]
    ),
    headers=LINES.map(Headers),
    authority=st.sampled_from([b"a.example", b"b.example", b""]),
    scheme=st.sampled_from([b"http", b"https"]),
    request_id=st.just(b"id"),
)
ROUTES = st.builds(
    declared,
    authorization=st.sampled_from(Credentials),
    cookies=st.sampled_from([*Credentials, (b"lang",), (b"lang", b"id")]),
    scope=st.sampled_from(["public", "credential"]),
    credential_headers=st.sampled_from([(b"authorization",), (b"authorization", b"x-api-key"), (b"cookie",)]),
    key_query=st.sampled_from([None, (), (b"a",)]),
    key_headers=st.sampled_from([(), (b"x-tenant",), (b"x-tenant", b"origin")]),
)
BOOKS = st.builds(RuleBook, st.just("svc"), cors=st.sampled_from([None, CORS]), keyed_authority=st.booleans())


def asked(request, key, route, book, host):
    """What the backend is asked, but for what is harmless."""
    fetched = as_fetched(request, route, cors=book.cors is not None)
    target, headers = fetch_for(request, fetched, key, Forwarding(host, b"backend:80"))
    return target, sorted((name.lower(), value) for name, value in headers if name.lower() not in HARMLESS)


@st.composite
def pairs(draw):
    """Two requests that differ in little, so that they often share a key."""
    one = draw(REQUESTS)
    lines = list(one.headers)
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(lines)))
        lines[place : place + draw(st.integers(0, 1))] = draw(st.lists(LINE, max_size=1))
    other = replace(one, headers=Headers(lines))
    changes = {
        name: getattr(draw(REQUESTS), name)
        for name in draw(st.sets(st.sampled_from(["target", "authority", "scheme"]), max_size=1))
    }
    return one, replace(other, **changes)


KEYED_TENANT = declared(key_headers=(b"x-tenant",), **IGNORES)
KEPT_TENANT = (b"X-Tenant", b"a")
CLOSED = RuleBook("svc", cors=CORS)


@settings(max_examples=300)
@example((get(b"/plans/7"), get(b"/plans/7", (b"X-Other", b"1"))), KEYED_TENANT, CLOSED, None)
@example((get(b"/plans/7"), get(b"/plans/7", (b"Authorization", b"Bearer a"))), KEYED_TENANT, CLOSED, None)
@example(
    (get(b"/plans/7", KEPT_TENANT), get(b"/plans/7", KEPT_TENANT, (b"Connection", b"x-tenant"))),
    KEYED_TENANT,
    CLOSED,
    None,
)
@given(pairs(), ROUTES, BOOKS, st.sampled_from([None, b"name.example"]))
def test_two_requests_with_one_key_ask_the_backend_the_same(two, route, book, host):
    one, other = two
    matched = Matched(route, {"plan_id": "7"})
    first, second = key_for(one, matched, book), key_for(other, matched, book)
    if isinstance(first, Key) and isinstance(second, Key):
        same_question = asked(one, first, route, book, host) == asked(other, second, route, book, host)
        if first.cache == second.cache:
            assert same_question
        elif same_question:  # then only what is forwarded in no field tells them apart
            assert (
                one.scheme != other.scheme or one.authority != other.authority or credentials(one) != credentials(other)
            )


def credentials(request):
    names = b"authorization", b"x-api-key", b"cookie", b"x-tenant", b"origin"
    return [request.headers.get_all(name) for name in names]


@given(pairs(), ROUTES.filter(lambda route: route.scope == "credential"), BOOKS)
def test_two_credentials_never_share_a_key(two, route, book):
    one, other = two
    matched = Matched(route, {"plan_id": "7"})
    first, second = key_for(one, matched, book), key_for(other, matched, book)
    if isinstance(first, Key) and isinstance(second, Key) and first.cache == second.cache:
        for name in route.credential_headers:
            assert one.headers.get_all(name) == other.headers.get_all(name)


def a_book(**rules):
    return RuleBook("svc", routes=(declared(**rules),), cors=CORS)


def key_in(book, request):
    return key_for(request, book.route_for(b"GET", request.path), book)


def test_a_key_that_only_the_target_decides_is_worked_out_once():
    book = a_book(authorization=Credentials.IGNORE, cookies=Credentials.IGNORE)
    first = key_in(book, get(b"/plans/7?b=1", (b"Authorization", bearer(sub="ann")), (b"Accept", b"x")))
    assert key_in(book, get(b"/plans/7?b=1", (b"Cookie", b"a=b"))) is first
    assert bearer(sub="ann") not in repr(first.values).encode()
    for other in (
        get(b"/plans/7?b=2"),
        get(b"/plans/7?b=1", authority=b"other"),
        get(b"/plans/7?b=1", scheme=b"https"),
    ):
        assert key_in(book, other).cache != first.cache


@pytest.mark.parametrize(
    ("rules", "lines"),
    [
        pytest.param({"key_headers": (b"x-tenant",)}, [(b"X-Tenant", b"one")], id="a keyed field"),
        pytest.param({"cookies": (b"lang",)}, [(b"Cookie", b"lang=de")], id="a keyed cookie"),
        pytest.param({"scope": "credential"}, [(b"Authorization", b"Bearer a")], id="a credential"),
    ],
)
def test_what_is_keyed_is_asked_of_each_request(rules, lines):
    book = a_book(**rules)
    with_it = key_in(book, get(b"/plans/7", *lines))
    without = key_in(book, get(b"/plans/7"))
    again = key_in(book, get(b"/plans/7", *lines))
    assert with_it == again
    assert with_it is not again
    assert isinstance(without, Unkeyed) or without.cache != with_it.cache


def test_a_request_without_a_key_is_not_remembered():
    book = a_book(id=template("{header.x-tenant}"), key_headers=(b"x-tenant",))
    assert key_in(book, get(b"/plans/7")) == Unkeyed(UnkeyedReason.NO_ID)
    assert book.known_key(get(b"/plans/7")) is None


def test_keys_that_are_remembered_are_few_and_short(monkeypatch):
    monkeypatch.setattr("proxy.policy.book.MOST_REMEMBERED", 3)
    book = a_book()
    for number in range(4):
        key_in(book, get(b"/plans/%d" % number))
    assert [book.known_key(get(b"/plans/%d" % number)) is None for number in range(4)] == [True, True, True, False]
    long = get(b"/plans/" + b"x" * 300)
    assert key_in(book, long).path == long.path
    assert book.known_key(long) is None
