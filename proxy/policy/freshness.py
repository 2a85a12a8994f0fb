"""Lifetimes, age and stale windows (RFC 9111 section 4.2, RFC 5861): how long a response may be used."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from proxy.message import dates
from proxy.message.cachecontrol import delta_seconds
from proxy.message.headers import list_elements
from proxy.message.stored import Freshness, LifetimeSource
from proxy.policy.targeted import governing

if TYPE_CHECKING:
    from proxy.message.cachecontrol import CacheControl
    from proxy.message.headers import Headers
    from proxy.message.response import Response
    from proxy.message.selectors import Standing
    from proxy.message.stored import StoredResponse
    from proxy.policy.rules import Route
    from proxy.policy.targeted import Policy

Lifetime = tuple[float, LifetimeSource]

# RFC 9110 section 15.1, without 206, which is never stored.
HEURISTICALLY_CACHEABLE: Final = frozenset({200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501})
ROUTE_TTL_STATUSES: Final = frozenset({200, 203, 204, 300, 301, 308})
NEGATIVE_STATUSES: Final = frozenset({404, 410})
EXPLICIT: Final = frozenset(
    {LifetimeSource.TARGETED, LifetimeSource.S_MAXAGE, LifetimeSource.MAX_AGE, LifetimeSource.EXPIRES}
)
FIRST_ERROR: Final = 400

HEURISTIC_FRACTION: Final = 0.1  # what RFC 9111 section 4.2.2 calls typical
HEURISTIC_AT_MOST: Final = 86400.0  # a page from last century is not worth a decade, a day is what nobody misses

# Past its lifetime an entry still saves a body by a 304, or a request while the backend is away: about as long again
# as it was fresh, at least so long that a poller of some minutes meets it, at most a day.
KEPT_AT_LEAST: Final = 600.0
KEPT_AT_MOST: Final = 86400.0


def freshness_of(
    response: Response,
    route: Route,
    *,
    response_time: float,
    request_had_cookie: bool = False,
    policy: Policy | None = None,
) -> Freshness:
    """Decide, once, how long a response may be used fresh and stale (RFC 9111 section 4.2, interface.md "Rules").

    ``policy`` is the response's, where it is known already.
    """
    policy = policy or governing(response.headers)
    lifetime, source = _lifetime(response, route, policy, response_time, guess=not request_had_cookie)
    always = policy.directives.unqualified(b"no-cache")
    must = always or _never_stale(policy.directives, source)
    windows = (0.0, 0.0) if must else _stale_windows(policy.directives, response.status, lifetime, route)
    return Freshness(lifetime, source, *windows, must_revalidate=must, always_validate=always)


def _lifetime(response: Response, route: Route, policy: Policy, response_time: float, *, guess: bool) -> Lifetime:
    """RFC 9111 section 4.2.1: the first that applies, with the route's own word where the backend is silent."""
    configured = _configured(response.status, route)
    if configured is not None and route.override:
        return configured
    explicit = _explicit(response.headers, policy, response_time)
    if explicit is not None:
        return explicit
    if configured is not None:
        return configured
    if route.implicit and guess:
        return _heuristic(response, policy, response_time)
    return 0.0, LifetimeSource.NONE


def _configured(status: int, route: Route) -> Lifetime | None:
    if status in route.statuses:
        return route.statuses[status], LifetimeSource.STATUS
    if status in ROUTE_TTL_STATUSES and route.ttl is not None:
        return route.ttl, LifetimeSource.ROUTE
    if status in NEGATIVE_STATUSES and route.negative_ttl is not None:
        return route.negative_ttl, LifetimeSource.NEGATIVE
    return None


def _explicit(headers: Headers, policy: Policy, response_time: float) -> Lifetime | None:
    """s-maxage, max-age, Expires, in this order (section 4.2.1); none of a targeted field's neighbours counts."""
    for name, source in ((b"s-maxage", LifetimeSource.S_MAXAGE), (b"max-age", LifetimeSource.MAX_AGE)):
        seconds = policy.directives.seconds(name)
        if seconds is not None:
            return float(seconds), LifetimeSource.TARGETED if policy.targeted else source
    if policy.targeted or b"expires" not in headers:
        return None
    return _until_expires(headers, response_time), LifetimeSource.EXPIRES


def _until_expires(headers: Headers, response_time: float) -> float:
    """Expires minus Date, 0 for anything that is not one valid date (section 5.3)."""
    values = headers.get_all(b"expires")
    expires = dates.parse(values[0], response_time) if len(values) == 1 else None
    return max(0.0, expires - date_of(headers, response_time)) if expires is not None else 0.0


def _heuristic(response: Response, policy: Policy, response_time: float) -> Lifetime:
    """Take a tenth of the time since the last change (section 4.2.2), never for an answer that sets a cookie."""
    nothing = 0.0, LifetimeSource.NONE
    if response.status not in HEURISTICALLY_CACHEABLE and b"public" not in policy.directives:
        return nothing
    modified = dates.parse(response.headers.get(b"last-modified") or b"", response_time)
    if modified is None or b"set-cookie" in response.headers:
        return nothing
    unchanged = date_of(response.headers, response_time) - modified
    return min(max(0.0, unchanged * HEURISTIC_FRACTION), HEURISTIC_AT_MOST), LifetimeSource.HEURISTIC


def _never_stale(directives: CacheControl, source: LifetimeSource) -> bool:
    """Sections 5.2.2.2, 5.2.2.8 and 5.2.2.10: s-maxage only while it is what gives the lifetime, not when overridden."""
    if b"must-revalidate" in directives or b"proxy-revalidate" in directives:
        return True
    return b"s-maxage" in directives and source in EXPLICIT


def _stale_windows(directives: CacheControl, status: int, lifetime: float, route: Route) -> tuple[float, float]:
    """RFC 5861 sections 3 and 4 where the response says so, else the route's, stale-while-revalidate first.

    The route's are for what is worth having twice: no error, and nothing that a backend gave a lifetime of 0.
    """
    worth_it = status < FIRST_ERROR and lifetime > 0
    revalidate = directives.seconds(b"stale-while-revalidate")
    error = directives.seconds(b"stale-if-error")
    return (
        float(revalidate) if revalidate is not None else worth_it * route.stale_while_revalidate,
        float(error) if error is not None else worth_it * route.stale_if_error,
    )


def date_of(headers: Headers, response_time: float) -> float:
    """Return Date, or the time of receipt where it is missing or invalid (RFC 9110 section 6.6.1)."""
    value = headers.get(b"date")
    date = None if value is None else dates.parse(value, response_time)
    return response_time if date is None else date


def age_value(headers: Headers) -> int:
    """Return the first member of Age, 0 where it is missing or no number (RFC 9111 section 5.1)."""
    if b"age" not in headers:
        return 0
    members = list_elements(headers, b"age")
    return (delta_seconds(members[0]) or 0) if members else 0


def initial_age(headers: Headers, *, request_time: float, response_time: float) -> float:
    """Return corrected_initial_age in seconds (RFC 9111 section 4.2.3)."""
    # Date counts whole seconds: against the fraction of our own clock it would look up to a second older than it is.
    apparent_age = max(0.0, math.floor(response_time) - date_of(headers, response_time))
    response_delay = max(0.0, response_time - request_time)
    return max(apparent_age, age_value(headers) + response_delay)


def current_age(stored: StoredResponse, now: float) -> float:
    """Return current_age in seconds (RFC 9111 section 4.2.3)."""
    return stored.initial_age + max(0.0, now - stored.response_time)


def remaining(stored: StoredResponse, now: float) -> float:
    """Return seconds of freshness left, below 0 when stale; never beyond the end of its credential."""
    left = stored.freshness.lifetime - current_age(stored, now)
    ends = stored.expires_with_credential
    return left if ends is None else min(left, ends - now)


def lifetime_ends(stored: StoredResponse) -> float:
    """Return the wall-clock time at which its age reaches its lifetime; its credential may end before."""
    return stored.response_time + stored.freshness.lifetime - stored.initial_age


def stale_for(stored: StoredResponse, standing: Standing, now: float) -> float:
    """Return seconds since it went stale, by age or by a soft purge, whichever came first; 0 or less while fresh."""
    by_age = current_age(stored, now) - stored.freshness.lifetime
    return by_age if standing.soft_since is None else max(by_age, now - standing.soft_since)


def is_usable(stored: StoredResponse, standing: Standing, now: float) -> bool:
    """Say whether the entry is there at all: not purged, and its credential has not ended."""
    ends = stored.expires_with_credential
    return not standing.purged and (ends is None or now < ends)


def is_fresh(stored: StoredResponse, standing: Standing, now: float) -> bool:
    """Section 4.2, response_is_fresh; a soft purge ends freshness. Says nothing of ``always_validate``."""
    return is_usable(stored, standing, now) and standing.soft_since is None and remaining(stored, now) > 0


def store_seconds(freshness: Freshness, age: float, has_validator: bool, *, implicit: bool = False) -> float:  # noqa: FBT001 - one fact of three
    """Return how long a store keeps it, counted from now; 0 or less: it could never be used.

    The freshness left, then the longer of the stale window and the time in which it may still be validated. Without
    a validator only the implicit route keeps it on, for a backend that is away (RFC 9111 section 4.2.4).
    """
    again = has_validator or (implicit and freshness.lifetime > 0 and not freshness.must_revalidate)
    kept = min(max(freshness.lifetime, KEPT_AT_LEAST), KEPT_AT_MOST) if again else 0.0
    fresh = 0.0 if freshness.always_validate and not has_validator else freshness.lifetime - age
    return fresh + max(freshness.stale_while_revalidate, freshness.stale_if_error, kept)
