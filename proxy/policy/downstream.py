"""Lifetimes for the caches after this one: browsers, CDNs, and nobody where an answer is somebody's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.message import cachecontrol
from proxy.message.headers import list_elements

if TYPE_CHECKING:
    from proxy.message.cachecontrol import CacheControl
    from proxy.message.headers import Headers
    from proxy.policy.rules import Downstream, Route

POSITIVE: Final = frozenset({200, 203, 204, 206, 300, 301, 304, 308})
"""Statuses whose lifetime ``browser`` and ``cdn`` speak of: nobody means to keep a 404 or a 500 for a year."""

OWN: Final = (b"Cache-Control", b"private, no-cache")


def for_client(headers: Headers, route: Route, *, status: int, age: float) -> Headers:
    """Return response fields with the route's ``browser`` and ``cdn`` lifetimes.

    ``age`` (seconds) is what the answer's Age will say; it is added, so that the reader gets the whole lifetime. What
    the backend forbids to store or to reuse unasked stays as it is; so does all else without these settings.
    """
    if route.browser is None and route.cdn is None and route.scope != "credential":
        return headers
    said = cachecontrol.parse(headers.get_all(b"cache-control"))
    is_own = route.scope == "credential"
    cdn = None if is_own else route.cdn  # a CDN is given nothing that belongs to one credential
    if (route.browser is not None or cdn is not None) and status in POSITIVE and not _forbids(said, is_own=is_own):
        age = _whole_age(headers, age)
        if route.browser is not None:
            headers = _for_browser(headers, route.browser, said, age, is_own=is_own)
        return headers if cdn is None else _for_cdn(headers, cdn, age)
    if is_own and b"cache-control" not in headers and b"expires" not in headers:
        return headers.plus([OWN])
    return headers


def _forbids(said: CacheControl, *, is_own: bool) -> bool:
    """Has the backend said that others must not keep or reuse it? ``private`` means all but the one it is for."""
    return b"no-store" in said or b"no-cache" in said or (b"private" in said and not is_own)


def _for_browser(headers: Headers, browser: Downstream, said: CacheControl, age: int, *, is_own: bool) -> Headers:
    """Replace the backend's lifetime; of its other words those stay that make no one keep it longer."""
    directives = [b"private"] if is_own else []
    directives.append(b"max-age=%d" % (browser.max_age + age))
    directives += [name for name in (b"must-revalidate", b"no-transform") if name in said]
    if browser.immutable:
        directives.append(b"immutable")
    return headers.without({b"expires", b"pragma"}).with_field(b"Cache-Control", b", ".join(directives))


def _for_cdn(headers: Headers, cdn: Downstream, age: int) -> Headers:
    """Add the CDN's lifetime to what is said to browsers, or say it in the field for CDNs alone (RFC 9213)."""
    if cdn.targeted:
        return headers.with_field(b"CDN-Cache-Control", b"max-age=%d" % (cdn.max_age + age))
    others = [each for each in list_elements(headers, b"cache-control") if not each.lower().startswith(b"s-maxage")]
    return headers.with_field(b"Cache-Control", b", ".join([*others, b"s-maxage=%d" % (cdn.max_age + age)]))


def _whole_age(headers: Headers, age: float) -> int:
    """Return what the reader takes for the answer's age: an Age field of the backend's counts too."""
    sent = headers.get(b"age")
    return max(int(age), cachecontrol.delta_seconds(sent) or 0) if sent is not None else int(age)
