"""One verdict for a request and what was found for it."""

from dataclasses import replace

import pytest

from proxy.message.headers import Headers
from proxy.message.request import Request
from proxy.message.selectors import IN_FORCE, PURGED, Seq, Standing
from proxy.message.stored import Freshness, LifetimeSource, StoredResponse, Uncacheable
from proxy.policy.plan import (
    Fetch,
    Forward,
    Refuse,
    Revalidate,
    ServeAndRefreshAhead,
    ServeStaleAndRefresh,
    ServeStored,
    may_serve_blind,
    may_serve_on_error,
    plan_for,
)
from proxy.policy.rules import IMPLICIT_ROUTE, Route

NOW = 1_750_000_000.0
DECLARED = Route("plans")
MISS = Fetch(Forward.URI_MISS)


def entry(age=0.0, *lines, lifetime=60.0, ends=None, **freshness):
    return StoredResponse(
        status=200,
        reason=b"OK",
        headers=Headers(lines),
        body=b"",
        request_time=NOW,
        response_time=NOW,
        initial_age=age,
        freshness=Freshness(lifetime, LifetimeSource.MAX_AGE, **freshness),
        selectors=(),
        seq=Seq("e", 1),
        expires_with_credential=ends,
    )


def asking(cache_control=None, *lines):
    own = [] if cache_control is None else [(b"Cache-Control", cache_control)]
    return Request(b"GET", b"/", Headers([*own, *lines]), b"a")


def planned(found, *, standing=IN_FORCE, asked=None, route=IMPLICIT_ROUTE, vary_miss=False):
    request = asking(asked)
    return plan_for(request, route, found, standing, vary_miss=vary_miss, now=NOW)


FRESH = entry(10.0)


def test_what_the_sidecar_asks_for_itself_is_obeyed_on_every_route():
    for unasked, plan in ((False, ServeStored(FRESH)), (True, Revalidate(FRESH, Forward.REQUEST))):
        request = replace(asking(b"min-fresh=51"), unasked=unasked)
        assert plan_for(request, DECLARED, FRESH, IN_FORCE, vary_miss=False, now=NOW) == plan


STALE = entry(70.0)
GRACE = entry(70.0, stale_while_revalidate=30.0)
MUST = {"must_revalidate": True}
NO_CACHE = {"must_revalidate": True, "always_validate": True}
SOFT = Standing(soft_since=NOW - 5)


@pytest.mark.parametrize(
    ("found", "standing", "plan"),
    [
        pytest.param(FRESH, IN_FORCE, ServeStored(FRESH), id="fresh"),
        pytest.param(STALE, IN_FORCE, Revalidate(STALE, Forward.STALE), id="stale"),
        pytest.param(GRACE, IN_FORCE, ServeStaleAndRefresh(GRACE), id="stale within the window"),
        pytest.param(
            out := entry(90.0, stale_while_revalidate=30.0),
            IN_FORCE,
            Revalidate(out, Forward.STALE),
            id="stale at the end of the window",
        ),
        pytest.param(
            strict := entry(70.0, stale_while_revalidate=30.0, **MUST),
            IN_FORCE,
            Revalidate(strict, Forward.STALE),
            id="stale, a window, and must-revalidate",
        ),
        pytest.param(kept := entry(10.0, **MUST), IN_FORCE, ServeStored(kept), id="fresh and must-revalidate"),
        pytest.param(
            asks := entry(10.0, **NO_CACHE), IN_FORCE, Revalidate(asks, Forward.STALE), id="fresh and no-cache"
        ),
        pytest.param(None, IN_FORCE, MISS, id="nothing"),
        pytest.param(FRESH, PURGED, MISS, id="purged"),
        pytest.param(entry(10.0, ends=NOW), IN_FORCE, MISS, id="its credential has ended"),
        pytest.param(
            entry(70.0, ends=NOW - 1, stale_while_revalidate=30.0), IN_FORCE, MISS, id="in a window, credential ended"
        ),
        pytest.param(FRESH, SOFT, Revalidate(FRESH, Forward.STALE), id="soft-purged"),
        pytest.param(
            soft := entry(10.0, stale_while_revalidate=30.0),
            SOFT,
            ServeStaleAndRefresh(soft),
            id="soft-purged within the window that runs from then",
        ),
        pytest.param(
            soft,
            Standing(soft_since=NOW - 30),
            Revalidate(soft, Forward.STALE),
            id="soft-purged longer ago than the window",
        ),
        pytest.param(
            hard := entry(10.0, stale_while_revalidate=30.0, **MUST),
            SOFT,
            Revalidate(hard, Forward.STALE),
            id="soft-purged and must-revalidate",
        ),
        pytest.param(Uncacheable("private", NOW + 1), IN_FORCE, Fetch(Forward.URI_MISS, coalesce=False), id="a mark"),
        pytest.param(Uncacheable("private", NOW), IN_FORCE, MISS, id="a mark that has run out"),
    ],
)
@pytest.mark.parametrize("route", [IMPLICIT_ROUTE, DECLARED], ids=["implicit", "declared"])
def test_without_a_word_from_the_client(found, standing, plan, route):
    assert planned(found, standing=standing, route=route) == plan


def test_other_variants_are_a_vary_miss():
    assert planned(None, vary_miss=True) == Fetch(Forward.VARY_MISS)


AGED = entry(10.0, (b"Cache-Control", b"max-age=60, immutable"))


@pytest.mark.parametrize(
    ("asked", "found", "plan"),
    [
        pytest.param(b"unheard-of", FRESH, ServeStored(FRESH), id="an unknown word"),
        pytest.param(b"no-cache", FRESH, Revalidate(FRESH, Forward.REQUEST), id="no-cache"),
        pytest.param(b"no-store", FRESH, Fetch(Forward.REQUEST, coalesce=False), id="no-store"),
        pytest.param(b"max-age=10", FRESH, ServeStored(FRESH), id="young enough"),
        pytest.param(b"max-age=9", FRESH, Revalidate(FRESH, Forward.REQUEST), id="too old"),
        pytest.param(b"max-age=x", FRESH, Revalidate(FRESH, Forward.REQUEST), id="a broken number is 0"),
        pytest.param(b"max-age=0", AGED, ServeStored(AGED), id="a reload of what is immutable"),
        pytest.param(b"no-cache", AGED, Revalidate(AGED, Forward.REQUEST), id="a forced reload of it"),
        pytest.param(b"max-age=99", GRACE, Revalidate(GRACE, Forward.STALE), id="max-age wants nothing stale"),
        pytest.param(b"min-fresh=50", FRESH, ServeStored(FRESH), id="fresh enough"),
        pytest.param(b"min-fresh=51", FRESH, Revalidate(FRESH, Forward.REQUEST), id="not fresh enough"),
        pytest.param(b"min-fresh=0", GRACE, Revalidate(GRACE, Forward.REQUEST), id="min-fresh wants nothing stale"),
        pytest.param(b"max-stale=10", STALE, ServeStored(STALE), id="not too stale"),
        pytest.param(b"max-stale=9", STALE, Revalidate(STALE, Forward.STALE), id="too stale"),
        pytest.param(b"max-stale", STALE, ServeStored(STALE), id="however stale"),
        pytest.param(b"max-stale=x", STALE, Revalidate(STALE, Forward.STALE), id="a broken limit is 0"),
        pytest.param(b"max-stale=10, max-age=99", STALE, ServeStored(STALE), id="max-age with max-stale"),
        pytest.param(b"max-stale", GRACE, ServeStaleAndRefresh(GRACE), id="max-stale within the window"),
        pytest.param(
            b"max-stale", m := entry(70.0, **MUST), Revalidate(m, Forward.STALE), id="max-stale and must-revalidate"
        ),
        pytest.param(
            b"max-stale", n := entry(10.0, **NO_CACHE), Revalidate(n, Forward.STALE), id="max-stale and no-cache"
        ),
    ],
)
def test_what_the_client_says_where_the_route_obeys(asked, found, plan):
    assert planned(found, asked=asked) == plan
    unheard = planned(found, asked=asked, route=DECLARED)
    assert unheard == planned(found, route=DECLARED)


@pytest.mark.parametrize(
    ("found", "standing", "plan"),
    [
        pytest.param(FRESH, IN_FORCE, ServeStored(FRESH), id="fresh"),
        pytest.param(GRACE, IN_FORCE, ServeStaleAndRefresh(GRACE), id="stale within the window"),
        pytest.param(STALE, IN_FORCE, None, id="stale"),
        pytest.param(None, IN_FORCE, None, id="nothing"),
        pytest.param(FRESH, PURGED, None, id="purged"),
        pytest.param(Uncacheable("private", NOW + 9), IN_FORCE, None, id="a mark"),
        pytest.param(entry(10.0, **NO_CACHE), IN_FORCE, None, id="to be validated"),
    ],
)
@pytest.mark.parametrize("route", [IMPLICIT_ROUTE, DECLARED], ids=["implicit", "declared"])
def test_only_if_cached(found, standing, plan, route):
    refused = Refuse(504, "only-if-cached")
    assert planned(found, standing=standing, asked=b"only-if-cached", route=route) == (plan or refused)


def test_only_if_cached_with_another_wish():
    assert planned(FRESH, asked=b"only-if-cached, no-cache") == Refuse(504, "only-if-cached")


@pytest.mark.parametrize(
    ("request_", "route", "plan"),
    [
        pytest.param(
            asking(None, (b"Pragma", b"no-cache")), IMPLICIT_ROUTE, Revalidate(FRESH, Forward.REQUEST), id="it"
        ),
        pytest.param(
            asking(None, (b"Pragma", b"foo, no-cache")),
            IMPLICIT_ROUTE,
            Revalidate(FRESH, Forward.REQUEST),
            id="in a list",
        ),
        pytest.param(
            asking(b"x", (b"Pragma", b"no-cache")), IMPLICIT_ROUTE, ServeStored(FRESH), id="Cache-Control too"
        ),
        pytest.param(asking(None, (b"Pragma", b"foo")), IMPLICIT_ROUTE, ServeStored(FRESH), id="another word"),
        pytest.param(asking(None, (b"Pragma", b"no-cache")), DECLARED, ServeStored(FRESH), id="where it is ignored"),
    ],
)
def test_pragma(request_, route, plan):
    assert plan_for(request_, route, FRESH, IN_FORCE, vary_miss=False, now=NOW) == plan


WINDOW = entry(70.0, stale_if_error=30.0)


@pytest.mark.parametrize(
    ("stored", "standing", "status", "implicit", "declared"),
    [
        pytest.param(WINDOW, IN_FORCE, 503, True, True, id="within the window"),
        pytest.param(WINDOW, IN_FORCE, None, True, True, id="within the window, no answer"),
        pytest.param(entry(90.0, stale_if_error=30.0), IN_FORCE, 503, False, False, id="at its end"),
        pytest.param(entry(90.0, stale_if_error=30.0), IN_FORCE, None, True, False, id="at its end, no answer"),
        pytest.param(STALE, IN_FORCE, 503, False, False, id="no window"),
        pytest.param(STALE, IN_FORCE, None, True, False, id="no window, no answer"),
        pytest.param(FRESH, IN_FORCE, 503, True, True, id="still fresh"),
        pytest.param(WINDOW, SOFT, 503, True, True, id="soft-purged within the window"),
        pytest.param(
            entry(10.0, stale_if_error=5.0), SOFT, 503, False, False, id="soft-purged longer ago than the window"
        ),
        pytest.param(WINDOW, PURGED, None, False, False, id="purged"),
        pytest.param(entry(70.0, stale_if_error=30.0, ends=NOW), IN_FORCE, None, False, False, id="credential ended"),
        pytest.param(entry(70.0, **MUST), IN_FORCE, None, False, False, id="must-revalidate"),
        pytest.param(entry(10.0, **NO_CACHE), IN_FORCE, None, False, False, id="no-cache"),
    ],
)
def test_a_backend_that_fails(stored, standing, status, implicit, declared):
    for route, may in ((IMPLICIT_ROUTE, implicit), (DECLARED, declared)):
        assert may_serve_on_error(stored, standing, asking(), route, status=status, now=NOW) is may


@pytest.mark.parametrize("status", [200, 401, 403, 404, 410, 429, 500, 501, 502, 503, 504, 505, 599])
def test_which_statuses_are_errors(status):
    may = may_serve_on_error(WINDOW, IN_FORCE, asking(), DECLARED, status=status, now=NOW)
    assert may is (status in {500, 502, 503, 504})


@pytest.mark.parametrize(
    ("asked", "stored", "implicit", "declared"),
    [
        pytest.param(b"no-cache", WINDOW, False, True, id="no-cache"),
        pytest.param(b"max-age=99", WINDOW, False, True, id="max-age"),
        pytest.param(b"max-age=99, max-stale", WINDOW, True, True, id="max-age with max-stale"),
        pytest.param(b"stale-if-error=30", STALE, True, False, id="the client's own window"),
        pytest.param(b"stale-if-error=10", STALE, False, False, id="too short a window of its own"),
        pytest.param(b"stale-if-error=5", WINDOW, True, True, id="a shorter one narrows nothing"),
    ],
)
def test_what_the_client_says_of_errors(asked, stored, implicit, declared):
    for route, may in ((IMPLICIT_ROUTE, implicit), (DECLARED, declared)):
        assert may_serve_on_error(stored, IN_FORCE, asking(asked), route, status=503, now=NOW) is may


BLIND = Standing(soft_since=NOW - 20)  # nobody has heard of purges for 20 s
HOT = entry(10.0, stale_if_error=30.0)


@pytest.mark.parametrize(
    ("found", "last_known", "may"),
    [
        pytest.param(HOT, IN_FORCE, True, id="fresh, within its window"),
        pytest.param(HOT, None, False, id="nothing is in doubt"),
        pytest.param(HOT, PURGED, False, id="purged as far as is known"),
        pytest.param(HOT, SOFT, False, id="softly purged as far as is known"),
        pytest.param(entry(70.0, stale_if_error=90.0), IN_FORCE, False, id="stale by age: the backend is asked"),
        pytest.param(entry(10.0, stale_if_error=20.0), IN_FORCE, False, id="blind for as long as its window"),
        pytest.param(FRESH, IN_FORCE, False, id="without a window"),
        pytest.param(entry(10.0, stale_if_error=30.0, **MUST), IN_FORCE, False, id="must-revalidate"),
        pytest.param(entry(10.0, stale_if_error=30.0, **NO_CACHE), IN_FORCE, False, id="no-cache"),
        pytest.param(entry(10.0, stale_if_error=30.0, ends=NOW), IN_FORCE, False, id="its credential has ended"),
        pytest.param(Uncacheable("private", NOW + 9), IN_FORCE, False, id="a mark"),
        pytest.param(None, IN_FORCE, False, id="nothing"),
    ],
)
def test_while_nobody_knows_what_was_purged(found, last_known, may):
    assert may_serve_blind(found, last_known, BLIND, asking(), DECLARED, now=NOW) is may


@pytest.mark.parametrize(
    ("asked", "may"),
    [
        (b"no-cache", False),
        (b"no-store", False),
        (b"max-age=99", False),
        (b"max-age=99, max-stale", True),
        (b"min-fresh=9", False),
    ],
)
def test_what_the_client_says_of_that(asked, may):
    assert may_serve_blind(HOT, IN_FORCE, BLIND, asking(asked), DECLARED, now=NOW) is True
    assert may_serve_blind(HOT, IN_FORCE, BLIND, asking(asked), IMPLICIT_ROUTE, now=NOW) is may


def test_the_words_of_rfc_9211():
    words = {"bypass", "method", "uri-miss", "vary-miss", "miss", "request", "stale", "partial"}
    assert {word.value for word in Forward} == words


def test_time_is_an_argument():
    stored = replace(FRESH, response_time=NOW - 49)
    plans = [plan_for(asking(), DECLARED, stored, IN_FORCE, vary_miss=False, now=NOW + later) for later in (0, 1, 2)]
    assert plans == [ServeStored(stored), Revalidate(stored, Forward.STALE), Revalidate(stored, Forward.STALE)]


@pytest.mark.parametrize(
    ("route", "age", "asked", "plan"),
    [
        pytest.param(Route("own", scope="credential"), 55.0, None, ServeAndRefreshAhead, id="a user's own, late"),
        pytest.param(Route("own", scope="credential"), 53.0, None, ServeStored, id="a user's own, in time"),
        pytest.param(DECLARED, 55.0, None, ServeStored, id="everybody's"),
        pytest.param(Route("own", scope="credential"), 55.0, b"only-if-cached", ServeStored, id="from the cache alone"),
        pytest.param(
            Route("own", scope="credential", client_control="obey"),
            70.0,
            b"max-stale",
            ServeStored,
            id="over, accepted",
        ),
    ],
)
def test_a_late_hit_on_a_user_s_own_entry_refreshes_it(route, age, asked, plan):
    found = entry(age)
    assert planned(found, route=route, asked=asked) == plan(found)
