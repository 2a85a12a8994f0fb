import pytest

from proxy.policy import book as book_module
from proxy.policy.rules import IMPLICIT_ROUTE, Match, Matched, Route, RuleBook, WriteRule
from proxy.policy.templates import PathTemplate


def matches(*items):
    pairs = [item.split() for item in items]
    return tuple(Match(frozenset(methods.encode().split(b",")), PathTemplate.parse(path)) for methods, path in pairs)


CATALOG = Route(name="catalog", matches=matches("GET /plans/catalog"))
PLAN = Route(name="plan", matches=matches("GET /plans/{id:int}", "GET /old/{id}"))
OFF = Route(name="off", matches=matches("GET /off/**"), enabled=False)
REST = Route(name="rest", matches=matches("GET /plans/**"))
BOOK = RuleBook("svc", (CATALOG, PLAN, OFF, REST))
OPEN = RuleBook("svc", (CATALOG,), implicit=IMPLICIT_ROUTE)


@pytest.mark.parametrize(
    ("method", "path", "route", "variables"),
    [
        pytest.param(b"GET", b"/plans/catalog", CATALOG, {}, id="the first that matches"),
        pytest.param(b"GET", b"/plans/7", PLAN, {"id": "7"}, id="with its variables"),
        pytest.param(b"GET", b"/old/x", PLAN, {"id": "x"}, id="by its second item"),
        pytest.param(b"HEAD", b"/plans/7", PLAN, {"id": "7"}, id="HEAD as GET"),
        pytest.param(b"GET", b"/plans/x/y", REST, {}, id="the one after"),
        pytest.param(b"GET", b"/off/x", OFF, {}, id="a disabled one keeps its requests"),
        pytest.param(b"POST", b"/plans/7", None, None, id="another method"),
        pytest.param(b"GET", b"/other", None, None, id="another path"),
    ],
)
def test_the_route_of_a_request(method, path, route, variables):
    expected = None if route is None else Matched(route, variables)
    assert BOOK.route_for(method, path) == expected
    assert BOOK.route_for(method, path) == expected  # remembered


def test_the_implicit_route_takes_the_rest_whatever_the_method():
    assert OPEN.route_for(b"GET", b"/plans/catalog") == Matched(CATALOG, {})
    assert OPEN.route_for(b"GET", b"/x") == Matched(IMPLICIT_ROUTE, {})
    assert OPEN.route_for(b"POST", b"/plans/catalog") == Matched(IMPLICIT_ROUTE, {})


def test_what_a_book_remembers_is_bounded(monkeypatch):
    monkeypatch.setattr(book_module, "MOST_REMEMBERED", 3)
    book = RuleBook("svc", (REST,))
    for number in range(20):
        assert book.route_for(b"GET", b"/plans/%d" % number) is not None
        assert len(book._remembered) <= 3
    long = b"/plans/" + b"x" * book_module.LONGEST_REMEMBERED
    assert book.route_for(b"GET", long) is not None
    assert long not in book._remembered


def test_two_books_do_not_share_what_they_remember():
    one, other = RuleBook("svc", (REST,)), RuleBook("svc", ())
    assert one.route_for(b"GET", b"/plans/1") is not None
    assert other.route_for(b"GET", b"/plans/1") is None


def test_every_route_that_serves_a_path():
    assert [found.route for found in BOOK.serving(b"/plans/7")] == [PLAN, REST]
    assert [found.route for found in OPEN.serving(b"/plans/catalog")] == [CATALOG, IMPLICIT_ROUTE]
    assert BOOK.serving(b"/nowhere") == []


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        pytest.param(b"GET", b"/plans/catalog", [], id="the first one"),
        pytest.param(
            b"HEAD",
            b"/off/x",
            [
                ("catalog", 'segment 1 is "off", not "plans"'),
                ("plan", 'segment 1 is "off", not "plans"; segment 1 is "off", not "old"'),
            ],
            id="up to the one that matches",
        ),
        pytest.param(
            b"POST",
            b"/x",
            [("catalog", "takes GET"), ("plan", "takes GET; takes GET"), ("off", "takes GET"), ("rest", "takes GET")],
            id="none matches",
        ),
    ],
)
def test_why_the_routes_before_did_not_match(method, path, expected):
    assert [(route.name, reason) for route, reason in BOOK.explain(method, path)] == expected


ONE = WriteRule(matches("PUT,DELETE /admin/plans/{id}"))
TWO = WriteRule(matches("PUT /admin/**", "PUT /admin/plans/{plan}"))


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        pytest.param(
            b"PUT", b"/admin/plans/7", [(ONE, {"id": "7"}), (TWO, {}), (TWO, {"plan": "7"})], id="all that match"
        ),
        pytest.param(b"DELETE", b"/admin/plans/7", [(ONE, {"id": "7"})], id="by method"),
        pytest.param(b"DELETE", b"/admin//./plans/%37", [(ONE, {"id": "7"})], id="as a forgiving backend reads it"),
        pytest.param(
            b"DELETE", b"/admin/plans/%37", [(ONE, {"id": "%37"}), (ONE, {"id": "7"})], id="in both spellings"
        ),
        pytest.param(b"PUT", b"/plans/7", [], id="none"),
    ],
)
def test_every_write_rule_that_matches(method, path, expected):
    assert RuleBook("svc", writes=(ONE, TWO)).writes_for(method, path) == expected


def test_a_route_that_can_never_match():
    under = Route(name="under", matches=matches("GET /plans/x/y", "GET /plans/catalog"))
    half = Route(name="half", matches=matches("GET /plans/z", "GET /elsewhere"))
    book = RuleBook("svc", (CATALOG, PLAN, REST, under, half))
    assert book.shadowed() == [(under, REST)]
