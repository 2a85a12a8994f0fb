"""May this response be stored, and what of it (RFC 9111 section 3).

The obstacles are asked in the order of the RFC's text; the first one that speaks decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.message import cachecontrol
from proxy.message.headers import media_type
from proxy.message.stored import LifetimeSource
from proxy.message.values import value
from proxy.policy.freshness import EXPLICIT, HEURISTICALLY_CACHEABLE, freshness_of, initial_age, store_seconds
from proxy.policy.rules import Credentials
from proxy.policy.targeted import governing
from proxy.policy.trimming import COOKIES, keeps_private, kept_fields
from proxy.policy.validation import has_validator
from proxy.policy.vary import fields_named
from proxy.policy.verdicts import Discard, DiscardReason, Keep

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.message.cachecontrol import CacheControl
    from proxy.message.headers import Headers
    from proxy.message.request import Request
    from proxy.message.response import Response
    from proxy.message.stored import Freshness
    from proxy.policy.rules import Route

# The final statuses of RFC 9110 section 15, but for 206 and 304, which mean something only to those who combine.
UNDERSTOOD: Final = frozenset(
    {200, 201, 202, 203, 204, 205}
    | {300, 301, 302, 303, 305, 307, 308}
    | {400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 426}
    | {500, 501, 502, 503, 504, 505}
)
NEVER_STORED: Final = frozenset({206, 304})
FIRST_FINAL: Final = 200


@value(frozen=True, slots=True)
class _Case:
    request: Request
    response: Response
    route: Route
    directives: CacheControl
    freshness: Freshness
    kept: Headers
    varies: tuple[bytes, ...] | None

    @property
    def explicit(self) -> bool:
        return self.freshness.source in EXPLICIT


def may_store(
    request: Request, response: Response, route: Route, *, request_time: float, response_time: float
) -> Keep | Discard:
    """Judge a response head; ``request`` is the one that was sent for it, times are wall-clock seconds."""
    policy = governing(response.headers)
    directives, had_cookie = policy.directives, b"cookie" in request.headers
    freshness = freshness_of(response, route, response_time=response_time, request_had_cookie=had_cookie, policy=policy)
    kept = kept_fields(response.headers, directives, route, response_time)
    varies = fields_named(response.headers)
    case = _Case(request, response, route, directives, freshness, kept, varies)
    for obstacle, reason in _OBSTACLES:
        if obstacle(case):
            return Discard(reason)
    age = initial_age(response.headers, request_time=request_time, response_time=response_time)
    seconds = store_seconds(freshness, age, has_validator(response.headers), implicit=route.implicit)
    if seconds <= 0:
        return Discard(DiscardReason.EXPIRED)
    return Keep(kept, freshness, varies or (), age, seconds)


def _asked_for_no_store(request: Request, route: Route) -> bool:
    """RFC 9111 section 5.2.1.5."""
    if route.client_control != "obey" or b"cache-control" not in request.headers:
        return False
    return b"no-store" in cachecontrol.parse(request.headers.get_all(b"cache-control"))


def _method_has_no_cache(case: _Case) -> bool:
    """Section 3, first item."""
    return case.request.method != b"GET"


def _status_is_never_stored(case: _Case) -> bool:
    """Section 3, second item, and 206, which this cache does not combine (section 3.3)."""
    return case.response.status < FIRST_FINAL or case.response.status in NEVER_STORED


def _must_be_understood_and_is_not(case: _Case) -> bool:
    """Section 5.2.2.3."""
    return b"must-understand" in case.directives and case.response.status not in UNDERSTOOD


def _request_forbids(case: _Case) -> bool:
    return _asked_for_no_store(case.request, case.route)


def _response_forbids(case: _Case) -> bool:
    """Section 5.2.2.5; who understands the status ignores no-store beside must-understand (section 5.2.2.3)."""
    return b"no-store" in case.directives and b"must-understand" not in case.directives


def _is_private(case: _Case) -> bool:
    """Section 5.2.2.7."""
    return case.directives.unqualified(b"private") and not keeps_private(case.route)


def _is_for_one_credential(case: _Case) -> bool:
    """Section 3.5, unless the route does not send the credential on, keys it, or keeps a copy per credential."""
    route = case.route
    if b"authorization" not in case.request.headers or route.scope == "credential":
        return False
    if route.authorization is Credentials.IGNORE or b"authorization" in route.key_headers:
        return False
    return not any(name in case.directives for name in (b"public", b"must-revalidate", b"s-maxage"))


def _nothing_permits(case: _Case) -> bool:
    """Section 3, last item: no lifetime from anyone; the implicit route may still keep it to validate it."""
    if case.freshness.source is not LifetimeSource.NONE:
        return False
    by_default = case.response.status in HEURISTICALLY_CACHEABLE or b"public" in case.directives
    return not (case.route.implicit and by_default and has_validator(case.response.headers))


def _varies_on_everything(case: _Case) -> bool:
    """Section 4.1, third paragraph."""
    return case.varies is None


def _sets_a_cookie(case: _Case) -> bool:
    """Section 7.3: no obstacle by itself, so the implicit route asks for an explicit lifetime, others for ``strip``."""
    if not case.response.headers.has_any(COOKIES):
        return False
    return case.kept.has_any(COOKIES) and not (case.route.implicit and case.explicit)


def _has_no_end(case: _Case) -> bool:
    return media_type(case.response.headers) == b"text/event-stream"


def _has_another_content_type(case: _Case) -> bool:
    wanted = case.route.content_types
    if wanted is None:
        return False
    media = media_type(case.response.headers)
    return not {media, media.partition(b"/")[0] + b"/*", b"*/*"} & set(wanted)


_OBSTACLES: Final[tuple[tuple[Callable[[_Case], bool], DiscardReason], ...]] = (
    (_method_has_no_cache, DiscardReason.METHOD),
    (_status_is_never_stored, DiscardReason.STATUS),
    (_must_be_understood_and_is_not, DiscardReason.NOT_UNDERSTOOD),
    (_request_forbids, DiscardReason.REQUEST_NO_STORE),
    (_response_forbids, DiscardReason.NO_STORE),
    (_is_private, DiscardReason.PRIVATE),
    (_is_for_one_credential, DiscardReason.AUTHORIZATION),
    (_varies_on_everything, DiscardReason.VARY),
    (_sets_a_cookie, DiscardReason.SET_COOKIE),
    (_has_no_end, DiscardReason.EVENT_STREAM),
    (_has_another_content_type, DiscardReason.CONTENT_TYPE),
    (_nothing_permits, DiscardReason.NO_LIFETIME),
)
