import base64
from dataclasses import replace

import orjson
import pytest

from proxy.message.headers import Headers
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.policy.invalidation import SAFE_METHODS, Purge, is_unsafe, may_purge, purge_of, purges_for
from proxy.policy.keys import Key, key_for
from proxy.policy.rules import IMPLICIT_ROUTE, Match, Route, RuleBook, WriteRule
from proxy.policy.templates import PathTemplate
from proxy.policy.values import ValueTemplate


def matches(*items):
    pairs = [item.split() for item in items]
    return tuple(Match(frozenset(methods.encode().split(b",")), PathTemplate.parse(path)) for methods, path in pairs)


def texts(*items):
    return tuple(ValueTemplate.parse(item, {"id", "x", "query.*", "header.*", "jwt.*"}) for item in items)


TOKEN = b"Bearer e30." + base64.urlsafe_b64encode(orjson.dumps({"sub": "u1"})).rstrip(b"=") + b".sig"
ROUTE = Route(name="plan", matches=matches("GET /plans/{id}"), key_query=(b"a", b"b"))
BOOK = RuleBook("svc", (ROUTE,))
OPEN = RuleBook("svc", (ROUTE,), implicit=IMPLICIT_ROUTE)
OK = Response(200)


def write(target=b"/plans/7", *lines, method=b"PUT"):
    return Request(method, target, Headers(lines), b"api.example")


def said(*lines, status=200):
    return Response(status, Headers(lines))


@pytest.mark.parametrize("method", sorted(SAFE_METHODS))
def test_safe_methods_purge_nothing(method):
    answer = said((b"Cache-Group-Invalidation", b'"g"'), (b"Location", b"/plans/8"))
    assert not is_unsafe(write(method=method))
    assert not may_purge(write(method=method), OPEN)
    assert purges_for(write(method=method), answer, OPEN) == []


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"DELETE", b"PATCH", b"M-SEARCH", b"PURGE"])
def test_all_other_methods_purge_their_target(method):
    assert may_purge(write(method=method), BOOK)
    assert purges_for(write(method=method), OK, BOOK) == [Purge(("url:/plans/7",))]


def test_a_method_that_is_named_in_a_field_counts():
    tunnelled = write(b"/x/1", (b"X-HTTP-Method-Override", b"delete"), method=b"POST")
    book = RuleBook("svc", writes=(WriteRule(matches("DELETE /x/{id}"), tags=texts("x:{id}")),))
    assert may_purge(tunnelled, book)
    assert purges_for(tunnelled, OK, book) == [Purge(("tag:x:1",))]
    disguised = replace(tunnelled, method=b"GET")
    assert is_unsafe(disguised)
    assert purges_for(disguised, OK, book) == [Purge(("tag:x:1",))]
    assert not is_unsafe(write(b"/x", (b"X-HTTP-Method", b""), method=b"GET"))


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([(b"X_HTTP_Method_Override", b"DELETE")], id="as CGI reads it"),
        pytest.param([(b"X-HTTP-Method", b"GET"), (b"X-HTTP-Method", b"DELETE")], id="in a second line"),
    ],
)
def test_a_method_that_is_named_in_a_roundabout_way_counts(lines):
    book = RuleBook("svc", writes=(WriteRule(matches("DELETE /x/{id}"), tags=texts("x:{id}")),))
    disguised = write(b"/x/1", *lines, method=b"GET")
    assert may_purge(disguised, book)
    assert purges_for(disguised, OK, book) == [Purge(("tag:x:1",))]


@pytest.mark.parametrize(
    ("status", "declared", "implicit"),
    [
        pytest.param(200, True, True, id="done"),
        pytest.param(204, True, True, id="done, and nothing to say"),
        pytest.param(303, True, True, id="see elsewhere"),
        pytest.param(400, False, False, id="refused"),
        pytest.param(404, False, False, id="not there"),
        pytest.param(500, True, False, id="failed, perhaps after the write"),
        pytest.param(503, True, False, id="unavailable"),
        pytest.param(None, True, True, id="no head at all"),
    ],
)
def test_which_answers_purge(status, declared, implicit):
    response = None if status is None else Response(status)
    expected = [Purge(("url:/plans/7",))]
    assert purges_for(write(), response, BOOK) == (expected if declared else [])
    # On the implicit route RFC 9111 section 4.4 alone: an error invalidates nothing.
    only = RuleBook("svc", implicit=IMPLICIT_ROUTE)
    assert purges_for(write(), response, only) == (expected if implicit else [])


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param(
            b"/plans/7?utm=1&b=2&a=1",
            {"url:/plans/7?a=1&b=2", "url:/plans/7?utm=1&b=2&a=1"},
            id="as each route knows it",
        ),
        pytest.param(b"/plans//%37", {"url:/plans//%37", "url:/plans/7"}, id="as a forgiving backend reads it"),
        pytest.param(b"/other", {"url:/other"}, id="what only the implicit route serves"),
        pytest.param(b"host:443", set(), id="no path"),
    ],
)
def test_the_target_is_purged(target, expected):
    names = {name for purge in purges_for(write(target), OK, OPEN) for name in purge.selectors}
    assert names == expected


def test_what_no_cached_route_serves_is_not_purged():
    assert not may_purge(write(b"/other"), BOOK)
    assert purges_for(write(b"/other"), OK, BOOK) == []


def test_a_write_that_a_forgiving_backend_understands_may_purge():
    assert may_purge(write(b"/plans//7"), BOOK)


@pytest.mark.parametrize("name", [b"Location", b"Content-Location"])
@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        pytest.param(b"/plans/8?b=2&a=1", "url:/plans/8?a=1&b=2", id="a path"),
        pytest.param(b"8", "url:/plans/8", id="relative"),
        pytest.param(b"", "url:/plans/7", id="the same document"),
        pytest.param(b"http://api.example/plans/8", "url:/plans/8", id="absolute"),
        pytest.param(b"https://API.example:443/plans/8#x", "url:/plans/8", id="absolute, over TLS"),
        pytest.param(b"//api.example/plans/8", "url:/plans/8", id="without a scheme"),
        pytest.param(b"http://other.example/plans/8", None, id="another host"),
        pytest.param(b"http://api.example:8080/plans/8", None, id="another port"),
        pytest.param(b"http://api.example.evil/plans/8", None, id="a host that begins like ours"),
        pytest.param(b"http://[/plans/8", None, id="nonsense"),
        pytest.param(b"mailto:a@b", None, id="another scheme"),
        pytest.param(b"/other", None, id="what no cached route serves"),
        pytest.param(b"http://api.example", None, id="a host alone"),
        pytest.param(b"/\xff", None, id="octets that are no text"),
    ],
)
def test_where_the_answer_points_is_purged_too(name, reference, expected):
    (purge,) = purges_for(write(), said((name, reference)), BOOK)
    assert set(purge.selectors) == {"url:/plans/7"} | ({expected} if expected else set())


def test_what_a_failed_write_points_to_is_purged_on_declared_routes_only():
    answer = said((b"Location", b"/elsewhere"), status=500)
    assert purges_for(write(), answer, OPEN) == [Purge(("url:/plans/7",))]


@pytest.mark.parametrize("status", [200, 404, 500])
def test_groups_are_purged_whatever_the_status(status):
    answer = said((b"Cache-Group-Invalidation", b'"g", "h"'), status=status)
    assert purges_for(write(b"/other"), answer, BOOK) == [Purge(("tag:g", "tag:h"))]


RULE = WriteRule(matches("PUT,DELETE /plans/{id}", "PUT /plans/{x}"))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param({"everything": True}, ["all"], id="everything"),
        pytest.param({"routes": ("plan",), "namespaces": ("ns",)}, ["route:plan", "ns:ns"], id="routes and namespaces"),
        pytest.param({"tags": texts("plans", "plan:{id}")}, ["tag:plans", "tag:plan:a+b"], id="tags"),
        pytest.param({"keys": texts("ns:v1:{id}")}, ["key:ns:v1:a+b"], id="logical keys"),
        pytest.param({"users": texts("{jwt.sub}", "{query.u}")}, ["user:u1", "user:u 2"], id="users"),
        pytest.param({"tags": texts("t:{header.x-tenant}")}, ["tag:t:acme"], id="a header"),
        pytest.param(
            {"tags": texts("{query.absent}", "{jwt.absent}", "ok")},
            ["tag:ok"],
            id="an absent value leaves its name out",
        ),
        pytest.param({"paths": texts("/old/{id}", "/old/{query.absent}")}, ["path:/old/a%2Bb"], id="paths"),
        pytest.param({"urls": texts("/plans/{id}?b={query.u}&a=1&utm=2")}, ["url:/plans/a%2Bb?a=1&b=u+2"], id="URLs"),
        pytest.param({"urls": texts("/plans/{query.evil}")}, ["url:/plans/x%3F*"], id="a value adds no query"),
        pytest.param(
            {"urls": texts("/plans/{query.nul}", "/plans/{query.absent}")}, [], id="a URL of which nothing is kept"
        ),
        pytest.param({"urls": texts("/plans/{id}?*")}, ["path:/plans/a%2Bb"], id="every query of a URL"),
        pytest.param({"patterns": ("plans:*", "p:*:7")}, ["pattern:plans:*", "pattern:p:*:7"], id="patterns"),
    ],
)
def test_what_a_rule_purges(rule, expected):
    rule = replace(RULE, matches=matches("PUT /w/{id}"), **rule)
    lines = (b"Authorization", TOKEN), (b"X-Tenant", b"acme")
    request = write(b"/w/a%2Bb?u=u+2&evil=x?*&nul=%00", *lines)
    found = purges_for(request, OK, replace(BOOK, writes=(rule,)))
    assert found == ([Purge(tuple(expected))] if expected else [])


def test_rules_keep_their_mode_and_what_they_do_without_a_store():
    soft = replace(RULE, tags=texts("a"), soft=True)
    strict = replace(RULE, tags=texts("a"), on_store_failure="refuse")
    book = RuleBook("svc", (ROUTE,), (soft, strict))
    answer = said((b"Cache-Group-Invalidation", b'"g"'))
    assert purges_for(write(), answer, book) == [
        Purge(("tag:g", "url:/plans/7")),
        Purge(("tag:a",), soft=True),
        Purge(("tag:a",), on_store_failure="refuse"),
    ]


def test_what_the_clock_purges_needs_no_request():
    rule = WriteRule((), tags=texts("a", "a"), urls=texts("/plans/7?b=2&a=1"), patterns=("plans:*",), soft=True)
    assert purge_of(rule, BOOK) == Purge(("pattern:plans:*", "tag:a", "url:/plans/7?a=1&b=2"), soft=True)


def test_a_rule_is_known_to_apply_before_the_answer():
    book = RuleBook("svc", writes=(RULE,))
    assert may_purge(write(), book)
    assert not may_purge(write(method=b"POST"), book)


def test_an_entry_is_found_by_the_names_that_a_write_gives_it():
    """A read's tag and a write's purge meet, however each spells its path."""
    read = Route(name="plan", matches=matches("GET /plans/{id:uuid}"), tags=texts("plan:{id}"))
    rule = WriteRule(matches("PUT /admin/plans/{id:uuid}"), tags=texts("plan:{id}"))
    uuid = b"123e4567-e89b-12d3-a456-42661417400A"
    book = RuleBook("svc", (read,), (rule,))
    reading = write(b"/plans/" + uuid, method=b"GET")
    key = key_for(reading, book.route_for(b"GET", reading.path), book)
    assert isinstance(key, Key)
    (purge,) = purges_for(write(b"/admin/plans/" + uuid.lower()), OK, book)
    assert set(purge.selectors) <= set(key.selectors)
