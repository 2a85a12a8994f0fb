"""May this response be stored, and what of it."""

from dataclasses import replace

import pytest

from proxy.message import dates
from proxy.message.headers import Headers
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.message.stored import LifetimeSource
from proxy.policy.rules import IMPLICIT_ROUTE, Credentials, Route
from proxy.policy.storing import UNDERSTOOD, may_store
from proxy.policy.verdicts import MARKED, Discard, DiscardReason, Keep

NOW = 1_750_000_000.0
DECLARED = Route("plans", ttl=300.0, negative_ttl=60.0)
OWN = replace(DECLARED, scope="credential")
R = DiscardReason

DATE = (b"Date", dates.render(NOW))
ETAG = (b"ETag", b'"x"')
DAY_OLD = (b"Last-Modified", dates.render(NOW - 86400))


def cc(value):
    return (b"Cache-Control", value)


def judged(*lines, route=IMPLICIT_ROUTE, status=200, method=b"GET", asked=(), delay=0.0):
    request = Request(method, b"/a?b=1", Headers(asked), b"api.example")
    response = Response(status, Headers([DATE, *lines]))
    return may_store(request, response, route, request_time=NOW - delay, response_time=NOW)


def reason(*lines, **rest):
    """Give the reason for a Discard, None for a Keep."""
    verdict = judged(*lines, **rest)
    assert isinstance(verdict, Keep | Discard)
    return verdict.reason if isinstance(verdict, Discard) else None


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([cc(b"max-age=60")], None, id="explicitly fresh"),
        pytest.param([DAY_OLD], None, id="heuristically fresh"),
        pytest.param([], R.NO_LIFETIME, id="neither"),
        pytest.param([ETAG], None, id="only a validator"),
        pytest.param([cc(b"max-age=0")], R.EXPIRED, id="stale at once"),
        pytest.param([cc(b"max-age=0"), ETAG], None, id="stale at once, with a validator"),
        pytest.param([cc(b"no-cache"), ETAG], None, id="no-cache with a validator"),
        pytest.param([cc(b"no-cache, max-age=60")], R.EXPIRED, id="no-cache without one"),
        pytest.param([cc(b"max-age=60, no-store")], R.NO_STORE, id="no-store"),
        pytest.param([cc(b"max-age=60, no-store, must-understand")], None, id="must-understand beside no-store"),
        pytest.param([cc(b"max-age=60, private")], R.PRIVATE, id="private"),
        pytest.param([cc(b'max-age=60, private="a"')], None, id="private for a field"),
        pytest.param([cc(b"max-age=60"), (b"Vary", b"a, *")], R.VARY, id="Vary: *"),
        pytest.param([cc(b"max-age=60"), (b"Vary", b"a,b,c,d,e,f,g,h,i")], R.VARY, id="nine fields in Vary"),
        pytest.param([cc(b"max-age=60"), (b"Set-Cookie", b"a=b")], None, id="a cookie with an explicit lifetime"),
        pytest.param([DAY_OLD, (b"Set-Cookie", b"a=b")], R.SET_COOKIE, id="a cookie with a guessed lifetime"),
        pytest.param([cc(b"no-cache"), ETAG, (b"Set-Cookie", b"a")], R.SET_COOKIE, id="a cookie to be validated"),
        pytest.param([cc(b"no-store"), (b"CDN-Cache-Control", b"max-age=60")], None, id="targeted against no-store"),
        pytest.param([cc(b"max-age=60"), (b"CDN-Cache-Control", b"no-store")], R.NO_STORE, id="targeted no-store"),
        pytest.param([cc(b"max-age=60"), (b"CDN-Cache-Control", b"private")], R.PRIVATE, id="targeted private"),
        pytest.param([cc(b"max-age=60"), (b"Pragma", b"no-cache")], None, id="Pragma means nothing here"),
    ],
)
def test_the_implicit_route(lines, expected):
    assert reason(*lines) is expected


@pytest.mark.parametrize(
    ("status", "lines", "expected"),
    [
        pytest.param(103, [cc(b"max-age=60")], R.STATUS, id="interim"),
        pytest.param(206, [cc(b"max-age=60")], R.STATUS, id="a part"),
        pytest.param(304, [cc(b"max-age=60")], R.STATUS, id="304"),
        pytest.param(599, [cc(b"max-age=60")], None, id="unknown, explicitly fresh"),
        pytest.param(599, [cc(b"max-age=60, must-understand")], R.NOT_UNDERSTOOD, id="unknown, to be understood"),
        pytest.param(599, [cc(b"max-age=60, no-store, must-understand")], R.NOT_UNDERSTOOD, id="and no-store"),
        pytest.param(404, [DAY_OLD], None, id="404 by a guess"),
        pytest.param(403, [DAY_OLD], R.NO_LIFETIME, id="403 not by a guess"),
        pytest.param(201, [ETAG], R.NO_LIFETIME, id="201 not to be validated"),
        pytest.param(599, [ETAG], R.NO_LIFETIME, id="unknown, not to be validated"),
        pytest.param(599, [ETAG, cc(b"public")], None, id="unknown, to be validated, public"),
        pytest.param(599, [DAY_OLD, cc(b"public")], None, id="unknown, by a guess, public"),
    ],
)
def test_statuses(status, lines, expected):
    assert reason(*lines, status=status) is expected


@pytest.mark.parametrize("status", [*range(207, 304), *range(305, 600), 999])
def test_any_other_final_status_is_stored_with_explicit_freshness(status):
    assert reason(cc(b"max-age=60"), status=status) is None
    understood = reason(cc(b"max-age=60, must-understand"), status=status) is None
    assert understood is (status in UNDERSTOOD)


@pytest.mark.parametrize(
    ("changes", "status", "lines", "expected"),
    [
        pytest.param({}, 200, [], None, id="the route's ttl"),
        pytest.param({}, 404, [], None, id="the route's negative_ttl"),
        pytest.param({"ttl": None}, 200, [], R.NO_LIFETIME, id="no ttl"),
        pytest.param({"ttl": None}, 200, [ETAG], R.NO_LIFETIME, id="no ttl, a validator"),
        pytest.param({}, 500, [], R.NO_LIFETIME, id="another status"),
        pytest.param({}, 500, [cc(b"max-age=5")], None, id="another status, by the backend's word"),
        pytest.param({}, 200, [cc(b"max-age=0")], R.EXPIRED, id="stale at once"),
        pytest.param({}, 200, [cc(b"no-cache")], R.EXPIRED, id="no-cache without a validator"),
        pytest.param({}, 200, [cc(b"no-cache"), ETAG], None, id="no-cache with one"),
        pytest.param({"override": True}, 200, [cc(b"no-store, max-age=9")], R.NO_STORE, id="no-store under override"),
        pytest.param({"override": True}, 200, [cc(b"private")], R.PRIVATE, id="private under override"),
        pytest.param({"override": True}, 200, [(b"Vary", b"*")], R.VARY, id="Vary: * under override"),
        pytest.param({"override": True}, 200, [cc(b"max-age=0")], None, id="max-age=0 under override"),
        pytest.param({}, 200, [(b"Set-Cookie", b"a=b")], R.SET_COOKIE, id="a cookie"),
        pytest.param({}, 200, [cc(b"max-age=9"), (b"Set-Cookie", b"a=b")], R.SET_COOKIE, id="an explicit one"),
        pytest.param({"set_cookie": "strip"}, 200, [(b"Set-Cookie", b"a=b")], None, id="a cookie, stripped"),
        pytest.param({"never_store": (b"set-*",)}, 200, [(b"Set-Cookie", b"a")], None, id="a cookie, never stored"),
        pytest.param({}, 200, [cc(b'no-cache="set-cookie"'), (b"Set-Cookie", b"a")], None, id="a cookie, by name"),
    ],
)
def test_declared_routes(changes, status, lines, expected):
    assert reason(*lines, route=replace(DECLARED, **changes), status=status) is expected


@pytest.mark.parametrize(
    ("content_type", "wanted", "expected"),
    [
        pytest.param(b"application/json", (b"application/json",), None, id="the same"),
        pytest.param(b"Application/JSON; charset=utf-8", (b"application/json",), None, id="in other letters"),
        pytest.param(b"text/html", (b"text/*",), None, id="of a kind"),
        pytest.param(b"text/html", (b"*/*",), None, id="any"),
        pytest.param(b"text/html", None, None, id="no list"),
        pytest.param(b"text/html", (b"application/json", b"image/*"), R.CONTENT_TYPE, id="another"),
        pytest.param(b"", (b"text/*",), R.CONTENT_TYPE, id="none"),
    ],
)
def test_content_types(content_type, wanted, expected):
    lines = [(b"Content-Type", content_type)] if content_type else []
    assert reason(*lines, route=replace(DECLARED, content_types=wanted)) is expected


AUTHORIZED = [(b"Authorization", b"Bearer x")]


@pytest.mark.parametrize(
    ("route", "cache_control", "expected"),
    [
        pytest.param(IMPLICIT_ROUTE, b"max-age=60", R.AUTHORIZATION, id="explicit freshness is not enough"),
        pytest.param(IMPLICIT_ROUTE, b"max-age=60, public", None, id="public"),
        pytest.param(IMPLICIT_ROUTE, b"max-age=60, must-revalidate", None, id="must-revalidate"),
        pytest.param(IMPLICIT_ROUTE, b"s-maxage=60", None, id="s-maxage"),
        pytest.param(DECLARED, b"max-age=60", R.AUTHORIZATION, id="a declared route that says nothing"),
        pytest.param(replace(DECLARED, authorization=Credentials.IGNORE), b"max-age=60", None, id="not sent on"),
        pytest.param(replace(DECLARED, key_headers=(b"authorization",)), b"max-age=60", None, id="keyed"),
        pytest.param(OWN, b"max-age=60", None, id="one copy per credential"),
    ],
)
def test_authorization(route, cache_control, expected):
    assert reason(cc(cache_control), route=route, asked=AUTHORIZED) is expected


def test_private_is_stored_for_its_credential_where_the_route_says_so():
    assert reason(cc(b"private"), route=OWN) is R.PRIVATE
    assert reason(cc(b"private"), route=replace(OWN, private="store")) is None


def test_nothing_is_guessed_for_a_request_with_a_cookie():
    assert judged(DAY_OLD).freshness.source is LifetimeSource.HEURISTIC
    assert judged(DAY_OLD, asked=[(b"Cookie", b"a=b")]).freshness.source is LifetimeSource.NONE


@pytest.mark.parametrize(
    ("method", "status", "lines", "expected"),
    [
        pytest.param(b"HEAD", 200, [], R.METHOD, id="HEAD"),
        pytest.param(b"PUT", 200, [(b"Content-Location", b"/a?b=1")], R.METHOD, id="PUT"),
        pytest.param(b"POST", 200, [], R.METHOD, id="POST"),
        pytest.param(b"POST", 200, [(b"Content-Location", b"/a?b=1")], R.METHOD, id="POST that names its own URI"),
    ],
)
def test_methods(method, status, lines, expected):
    assert reason(cc(b"max-age=60"), *lines, method=method, status=status) is expected


@pytest.mark.parametrize(
    ("asked", "route", "expected"),
    [
        pytest.param(b"no-store", IMPLICIT_ROUTE, R.REQUEST_NO_STORE, id="no-store, obeyed"),
        pytest.param(b"no-store", DECLARED, None, id="no-store, ignored"),
        pytest.param(b"no-cache", IMPLICIT_ROUTE, None, id="no-cache"),
    ],
)
def test_what_the_request_says_of_storing(asked, route, expected):
    assert reason(cc(b"max-age=60"), route=route, asked=[cc(asked)]) is expected


def test_what_is_kept():
    verdict = judged(
        cc(b"max-age=60"), ETAG, (b"Vary", b"B, a"), (b"Age", b"10"), (b"Connection", b"x"), (b"X", b"1"), delay=2.0
    )
    assert verdict.headers.lines == (DATE, cc(b"max-age=60"), ETAG, (b"Vary", b"B, a"))
    assert verdict.vary == (b"a", b"b")
    assert verdict.initial_age == 12
    assert verdict.seconds == 60 - 12 + 600
    assert (verdict.freshness.lifetime, verdict.freshness.source) == (60, LifetimeSource.MAX_AGE)


def test_what_came_too_old_to_be_used_is_not_kept():
    assert reason(cc(b"max-age=60"), (b"Age", b"90"), route=DECLARED) is R.EXPIRED
    assert reason(cc(b"max-age=60, stale-if-error=60"), (b"Age", b"90"), route=DECLARED) is None


@pytest.mark.parametrize("why", list(DiscardReason))
def test_a_mark_is_left_for_what_the_next_one_will_be_too(why):
    assert Discard(why).mark is (why in MARKED)


def test_the_reasons_that_leave_a_mark():
    assert {R.PRIVATE, R.NO_STORE, R.VARY, R.SET_COOKIE, R.TOO_LARGE} <= MARKED
    assert not MARKED & {R.METHOD, R.STATUS, R.NO_LIFETIME, R.EXPIRED, R.AUTHORIZATION, R.REQUEST_NO_STORE}


def test_an_event_stream_has_no_end_to_wait_for():
    assert reason((b"Content-Type", b"Text/Event-Stream; charset=utf-8"), route=DECLARED) is R.EVENT_STREAM
