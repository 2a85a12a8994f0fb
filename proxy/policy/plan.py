"""One verdict for a request and what was found for it (RFC 9111 section 4). Nothing is done here."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeGuard

from proxy.message import cachecontrol
from proxy.message.cachecontrol import NO_DIRECTIVES
from proxy.message.stored import StoredResponse, Uncacheable
from proxy.message.values import value
from proxy.policy.ahead import is_late
from proxy.policy.freshness import current_age, is_fresh, is_usable, remaining, stale_for
from proxy.policy.targeted import governing

if TYPE_CHECKING:
    from proxy.message.cachecontrol import CacheControl
    from proxy.message.headers import Headers
    from proxy.message.request import Request
    from proxy.message.selectors import Standing
    from proxy.policy.rules import Route

STALE_IF_ERROR_STATUSES: Final = frozenset({500, 502, 503, 504})  # RFC 5861 section 4


class Forward(StrEnum):
    """Why a request goes to the backend (RFC 9211 section 2.2)."""

    BYPASS = "bypass"
    METHOD = "method"
    URI_MISS = "uri-miss"
    VARY_MISS = "vary-miss"
    MISS = "miss"
    REQUEST = "request"
    STALE = "stale"
    PARTIAL = "partial"


@value(frozen=True, slots=True)
class ServeStored:
    """Answer with it as it is; it may be stale where the client said that it does not mind."""

    stored: StoredResponse


@value(frozen=True, slots=True)
class ServeStaleAndRefresh:
    """Answer with it and fetch a new one behind the answer (RFC 5861 section 3)."""

    stored: StoredResponse


@value(frozen=True, slots=True)
class ServeAndRefreshAhead:
    """Answer with it, fresh as it is, and fetch a new one behind the answer with this request's own credential."""

    stored: StoredResponse


@value(frozen=True, slots=True)
class Revalidate:
    """Ask the backend, under conditions where it has a validator; it may still be served if the backend fails.

    A HEAD goes to the backend as it is; ``validation.updated_by_head`` says what its answer means.
    """

    stored: StoredResponse
    reason: Forward


@value(frozen=True, slots=True)
class Fetch:
    """Ask the backend; with ``coalesce`` together with whoever asks for the same."""

    reason: Forward
    coalesce: bool = True


@value(frozen=True, slots=True)
class Refuse:
    """Answer with an error of ours."""

    status: int
    detail: str


Plan = ServeStored | ServeStaleAndRefresh | ServeAndRefreshAhead | Revalidate | Fetch | Refuse


def plan_for(  # noqa: PLR0913 - each a fact of its own
    request: Request,
    route: Route,
    found: StoredResponse | Uncacheable | None,
    standing: Standing,
    *,
    vary_miss: bool,
    now: float,
) -> Plan:
    """Decide what to do for a request that may be answered from the cache.

    ``found`` is the variant that the request selects, or a mark, or nothing; ``vary_miss`` says that other variants
    are stored.
    """
    plan = _plan(wishes(request, route), found, standing, vary_miss=vary_miss, now=now)
    if isinstance(plan, (ServeStored, ServeStaleAndRefresh)):
        is_own = isinstance(plan, ServeStored) and route.scope == "credential"
        if not is_own or not is_late(plan.stored, standing, now) or _only_if_cached(request.headers):
            return plan
        return ServeAndRefreshAhead(plan.stored)
    return Refuse(504, "only-if-cached") if _only_if_cached(request.headers) else plan


def _plan(
    wanted: CacheControl,
    found: StoredResponse | Uncacheable | None,
    standing: Standing,
    *,
    vary_miss: bool,
    now: float,
) -> Plan:
    if isinstance(found, Uncacheable):
        return Fetch(Forward.URI_MISS, coalesce=now >= found.until)
    if found is None or not is_usable(found, standing, now):
        return Fetch(Forward.VARY_MISS if vary_miss else Forward.URI_MISS)
    if wanted is not NO_DIRECTIVES:
        if b"no-store" in wanted:
            return Fetch(Forward.REQUEST, coalesce=False)
        if not _satisfies(wanted, found, now):
            return Revalidate(found, Forward.REQUEST)
    if _may_never_be_stale(found, wanted):
        fresh_enough = is_fresh(found, standing, now) and not found.freshness.always_validate
        return ServeStored(found) if fresh_enough else Revalidate(found, Forward.STALE)
    return _plan_by_staleness(wanted, found, standing, now)


def _plan_by_staleness(wanted: CacheControl, found: StoredResponse, standing: Standing, now: float) -> Plan:
    if is_fresh(found, standing, now):
        return ServeStored(found)
    stale = stale_for(found, standing, now)
    if stale < found.freshness.stale_while_revalidate:
        return ServeStaleAndRefresh(found)
    return ServeStored(found) if _client_accepts_stale(wanted, stale) else Revalidate(found, Forward.STALE)


def wishes(request: Request, route: Route) -> CacheControl:
    """Return the request directives that are obeyed: by the route's word, or because they are the sidecar's own.

    ``Pragma`` only without ``Cache-Control`` (section 5.4).
    """
    if route.client_control != "obey" and not request.unasked:
        return NO_DIRECTIVES
    name = b"cache-control" if b"cache-control" in request.headers else b"pragma"
    return cachecontrol.parse(request.headers.get_all(name))


def _only_if_cached(headers: Headers) -> bool:
    """Section 5.2.1.7, heard on every route."""
    return b"only-if-cached" in cachecontrol.parse(headers.get_all(b"cache-control"))


def _satisfies(wanted: CacheControl, found: StoredResponse, now: float) -> bool:
    """Sections 5.2.1.1, 5.2.1.3 and 5.2.1.4."""
    max_age, min_fresh = wanted.seconds(b"max-age"), wanted.seconds(b"min-fresh")
    if b"no-cache" in wanted:
        return False
    if max_age is not None and current_age(found, now) > max_age and not _is_immutable(found):
        return False
    return min_fresh is None or remaining(found, now) >= min_fresh


def _is_immutable(found: StoredResponse) -> bool:
    """RFC 8246 section 2: a reload does not ask for it again, while it is fresh."""
    return b"immutable" in governing(found.headers).directives


def _may_never_be_stale(found: StoredResponse, wanted: CacheControl) -> bool:
    """Section 4.2.4: forbidden by the response; or the client set limits of its own and no max-stale (5.2.1.1)."""
    if found.freshness.must_revalidate or found.freshness.always_validate:
        return True
    if wanted is NO_DIRECTIVES:
        return False
    return (b"max-age" in wanted or b"min-fresh" in wanted) and b"max-stale" not in wanted


def _client_accepts_stale(wanted: CacheControl, stale: float) -> bool:
    """Section 5.2.1.2: without an argument any staleness will do."""
    for limit in wanted.arguments(b"max-stale"):
        return limit is None or stale <= (wanted.seconds(b"max-stale") or 0)
    return False


def may_serve_blind(  # noqa: PLR0913 - as plan_for
    found: StoredResponse | Uncacheable | None,
    last_known: Standing | None,
    standing: Standing,
    request: Request,
    route: Route,
    *,
    now: float,
) -> TypeGuard[StoredResponse]:
    """Say whether ``found`` may be served while nobody can say what was purged meanwhile.

    It has to be fresh by the ``last_known`` purges (None: nothing is in doubt, so this is not the question). As it may
    have been purged at any time since, which ``standing`` counts as softly purged from then on, it is stale for all
    that anybody knows: so only within its stale-if-error window, and never where staleness is forbidden.
    """
    if last_known is None or not isinstance(found, StoredResponse) or not is_fresh(found, last_known, now):
        return False
    wanted = wishes(request, route)
    if b"no-store" in wanted or not _satisfies(wanted, found, now) or _may_never_be_stale(found, wanted):
        return False
    return stale_for(found, standing, now) < found.freshness.stale_if_error


def may_serve_on_error(  # noqa: PLR0913 - as plan_for
    stored: StoredResponse, standing: Standing, request: Request, route: Route, *, status: int | None, now: float
) -> bool:
    """Say whether ``stored`` may stand in for a backend that answered ``status``, or, with None, not at all.

    RFC 5861 section 4 by either side's stale-if-error; on the implicit route also for want of any answer (RFC 9111
    section 4.2.4).
    """
    wanted = wishes(request, route)
    if not is_usable(stored, standing, now) or _may_never_be_stale(stored, wanted) or b"no-cache" in wanted:
        return False
    if status is not None and status not in STALE_IF_ERROR_STATUSES:
        return False
    window = max(stored.freshness.stale_if_error, wanted.seconds(b"stale-if-error") or 0)
    return stale_for(stored, standing, now) < window or (status is None and route.implicit)
