"""Lifetimes, age and stale windows."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.message import dates
from proxy.message.headers import Headers
from proxy.message.response import Response
from proxy.message.selectors import IN_FORCE, PURGED, Seq, Standing
from proxy.message.stored import Freshness, LifetimeSource, StoredResponse
from proxy.policy.freshness import (
    HEURISTICALLY_CACHEABLE,
    KEPT_AT_LEAST,
    KEPT_AT_MOST,
    age_value,
    current_age,
    freshness_of,
    initial_age,
    is_fresh,
    is_usable,
    remaining,
    stale_for,
    store_seconds,
)
from proxy.policy.rules import IMPLICIT_ROUTE, Route

NOW = 1_750_000_000.0
DECLARED = Route("plans", ttl=300.0, negative_ttl=60.0, stale_while_revalidate=30.0, stale_if_error=3600.0)
S = LifetimeSource


def at(offset):
    return dates.render(NOW + offset)


def fields(**named):
    """Give a field for each keyword, several for a list; underscores are hyphens, numbers are dates from NOW."""
    lines = []
    for name, values in named.items():
        for value in values if isinstance(values, list) else [values]:
            text = at(value) if isinstance(value, int) else value.encode()
            lines.append((name.replace("_", "-").encode(), text))
    return Headers(lines)


def decided(route, status=200, *, cookie=False, **named):
    response = Response(status, fields(**named))
    return freshness_of(response, route, response_time=NOW, request_had_cookie=cookie)


DAY_OLD = {"date": 0, "last_modified": -86400}


@pytest.mark.parametrize(
    ("named", "lifetime", "source"),
    [
        pytest.param({"cache_control": "max-age=60"}, 60, S.MAX_AGE, id="max-age"),
        pytest.param({"cache_control": "max-age=60, s-maxage=1"}, 1, S.S_MAXAGE, id="s-maxage before a longer max-age"),
        pytest.param({"cache_control": "max-age=0, s-maxage=9", "expires": -9}, 9, S.S_MAXAGE, id="s-maxage first"),
        pytest.param({"cache_control": ["max-age=60", "s-maxage=1"]}, 1, S.S_MAXAGE, id="on two lines"),
        pytest.param({"cache_control": "max-age=60", "expires": -9, "date": 0}, 60, S.MAX_AGE, id="a past Expires"),
        pytest.param({"cache_control": "max-age=60", "expires": "0"}, 60, S.MAX_AGE, id="an invalid Expires"),
        pytest.param({"cache_control": "max-age=0", "expires": 60}, 0, S.MAX_AGE, id="max-age=0, a future Expires"),
        pytest.param({"cache_control": "max-age=-5", "expires": 60}, 0, S.MAX_AGE, id="a negative max-age"),
        pytest.param({"cache_control": "max-age=99999999999"}, 2**31, S.MAX_AGE, id="more seconds than count"),
        pytest.param({"expires": 60, "date": 0}, 60, S.EXPIRES, id="Expires"),
        pytest.param({"expires": 60}, 60, S.EXPIRES, id="Expires without Date"),
        pytest.param({"expires": 60, "date": "foo"}, 60, S.EXPIRES, id="Expires with an invalid Date"),
        pytest.param({"expires": 0, "date": 0}, 0, S.EXPIRES, id="Expires now"),
        pytest.param({"expires": 300, "date": 400}, 0, S.EXPIRES, id="Expires before Date"),
        pytest.param({"expires": "0", "date": 0}, 0, S.EXPIRES, id="Expires: 0"),
        pytest.param({"expires": [60, 61], "date": 0}, 0, S.EXPIRES, id="two lines of Expires"),
        pytest.param(DAY_OLD, 8640, S.HEURISTIC, id="a tenth of the time since Last-Modified"),
        pytest.param({"last_modified": -86400}, 8640, S.HEURISTIC, id="the same without Date"),
        pytest.param({"date": 0, "last_modified": 60}, 0, S.HEURISTIC, id="Last-Modified ahead of Date"),
        pytest.param({"date": 0, "last_modified": -(10**8)}, 86400, S.HEURISTIC, id="at most a day"),
        pytest.param({"date": 0, "last_modified": "old"}, 0, S.NONE, id="an invalid Last-Modified"),
        pytest.param(DAY_OLD | {"set_cookie": "a=b"}, 0, S.NONE, id="no guess for what sets a cookie"),
        pytest.param({"date": 0}, 0, S.NONE, id="nothing to go by"),
        pytest.param({"cdn_cache_control": "max-age=9", "cache_control": "max-age=60"}, 9, S.TARGETED, id="targeted"),
        pytest.param({"cdn_cache_control": "s-maxage=9"}, 9, S.TARGETED, id="targeted s-maxage"),
        pytest.param({"surrogate_control": "max-age=9", "expires": 60}, 9, S.TARGETED, id="Surrogate-Control"),
        pytest.param({"cdn_cache_control": "public", "expires": 60}, 0, S.NONE, id="targeted: no Expires"),
    ],
)
def test_lifetime_on_the_implicit_route(named, lifetime, source):
    freshness = decided(IMPLICIT_ROUTE, **named)
    assert (freshness.lifetime, freshness.source) == (lifetime, source)
    assert (freshness.stale_while_revalidate, freshness.stale_if_error) == (0, 0)


@pytest.mark.parametrize("status", range(200, 600))
def test_only_the_statuses_of_rfc_9110_are_guessed_at(status):
    freshness = decided(IMPLICIT_ROUTE, status, **DAY_OLD)
    assert (freshness.source is S.HEURISTIC) is (status in HEURISTICALLY_CACHEABLE)
    assert decided(IMPLICIT_ROUTE, status, cache_control="public", **DAY_OLD).source is S.HEURISTIC


def test_nothing_is_guessed_for_a_request_with_a_cookie():
    assert decided(IMPLICIT_ROUTE, cookie=True, **DAY_OLD).source is S.NONE
    assert decided(IMPLICIT_ROUTE, cookie=True, cache_control="max-age=60").lifetime == 60


@pytest.mark.parametrize(
    ("changes", "status", "named", "lifetime", "source"),
    [
        pytest.param({}, 200, {}, 300, S.ROUTE, id="the route's where the backend is silent"),
        pytest.param({}, 308, {}, 300, S.ROUTE, id="for a redirect that stays"),
        pytest.param({}, 302, {}, 0, S.NONE, id="not for another redirect"),
        pytest.param({}, 404, {}, 60, S.NEGATIVE, id="negative_ttl for 404"),
        pytest.param({}, 410, {}, 60, S.NEGATIVE, id="negative_ttl for 410"),
        pytest.param({}, 500, {}, 0, S.NONE, id="nothing for 500"),
        pytest.param({}, 500, {"cache_control": "max-age=5"}, 5, S.MAX_AGE, id="but the backend's own word"),
        pytest.param({}, 200, {"cache_control": "max-age=5"}, 5, S.MAX_AGE, id="the backend's word comes first"),
        pytest.param({}, 200, DAY_OLD, 300, S.ROUTE, id="no guessing"),
        pytest.param({"ttl": None}, 200, DAY_OLD, 0, S.NONE, id="no ttl, no lifetime"),
        pytest.param({"negative_ttl": None}, 404, {}, 0, S.NONE, id="no negative_ttl, no lifetime"),
        pytest.param({"statuses": {302: 9.0}}, 302, {}, 9, S.STATUS, id="statuses"),
        pytest.param({"statuses": {404: 9.0}}, 404, {}, 9, S.STATUS, id="statuses before negative_ttl"),
        pytest.param({"override": True}, 200, {"cache_control": "s-maxage=5"}, 300, S.ROUTE, id="override"),
        pytest.param({"override": True}, 200, {"expires": 5}, 300, S.ROUTE, id="override of Expires"),
        pytest.param({"override": True}, 404, {"cache_control": "max-age=5"}, 60, S.NEGATIVE, id="override for 404"),
        pytest.param({"override": True}, 500, {"cache_control": "max-age=5"}, 5, S.MAX_AGE, id="no override for 500"),
    ],
)
def test_lifetime_on_a_declared_route(changes, status, named, lifetime, source):
    freshness = decided(replace(DECLARED, **changes), status, **named)
    assert (freshness.lifetime, freshness.source) == (lifetime, source)


@pytest.mark.parametrize(
    ("status", "cache_control", "windows"),
    [
        pytest.param(200, "", (30, 3600), id="the route's where the backend is silent"),
        pytest.param(200, "max-age=5", (30, 3600), id="the route's beside a lifetime"),
        pytest.param(200, "max-age=5, stale-while-revalidate=9", (9, 3600), id="the backend's first of two"),
        pytest.param(200, "max-age=5, stale-if-error=9", (30, 9), id="the backend's second of two"),
        pytest.param(200, "max-age=5, stale-while-revalidate=0, stale-if-error=0", (0, 0), id="none by its word"),
        pytest.param(200, "max-age=5, stale-while-revalidate=x", (0, 3600), id="a broken number is 0"),
        pytest.param(200, "max-age=0", (0, 0), id="none for what is stale at once"),
        pytest.param(200, "max-age=0, stale-while-revalidate=9", (9, 0), id="unless the backend says so"),
        pytest.param(404, "", (0, 0), id="none for a 404"),
        pytest.param(500, "max-age=5", (0, 0), id="none for a 500"),
        pytest.param(500, "max-age=5, stale-if-error=9", (0, 9), id="unless the backend says so of an error"),
    ],
)
def test_stale_windows(status, cache_control, windows):
    freshness = decided(DECLARED, status, **({"cache_control": cache_control} if cache_control else {}))
    assert (freshness.stale_while_revalidate, freshness.stale_if_error) == windows
    assert not freshness.must_revalidate


@pytest.mark.parametrize(
    ("cache_control", "override", "must", "always"),
    [
        pytest.param("max-age=5, must-revalidate", False, True, False, id="must-revalidate"),
        pytest.param("max-age=5, proxy-revalidate", False, True, False, id="proxy-revalidate"),
        pytest.param("s-maxage=5", False, True, False, id="s-maxage"),
        pytest.param("s-maxage=5, stale-while-revalidate=9", False, True, False, id="s-maxage against a window"),
        pytest.param("no-cache", False, True, True, id="no-cache"),
        pytest.param("no-cache, stale-if-error=9", False, True, True, id="no-cache against a window"),
        pytest.param('no-cache="a"', False, False, False, id="no-cache of some fields only"),
        pytest.param("max-age=5", False, False, False, id="none of them"),
        pytest.param("s-maxage=5", True, False, False, id="s-maxage replaced by override"),
        pytest.param("max-age=5, must-revalidate", True, True, False, id="must-revalidate holds under override"),
        pytest.param("no-cache", True, True, True, id="no-cache holds under override"),
    ],
)
def test_what_is_never_served_stale(cache_control, override, must, always):
    freshness = decided(replace(DECLARED, override=override), cache_control=cache_control)
    assert (freshness.must_revalidate, freshness.always_validate) == (must, always)
    if must:
        assert (freshness.stale_while_revalidate, freshness.stale_if_error) == (0, 0)


@pytest.mark.parametrize(
    ("lines", "age"),
    [
        pytest.param([], 0, id="absent"),
        pytest.param(["30"], 30, id="a number"),
        pytest.param(["abc"], 0, id="no number"),
        pytest.param(["-7200"], 0, id="negative"),
        pytest.param(["7200.0"], 0, id="a fraction"),
        pytest.param(["7200;foo=1"], 0, id="a parameter"),
        pytest.param(["7200, 0"], 7200, id="the first of a list"),
        pytest.param(["0, 7200"], 0, id="the first of a list, the younger"),
        pytest.param(["7200", "0"], 7200, id="the first of two lines"),
        pytest.param(["0", "7200"], 0, id="the first of two lines, the younger"),
        pytest.param(["2147483649"], 2**31, id="more than counts"),
        pytest.param([""], 0, id="empty"),
    ],
)
def test_age_field(lines, age):
    assert age_value(fields(age=lines)) == age


@pytest.mark.parametrize(
    ("named", "asked", "heard", "age"),
    [
        pytest.param({"date": 0}, 0, 0, 0, id="at once"),
        pytest.param({}, 0, 0, 0, id="without Date"),
        pytest.param({"date": 0}, -2.5, 0, 2.5, id="the delay counts"),
        pytest.param({"date": 0, "age": "30"}, -2.5, 0, 32.5, id="on top of Age"),
        pytest.param({"date": -60}, 0, 0, 60, id="an old Date"),
        pytest.param({"date": -60, "age": "30"}, 0, 0, 60, id="the greater of Age and an old Date"),
        pytest.param({"date": -10, "age": "25"}, 0, 0, 25, id="the greater of both, Age"),
        pytest.param({"date": 60}, 0, 0, 0, id="a Date ahead of us"),
        pytest.param({"date": 0}, 0.9, 0.9, 0, id="a fraction of a second is not age"),
        pytest.param({"date": "foo"}, 0, 0, 0, id="an invalid Date"),
        pytest.param({"date": 0}, 5, 0, 0, id="a clock that was set back"),
    ],
)
def test_initial_age(named, asked, heard, age):
    assert initial_age(fields(**named), request_time=NOW + asked, response_time=NOW + heard) == age


def entry(lifetime=60.0, *, age=0.0, ends=None, **windows):
    return StoredResponse(
        status=200,
        reason=b"OK",
        headers=Headers(),
        body=b"",
        request_time=NOW,
        response_time=NOW,
        initial_age=age,
        freshness=Freshness(lifetime, S.MAX_AGE, **windows),
        selectors=(),
        seq=Seq("e", 1),
        expires_with_credential=ends,
    )


@pytest.mark.parametrize(
    ("stored", "standing", "later", "fresh", "left", "stale"),
    [
        pytest.param(entry(), IN_FORCE, 0, True, 60, -60, id="new"),
        pytest.param(entry(), IN_FORCE, 59.9, True, 0.1, -0.1, id="just before its end"),
        pytest.param(entry(), IN_FORCE, 60, False, 0, 0, id="at its end"),
        pytest.param(entry(age=50.0), IN_FORCE, 15, False, -5, 5, id="it came aged"),
        pytest.param(entry(), IN_FORCE, -5, True, 60, -60, id="a clock that was set back"),
        pytest.param(entry(0.0), IN_FORCE, 0, False, 0, 0, id="no lifetime"),
        pytest.param(entry(), Standing(soft_since=NOW + 10), 15, False, 45, 5, id="soft-purged"),
        pytest.param(entry(), Standing(soft_since=NOW + 90), 100, False, -40, 40, id="soft-purged when stale"),
        pytest.param(entry(), PURGED, 0, False, 60, -60, id="purged"),
        pytest.param(entry(ends=NOW + 20), IN_FORCE, 15, True, 5, -45, id="its credential is about to end"),
        pytest.param(entry(ends=NOW + 20), IN_FORCE, 20, False, 0, -40, id="its credential has ended"),
    ],
)
def test_an_entry_in_time(stored, standing, later, fresh, left, stale):
    assert is_fresh(stored, standing, NOW + later) is fresh
    assert remaining(stored, NOW + later) == pytest.approx(left)
    assert stale_for(stored, standing, NOW + later) == pytest.approx(stale)


@pytest.mark.parametrize(
    ("stored", "standing", "usable"),
    [
        pytest.param(entry(), IN_FORCE, True, id="in force"),
        pytest.param(entry(0.0), IN_FORCE, True, id="stale"),
        pytest.param(entry(), Standing(soft_since=NOW), True, id="soft-purged"),
        pytest.param(entry(), PURGED, False, id="purged"),
        pytest.param(entry(ends=NOW), IN_FORCE, False, id="its credential has ended"),
        pytest.param(entry(ends=NOW + 1), IN_FORCE, True, id="its credential holds"),
    ],
)
def test_is_usable(stored, standing, usable):
    assert is_usable(stored, standing, NOW) is usable


@pytest.mark.parametrize(
    ("freshness", "age", "has_validator", "implicit", "seconds"),
    [
        pytest.param(Freshness(60, S.MAX_AGE), 0, False, False, 60, id="freshness alone"),
        pytest.param(Freshness(60, S.MAX_AGE), 20, False, False, 40, id="less its age"),
        pytest.param(Freshness(60, S.MAX_AGE), 60, False, False, 0, id="of no use"),
        pytest.param(Freshness(60, S.MAX_AGE, 30, 90), 0, False, False, 150, id="the longer window"),
        pytest.param(Freshness(60, S.MAX_AGE, 90, 30), 0, False, False, 150, id="the longer window, the other one"),
        pytest.param(Freshness(60, S.MAX_AGE), 0, True, False, 60 + KEPT_AT_LEAST, id="a validator"),
        pytest.param(Freshness(3600, S.MAX_AGE), 0, True, False, 7200, id="as long again as it was fresh"),
        pytest.param(Freshness(10**6, S.MAX_AGE), 0, True, False, 10**6 + KEPT_AT_MOST, id="at most a day more"),
        pytest.param(Freshness(60, S.MAX_AGE, 0, 9000), 0, True, False, 9060, id="a window beyond that"),
        pytest.param(Freshness(60, S.MAX_AGE), 0, False, True, 60 + KEPT_AT_LEAST, id="the implicit route"),
        pytest.param(Freshness(0, S.MAX_AGE), 0, False, True, 0, id="the implicit route, never fresh"),
        pytest.param(Freshness(60, S.S_MAXAGE, 0, 0, True), 0, False, True, 60, id="the implicit route, never stale"),
        pytest.param(Freshness(60, S.MAX_AGE, 0, 0, True, True), 0, False, True, 0, id="no-cache without a validator"),
        pytest.param(Freshness(0, S.NONE, 0, 0, True, True), 0, True, True, KEPT_AT_LEAST, id="no-cache with one"),
    ],
)
def test_store_seconds(freshness, age, has_validator, implicit, seconds):
    assert store_seconds(freshness, age, has_validator, implicit=implicit) == seconds


SECONDS = st.floats(min_value=0, max_value=1e9, allow_nan=False)


@given(SECONDS, SECONDS, st.integers(0, 2**31), st.integers(-(10**6), 10**6))
def test_age_never_falls_below_what_was_stated_or_seen(delay, later, stated, offset):
    headers = fields(age=str(stated), date=offset)
    age = initial_age(headers, request_time=NOW - delay, response_time=NOW)
    assert age >= stated + delay - 0.001
    assert age >= -offset
    stored = entry(age=age)
    assert current_age(stored, NOW + later) == pytest.approx(age + later)
    assert current_age(stored, NOW + later) >= current_age(stored, NOW)


@given(SECONDS, SECONDS, SECONDS, st.none() | SECONDS)
def test_fresh_and_stale_exclude_each_other(lifetime, age, later, soft):
    stored, now = entry(lifetime, age=age), NOW + later
    standing = Standing(soft_since=None if soft is None else NOW + soft)
    if is_fresh(stored, standing, now):
        assert remaining(stored, now) > 0
        assert stale_for(stored, standing, now) <= 0
    elif soft is None:
        assert remaining(stored, now) <= 0 <= stale_for(stored, standing, now)
