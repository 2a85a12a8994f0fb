"""Which fields of a response are stored."""

from dataclasses import replace

import pytest

from proxy.message import cachecontrol, dates
from proxy.message.headers import Headers
from proxy.policy.hops import HOP_BY_HOP
from proxy.policy.rules import IMPLICIT_ROUTE, Route
from proxy.policy.trimming import keeps_private, kept_fields

NOW = 1_750_000_000.0
DATE = (b"Date", dates.render(NOW - 5))
DECLARED = Route("plans")
OWN = replace(DECLARED, scope="credential")


def names(lines, route=DECLARED, cache_control=b""):
    headers = Headers([DATE, *((name, b"1") for name in lines)])
    kept = kept_fields(headers, cachecontrol.parse([cache_control]), route, NOW)
    return [name for name, _ in kept if name != b"Date"]


@pytest.mark.parametrize("name", sorted(HOP_BY_HOP | {b"age", b"trailer", b"x-request-id"}))
def test_what_is_never_stored(name):
    assert names([name.title(), b"A"]) == [b"A"]


@pytest.mark.parametrize(
    "name",
    [b"Cache-Control", b"Content-Encoding", b"Content-Length", b"Content-Range", b"ETag", b"Set-Cookie", b"Warning"],
)
def test_all_else_is_stored_as_it_came(name):
    assert names([name], IMPLICIT_ROUTE) == [name]


def test_fields_that_connection_names():
    headers = Headers([DATE, (b"Connection", b"a, B"), (b"A", b"1"), (b"b", b"2"), (b"C", b"3")])
    assert kept_fields(headers, cachecontrol.NO_DIRECTIVES, DECLARED, NOW).names() == {b"date", b"c"}


@pytest.mark.parametrize(
    ("cache_control", "route", "kept"),
    [
        pytest.param(b'no-cache="a"', DECLARED, [b"B"], id="no-cache names a field"),
        pytest.param(b'private="a, b"', DECLARED, [], id="private names two"),
        pytest.param(b'private="a"', OWN, [b"B"], id="per credential, private refused"),
        pytest.param(b'private="a"', replace(OWN, private="store"), [b"A", b"B"], id="per credential, private stored"),
        pytest.param(b'no-cache="a"', replace(OWN, private="store"), [b"B"], id="no-cache holds even there"),
        pytest.param(b"private", DECLARED, [b"A", b"B"], id="unqualified: not about fields"),
    ],
)
def test_qualified_directives(cache_control, route, kept):
    assert names([b"A", b"B"], route, cache_control) == kept


@pytest.mark.parametrize(
    ("patterns", "kept"),
    [
        pytest.param((b"x-ratelimit-limit",), [b"X-RateLimit-Left", b"X-Rate"], id="a name"),
        pytest.param((b"x-ratelimit-*",), [b"X-Rate"], id="a pattern"),
        pytest.param((b"x-rate",), [b"X-RateLimit-Limit", b"X-RateLimit-Left"], id="a name is no prefix"),
        pytest.param((b"*",), [], id="everything"),
    ],
)
def test_never_store(patterns, kept):
    route = replace(DECLARED, never_store=patterns)
    lines = [b"X-RateLimit-Limit", b"X-RateLimit-Left", b"X-Rate"]
    assert names(lines, route) == kept


def test_set_cookie_is_stripped_where_the_route_says_so():
    lines = [b"Set-Cookie", b"Set-Cookie2", b"A"]
    assert names(lines) == lines
    assert names(lines, replace(DECLARED, set_cookie="strip")) == [b"A"]


@pytest.mark.parametrize(
    ("lines", "date"),
    [
        pytest.param([DATE], DATE[1], id="a valid Date stays"),
        pytest.param([], dates.render(NOW), id="a missing one is added"),
        pytest.param([(b"date", b"foo")], dates.render(NOW), id="an invalid one is replaced"),
    ],
)
def test_date(lines, date):
    kept = kept_fields(Headers(lines), cachecontrol.NO_DIRECTIVES, DECLARED, NOW)
    assert kept.get_all(b"date") == [date]


@pytest.mark.parametrize(
    ("scope", "private", "keeps"),
    [
        ("public", "refuse", False),
        ("public", "store", False),
        ("credential", "refuse", False),
        ("credential", "store", True),
    ],
)
def test_keeps_private(scope, private, keeps):
    assert keeps_private(replace(DECLARED, scope=scope, private=private)) is keeps


@pytest.mark.parametrize(
    ("route", "cache_control"),
    [
        pytest.param(Route(name="r", never_store=(b"date",)), b"", id="by name"),
        pytest.param(Route(name="r", never_store=(b"da*",)), b"", id="by its beginning"),
        pytest.param(DECLARED, b'no-cache="date"', id="by the backend's own word"),
    ],
)
def test_a_date_that_is_not_stored_is_replaced_by_the_time_of_receipt(route, cache_control):
    headers = Headers([(b"Date", b"Sun, 06 Nov 1994 08:49:37 GMT"), (b"A", b"1")])
    kept = kept_fields(headers, cachecontrol.parse([cache_control]), route, NOW)
    assert kept.lines == ((b"A", b"1"), (b"Date", dates.render(NOW)))
