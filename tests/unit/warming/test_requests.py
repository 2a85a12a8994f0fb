"""Requests made of recipes and URLs, as far as the rules allow."""

from __future__ import annotations

import pytest

from proxy.message.headers import EMPTY, Headers
from proxy.policy.rules import IMPLICIT_ROUTE, Credentials, Match, Route, RuleBook
from proxy.policy.templates import PathTemplate
from proxy.popularity.ranking import Ranked
from proxy.popularity.recipes import Recipe
from proxy.popularity.records import Record
from proxy.warming.requests import (
    MOST_GUISES,
    Bounds,
    Guise,
    guises_of,
    path_for,
    recipes_of,
    request_for,
    requests_of,
    served_by,
    takes_items,
)


def a_route(name, *paths, **more):
    return Route(name, tuple(Match(frozenset({b"GET"}), PathTemplate.parse(path)) for path in paths), **more)


PLAN = a_route("plan", "/plans/{id:int}", "/old/plans/{id:int}", key_headers=(b"x-tenant",))
BOOK = RuleBook(
    "s",
    (
        PLAN,
        a_route("own", "/own/{id}", scope="credential"),
        a_route("off", "/off", enabled=False),
        a_route("two", "/two/{x}/{y}"),
        a_route("name", "/names/{name}", authorization=Credentials.IGNORE),
        a_route("rest", "/rest/{x}/**"),
    ),
)
BOUNDS = Bounds(BOOK)


def recipe(target, authority=b"a.example", *, scheme=b"https", **fields):
    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
    return Recipe(target.encode(), authority, scheme, Headers(lines))


def ranked(target, reads=1.0, route="plan", authority=b"a.example", **fields):
    return Ranked("d", reads, Record(recipe(target, authority, **fields), ("all", f"route:{route}")))


def test_a_recipe_becomes_a_request_that_nobody_asked():
    request = request_for(recipe("/plans/7?x=1", X_Tenant="7", accept_language="de"), BOUNDS)
    assert (request.method, request.target, request.authority, request.scheme) == (
        b"GET", b"/plans/7?x=1", b"a.example", b"https",
    )  # fmt: skip
    assert request.headers.lines == ((b"X-Tenant", b"7"), (b"accept-language", b"de"))
    assert request.unasked
    assert len(request.request_id) == 32


@pytest.mark.parametrize(
    "refused",
    [
        pytest.param(recipe("/nothing"), id="no route"),
        pytest.param(recipe("/own/1"), id="a client's own"),
        pytest.param(recipe("/off"), id="a route that is turned off"),
        pytest.param(recipe("/plans/7?token=x"), id="a credential in the query"),
        pytest.param(recipe("/plans/7", authorization="x"), id="a credential"),
        pytest.param(recipe("/plans/7", x_other="7"), id="a field that is not keyed"),
        pytest.param(recipe("/names/a%2Fb"), id="a path that is not cached"),
    ],
)
def test_what_the_rules_have_nothing_for(refused):
    assert request_for(refused, BOUNDS) is None


def test_a_host_that_is_not_accepted_is_not_asked_for():
    assert request_for(recipe("/plans/7"), Bounds(BOOK, frozenset({b"a.example"}))) is not None
    assert request_for(recipe("/plans/7"), Bounds(BOOK, frozenset({b"b.example"}))) is None


def test_a_route_that_is_meant_and_no_other():
    assert request_for(recipe("/plans/7"), BOUNDS, "plan") is not None
    assert request_for(recipe("/plans/7"), BOUNDS, "name") is None


def test_the_implicit_route_is_asked_with_harmless_fields_alone():
    bounds = Bounds(RuleBook("s", implicit=IMPLICIT_ROUTE))
    assert request_for(recipe("/any", accept="*/*"), bounds) is not None
    assert request_for(recipe("/any", x_tenant="7"), bounds) is None


def test_a_record_must_name_the_route_that_serves_it_now():
    made = requests_of([ranked("/plans/1"), ranked("/plans/2", route="name"), ranked("/nothing")], BOUNDS, None)
    assert [request.target for request in made] == [b"/plans/1"]


def test_clients_come_to_a_route_as_they_are_seen_to():
    seen = [
        ranked("/plans/1", 5.0, X_Tenant="7"),
        ranked("/plans/2", 3.0),
        ranked("/plans/3", 4.0),
        ranked("/names/x", 99.0, "name", b"b.example"),
    ]
    assert guises_of(seen, BOUNDS, "plan") == [
        Guise(b"https", b"a.example"),
        Guise(b"https", b"a.example", Headers([(b"X-Tenant", b"7")])),
    ]


def test_where_a_route_was_never_read_others_tell_scheme_and_name_alone():
    assert guises_of([ranked("/plans/1", X_Tenant="7")], BOUNDS, "name") == [Guise(b"https", b"a.example")]


def test_guises_are_few():
    seen = [ranked("/plans/1", reads, authority=b"%d.example" % reads) for reads in range(1, 9)]
    assert [guise.authority for guise in guises_of(seen, BOUNDS, "plan")] == [
        b"8.example",
        b"7.example",
        b"6.example",
        b"5.example",
    ]
    assert MOST_GUISES == 4


def test_where_nobody_was_seen_the_accepted_hosts_must_do():
    assert guises_of([], BOUNDS, "plan") == []  # any name would be a guess
    assert guises_of([], Bounds(BOOK, frozenset({b"b", b"a"})), "plan") == [Guise(b"http", b"a"), Guise(b"http", b"b")]
    assert guises_of([], Bounds(RuleBook("s", keyed_authority=False)), "plan") == [Guise(b"http", b"")]


TWO = [Guise(b"https", b"a"), Guise(b"http", b"b", Headers([(b"accept", b"x")]))]


@pytest.mark.parametrize(
    ("url", "guises", "expected"),
    [
        pytest.param("/x?y=1", TWO, [(b"/x?y=1", b"a", b"https", EMPTY), (b"/x?y=1", b"b", b"http", TWO[1].headers)], id="a path in each guise"),
        pytest.param("/x", [], [], id="a path without any"),
        pytest.param("HTTPS://A.example:443/x", [], [(b"/x", b"a.example", b"https", EMPTY)], id="a whole one"),
        pytest.param("http://c?y", TWO, [(b"/?y", b"c", b"http", EMPTY), (b"/?y", b"c", b"http", TWO[1].headers)], id="a whole one with each one's fields"),
        pytest.param("/größe x", [TWO[0]], [(b"/gr%C3%B6%C3%9Fe%20x", b"a", b"https", EMPTY)], id="escaped"),
    ],
)  # fmt: skip
def test_recipes_of_a_url(url, guises, expected):
    assert recipes_of(url, guises) == [Recipe(*parts) for parts in expected]


@pytest.mark.parametrize("url", ["x", "", "ftp://a/x", "/x#y", "http://", "http://a@b/x"])
def test_what_is_no_url(url):
    with pytest.raises(ValueError, match="expected a"):
        recipes_of(url, TWO)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        pytest.param("/nothing", 'no route serves "/nothing"', id="no route"),
        pytest.param("/own/1", "one client's own", id="a client's own"),
        pytest.param("/plans/7?api_key=x", "called like a credential", id="a credential"),
    ],
)
def test_a_url_that_nobody_can_ask_for(url, message):
    assert served_by("/plans/7?x=1", BOOK) is PLAN
    with pytest.raises(ValueError, match=message):
        served_by(url, BOOK)


@pytest.mark.parametrize(
    ("route", "value", "path"),
    [
        pytest.param("plan", "7", "/plans/7", id="the first that fits"),
        pytest.param("plan", "x", None, id="none that fits"),
        pytest.param("name", "a b/ü", "/names/a%20b%2F%C3%BC", id="one segment, whatever it holds"),
        pytest.param("name", "..", "/names/..", id="dots"),
        pytest.param("two", "7", None, id="two variables"),
        pytest.param("rest", "7", None, id="a rest"),
    ],
)
def test_the_path_of_an_item(route, value, path):
    (found,) = [one for one in BOOK.routes if one.name == route]
    assert path_for(found, value) == path
    if path is not None and (".." in path or "%2F" in path):
        assert request_for(recipe(path), BOUNDS) is None  # it is made, and then refused as anybody's would be


def test_which_routes_take_items():
    assert [route.name for route in BOOK.routes if takes_items(route)] == ["plan", "own", "name"]
