"""What of a response head is stored (RFC 9111 section 3.1)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from proxy.message import dates
from proxy.policy.hops import of_this_hop

if TYPE_CHECKING:
    from proxy.message.cachecontrol import CacheControl
    from proxy.message.headers import Headers
    from proxy.policy.rules import Route

# Reckoned anew for each answer; of one request; a promise of fields that are not stored.
OF_ONE_ANSWER: Final = frozenset({b"age", b"trailer", b"x-request-id"})
COOKIES: Final = frozenset({b"set-cookie", b"set-cookie2"})


def kept_fields(headers: Headers, directives: CacheControl, route: Route, response_time: float) -> Headers:
    """Return the field lines to store, with the time of receipt where ``Date`` is missing or invalid."""
    dropped = of_this_hop(headers) | OF_ONE_ANSWER | directives.fields(b"no-cache")
    if not keeps_private(route):
        dropped |= directives.fields(b"private")
    if route.set_cookie == "strip":
        dropped |= COOKIES
    names, beginnings = _never_stored(route.never_store)
    dropped |= names
    kept = headers.keeping(lambda name: name not in dropped and not name.startswith(beginnings))
    return _dated(kept, response_time)


def keeps_private(route: Route) -> bool:
    """Say whether the route keeps one copy per credential and stores what is private to it (interface.md section 2)."""
    return route.scope == "credential" and route.private == "store"


@lru_cache(maxsize=1024)  # one for each route of the last few reloads; nothing here comes from clients
def _never_stored(patterns: tuple[bytes, ...]) -> tuple[frozenset[bytes], tuple[bytes, ...]]:
    """Return the names that are never stored, and the beginnings of such names."""
    beginnings = tuple(pattern[:-1] for pattern in patterns if pattern.endswith(b"*"))
    return frozenset(patterns), beginnings


def _dated(headers: Headers, response_time: float) -> Headers:
    """RFC 9110 section 6.6.1: what is cached has a valid Date."""
    if dates.parse(headers.get(b"date") or b"", response_time) is not None:
        return headers
    return headers.with_field(b"Date", dates.render(response_time))
