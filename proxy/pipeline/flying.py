"""Asking the backend together: who leads a flight, who follows, and what each of them gets.

1. The first to miss starts the flight and leads it. Those who miss meanwhile follow.
2. The landing fits a follower when its Vary does, and when nothing of it was purged between the position that the
   flight's look had read (S0) and the one that the follower's own look had read.
3. Whom it does not fit takes the flight of its own variant, or the next one after the purge.
4. What may not be shared is the leader's alone; the followers ask for themselves, at once, not in a queue.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, assert_never

from proxy.fetch.flights import Failed, Flight, Handed, Landing, Shared
from proxy.message.cachestatus import CacheStatus
from proxy.message.errors import OriginError, StoreError
from proxy.message.response import Response
from proxy.observe.events import Outcome
from proxy.pipeline import render
from proxy.pipeline.fill import Crew
from proxy.pipeline.lookup import HIT_IN, Looked, stand
from proxy.pipeline.passing import content_of
from proxy.pipeline.reply import Answer, Facts
from proxy.pipeline.solo import set_out
from proxy.policy import freshness, keys, plan, vary
from proxy.policy.plan import Forward

if TYPE_CHECKING:
    from proxy.message.body import Body
    from proxy.message.stored import StoredResponse
    from proxy.pipeline.parts import Parts
    from proxy.pipeline.visit import Quest, Visit

MOST_FLIGHTS_TRIED: Final = 3
"""How many flights a follower tries before it asks for itself: the first, its variant's, and one after a purge."""


def refresh(parts: Parts, visit: Visit, looked: Looked) -> None:
    """Start the one refresh behind a stale answer; where one is under way already, nothing is to do."""
    if parts.flights.under_way(looked.place.digest) is None:
        parts.flights.start(looked.place.digest, Crew(parts, replace(visit, interim=None)).fly, leader=False)


def refresh_ahead(parts: Parts, visit: Visit, looked: Looked, stored: StoredResponse) -> None:
    """Start the one refresh of a copy that will end soon, with this visit's own credential."""
    if parts.tried.is_first(looked.place.digest, stored.response_time):
        refresh(parts, visit, looked)


async def fly(parts: Parts, quest: Quest) -> Answer:
    """Answer from a flight, led or followed. Raises OriginError."""
    digest, refused = quest.looked.place.digest, None
    for _ in range(MOST_FLIGHTS_TRIED):
        flight = parts.flights.under_way(digest)
        if flight is None or flight is refused:
            crew = Crew(parts, quest.visit, still_so(parts, quest))
            flight = parts.flights.start(digest, crew.fly, leader=True, set_out=partial(set_out, crew))
            return await led(parts, quest, flight, await flight.lead())
        if quest.reason is Forward.REQUEST:
            break  # the client asked for the backend's word, and that flight set out before it asked
        if parts.flights.is_full(flight):
            raise OriginError("too many requests wait for the same response", 503, retry_after=1)
        came_late = flight.is_over
        landing = await flight.follow()
        if isinstance(landing, Failed):
            return _failed(parts, quest, landing.error)
        if isinstance(landing, Handed):
            if _may_be_stale(parts, quest, landing.answered):
                return _stale(parts, quest, landing.answered)
            break
        answer = await _followed(parts, quest, landing, came_late=came_late)
        if answer is not None:
            return answer
        refused, digest = flight, _next_place(quest, landing)
    return await fly_alone(parts, quest)


def still_so(parts: Parts, quest: Quest) -> Looked | None:
    """Return what the quest's own look found, if a second one could only find the same: nobody here has saved since."""
    looked = quest.looked
    digest, flights = looked.place.digest, parts.flights
    is_shared = looked.tier == parts.store.name and not looked.failed and looked.last_known is None
    is_first = flights.under_way(digest) is None and not flights.ended_lately(digest)
    return looked if is_shared and is_first else None


async def fly_alone(parts: Parts, quest: Quest) -> Answer:
    """Answer from a flight that nobody else can join. Raises OriginError."""
    crew = Crew(parts, quest.visit, still_so(parts, quest))
    digest = quest.looked.place.digest
    flight = parts.flights.start_alone(digest, crew.fly, leader=True, set_out=partial(set_out, crew))
    return await led(parts, quest, flight, await flight.lead())


def _next_place(quest: Quest, landing: Shared) -> str:
    """Return where a follower belongs whom a landing did not fit: its own variant's place."""
    known = quest.looked.vary.fields if quest.looked.vary is not None else ()
    union = tuple(sorted({*known, *(name for name, _ in landing.draft.vary)}))
    if not union:
        return quest.looked.place.digest
    return keys.variant(quest.visit.key, vary.selecting(union, quest.visit.asked)).digest


async def led(parts: Parts, quest: Quest, flight: Flight, landing: Landing) -> Answer:
    """Answer the one who started the flight."""
    match landing:
        case Failed(error):
            return _failed(parts, quest, error)
        case Handed(reply):
            if _may_be_stale(parts, quest, reply.response.status):
                await reply.body.aclose()
                return _stale(parts, quest, reply.response.status)
            return await _handed(parts, quest, landing)
        case Shared():
            body = flight.leader_body
            assert body is not None
            code = landing.response.status
            if _may_be_stale(parts, quest, code):
                await body.aclose()
                return _stale(parts, quest, code)
            return await _from_flight(parts, quest, landing, body, leading=True)
        case _:
            assert_never(landing)


async def _followed(parts: Parts, quest: Quest, landing: Shared, *, came_late: bool) -> Answer | None:
    """Answer a follower, or None where the landing is not for it: another variant, purged before it asked, too large."""
    draft = landing.draft
    if not vary.fits(draft.vary, quest.visit.asked):
        return None
    if quest.looked.seq is not None:
        # Also what was found in the store, or fetched without a ledger: it may be older than a purge before this asked.
        try:
            standing = await stand(parts, draft, quest.looked.seq)
        except StoreError:
            return None
        if standing.purged or standing.soft_since is not None:
            return None
    reader = landing.spool.reader()  # before any wait: later the first chunks may be gone
    if came_late:  # all that there was to fetch was here already; the store has it in a moment
        await reader.aclose()
        return render.hit(quest.visit, replace(draft, body=landing.spool.body()), HIT_IN["memory"], parts.wall())
    if landing.spool.length is None and not await landing.spool.collected():
        await reader.aclose()
        return None
    return await _from_flight(parts, quest, landing, reader, leading=False)


async def _from_flight(parts: Parts, quest: Quest, landing: Shared, body: Body, *, leading: bool) -> Answer:
    try:
        return await _rendered(parts, quest, landing, body, leading=leading)
    except BaseException:  # the client left meanwhile: its reader must not hold the spool
        await body.aclose()
        raise


async def _rendered(parts: Parts, quest: Quest, landing: Shared, body: Body, *, leading: bool) -> Answer:
    if is_at_once(landing):
        await body.aclose()
        return at_once(parts, quest, landing, leading=leading)  # one write, and nobody to follow
    visit, draft, now = quest.visit, landing.draft, parts.wall()
    answer = _dressed(quest, landing, body, now, leading=leading)
    if render.is_not_modified(visit.request, answer.response, draft.response_time):
        await body.aclose()
        return render.not_modified(answer)
    if b"range" in visit.request.headers and answer.response.status == 200 and await landing.spool.collected():
        await body.aclose()
        whole = replace(answer, body=landing.spool.body())
        return render.of_bytes(visit.request, whole, response_time=draft.response_time, now=now)
    return answer


def is_at_once(landing: Shared) -> bool:
    """Say whether all that the backend sent is here, and as long as it had said."""
    return landing.is_whole and landing.spool.length is not None and not landing.spool.trailers


def at_once(parts: Parts, quest: Quest, landing: Shared, *, leading: bool) -> Answer:
    """Answer with what is all here."""
    visit, draft, now = quest.visit, landing.draft, parts.wall()
    if landing.how == "found":
        return render.hit(visit, draft, HIT_IN[parts.store.name], now)
    if landing.how == "revalidated":
        status = _status(quest, landing, leading=leading)
        return render.from_store(visit, draft, status, Outcome.REVALIDATED if leading else Outcome.COLLAPSED, now)
    answer = _dressed(quest, landing, landing.spool.body(), now, leading=leading)
    return render.of_bytes(visit.request, answer, response_time=draft.response_time, now=now)


def _dressed(quest: Quest, landing: Shared, body: bytes | Body, now: float, *, leading: bool) -> Answer:
    """Return the answer that was fetched, whatever the request says of what its client has."""
    visit, draft, response = quest.visit, landing.draft, landing.response
    age = freshness.current_age(draft, now)
    outcome = Outcome.MISS if leading else Outcome.COLLAPSED
    if not leading:
        response = replace(response, headers=draft.headers.with_field(b"Age", b"%d" % age))
    headers = render.dressed(visit, response, _status(quest, landing, leading=leading), outcome, age=age)
    facts = Facts(visit.route.name, visit.namespace, outcome, ttl=draft.freshness.lifetime - age, age=age)
    return Answer(Response(response.status, headers, response.reason, response.version), body, facts)


def _status(quest: Quest, landing: Shared, *, leading: bool) -> CacheStatus:
    return CacheStatus(
        fwd=quest.reason.value,
        fwd_status=landing.answered,
        stored=leading and landing.saving,
        collapsed=not leading,
    )


async def _handed(parts: Parts, quest: Quest, landing: Handed) -> Answer:
    """Answer with a response that is the leader's alone."""
    visit, reply = quest.visit, landing.reply
    status = CacheStatus(fwd=quest.reason.value, fwd_status=landing.answered, detail=landing.reason)
    outcome = Outcome.REVALIDATED if landing.answered == 304 != reply.response.status else Outcome.MISS
    headers = render.dressed(visit, reply.response, status, outcome)
    facts = Facts(visit.route.name, visit.namespace, outcome, landing.reason)
    answer = Answer(replace(reply.response, headers=headers), content_of(reply), facts)
    if render.is_not_modified(visit.request, answer.response, parts.wall()):
        await reply.body.aclose()
        return render.not_modified(answer)
    return answer


def _may_be_stale(parts: Parts, quest: Quest, code: int | None) -> bool:
    """Say whether what is stored may serve, now that the backend answered ``code``, or (None) not at all."""
    if quest.stored is None or (code is not None and code < 500):
        return False
    visit = quest.visit
    return plan.may_serve_on_error(
        quest.stored, quest.looked.standing, visit.request, visit.route, status=code, now=parts.wall()
    )


def stale_instead(parts: Parts, quest: Quest, code: int) -> Answer | None:
    """Return what is stored, where the backend's answer is worse."""
    return _stale(parts, quest, code) if _may_be_stale(parts, quest, code) else None


def _failed(parts: Parts, quest: Quest, error: OriginError) -> Answer:
    if _may_be_stale(parts, quest, None):
        return _stale(parts, quest, error.status)
    raise error


def _stale(parts: Parts, quest: Quest, code: int) -> Answer:
    assert quest.stored is not None
    found = quest.stored, quest.looked.standing
    return render.stale(quest.visit, found, parts.wall(), detail=f"stale-if-error-{code}")
