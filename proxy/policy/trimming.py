"""What of a response head is stored (RFC 9111 section 3.1)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from proxy.message import dates
from proxy.message.headers import Headers
from proxy.policy.hops import HOP_BY_HOP, of_this_hop

if TYPE_CHECKING:
    from proxy.message.cachecontrol import CacheControl
    from proxy.policy.rules import Route

# Reckoned anew for each answer; of one request; a promise of fields that are not stored.
OF_ONE_ANSWER: Final = frozenset({b"age", b"trailer", b"x-request-id"})
COOKIES: Final = frozenset({b"set-cookie", b"set-cookie2"})


def kept_fields(headers: Headers, directives: CacheControl, route: Route, response_time: float) -> Headers:
    """Return the field lines to store, with the time of receipt where ``Date`` is missing or invalid."""
    dropped, beginnings = _never_kept(route.never_store, keeps_cookies=route.set_cookie != "strip")
    if (here := of_this_hop(headers)) is not HOP_BY_HOP:
        dropped |= here
    if directives:
        dropped |= directives.fields(b"no-cache")
        if not keeps_private(route):
            dropped |= directives.fields(b"private")
    kept = [
        line for line in headers.lines if (name := line[0].lower()) not in dropped and not name.startswith(beginnings)
    ]
    # RFC 9110 section 6.6.1: what is cached has a valid Date.
    is_dated = b"date" in headers and b"date" not in dropped and not b"date".startswith(beginnings)
    if not is_dated or dates.parse(headers.get(b"date") or b"", response_time) is None:
        kept = [line for line in kept if line[0].lower() != b"date"]
        kept.append((b"Date", dates.render(response_time)))
    return Headers(kept)


def keeps_private(route: Route) -> bool:
    """Say whether the route keeps one copy per credential and stores what is private to it (interface.md section 2)."""
    return route.scope == "credential" and route.private == "store"


@lru_cache(maxsize=1024)  # one for each route of the last few reloads; nothing here comes from clients
def _never_kept(patterns: tuple[bytes, ...], *, keeps_cookies: bool) -> tuple[frozenset[bytes], tuple[bytes, ...]]:
    """Return the names that are never stored, and the beginnings of such names."""
    beginnings = tuple(pattern[:-1] for pattern in patterns if pattern.endswith(b"*"))
    return HOP_BY_HOP | OF_ONE_ANSWER | frozenset(patterns) | (frozenset() if keeps_cookies else COOKIES), beginnings
