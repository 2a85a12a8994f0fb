"""A flight's crew: ask the backend, decide on the response's head, land, collect, save.

The numbers of design.md's step 8 in order: the store is asked once more; the request goes out, with our conditions
where something stored is to be validated; the head is judged and the flight lands; what is kept is collected in a
spool that readers follow, and saved when it is whole; what came with its head needs none. Nothing that broke off is
ever saved.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final, assert_never

from proxy.fetch.flights import Failed, Flight, Handed, Shared
from proxy.fetch.origin import Outgoing, Reply
from proxy.fetch.spool import Spool
from proxy.fetch.whole import Content
from proxy.message.errors import MessageError, OriginError
from proxy.message.response import Response
from proxy.message.stored import LifetimeSource
from proxy.message.values import value
from proxy.observe.events import LifetimeAdapted, OriginAnswered
from proxy.pipeline.adapting import following
from proxy.pipeline.judging import Draft, Heard, drafted
from proxy.pipeline.lookup import look
from proxy.pipeline.saving import drop, mark, save
from proxy.policy import forwarding, plan, validation
from proxy.policy.verdicts import Discard, DiscardReason

if TYPE_CHECKING:
    from proxy.message.stored import StoredResponse
    from proxy.pipeline.lookup import Looked
    from proxy.pipeline.parts import Parts
    from proxy.pipeline.visit import Visit
    from proxy.policy.adaptive import Step

GONE_FOR_GOOD: Final = frozenset({401, 403, 404, 410})
"""A refresh that is answered so drops the old entry: who may no longer see it must not get it stale."""


@value(frozen=True, slots=True)
class Crew:
    """Flies one flight. ``step``: how the route's ttl followed the traffic; None where it follows nothing.

    ``looked``: what is in the store as all know it, where nothing can have been saved there since; else it is looked up.
    """

    parts: Parts
    visit: Visit
    looked: Looked | None = None
    step: Step | None = None

    async def fly(self, flight: Flight) -> None:
        """Land the flight, and see what it carries into the store."""
        visit = self.visit
        looked = self.looked or await look(self.parts, visit, shared=True)
        again = plan.plan_for(
            visit.request,
            visit.route,
            looked.entry,
            looked.standing,
            vary_miss=looked.is_vary_miss,
            now=self.parts.wall(),
        )
        match again:
            case plan.ServeStored(stored):  # somebody saved it between the first look and this one
                flight.land(found(stored))
            case plan.ServeAndRefreshAhead(stored) if flight.has_leader:  # who waits for it need not
                flight.land(found(stored))
            case plan.ServeAndRefreshAhead(stored) | plan.ServeStaleAndRefresh(stored) | plan.Revalidate(stored):
                await self._ask(flight, looked, stored)
            case plan.Fetch() | plan.Refuse():
                await self._ask(flight, looked, None)
            case _:
                assert_never(again)

    async def _ask(self, flight: Flight, looked: Looked, stored: StoredResponse | None) -> None:
        visit, parts = self.visit, self.parts
        target, headers = forwarding.fetch_for(visit.request, visit.asked, visit.key, visit.forwarding)
        conditions = validation.our_conditions(stored) if stored is not None else []
        outgoing = Outgoing(method=b"GET", target=target, headers=headers.plus(conditions))
        # Beside the request, which takes longer; whatever becomes of that, this ends by itself.
        adapting = parts.background.start(self.adapted(looked), name="reads") if visit.route.adaptive else None
        request_time, began = parts.wall(), asyncio.get_running_loop().time()
        try:
            reply = await parts.origin.send(outgoing, visit.interim if flight.has_leader else None)
        except OriginError as error:
            seconds = asyncio.get_running_loop().time() - began
            parts.observer.tell(OriginAnswered(visit.route.name, 0, seconds, str(error.status)))
            flight.land(Failed(error))
            return
        seconds = asyncio.get_running_loop().time() - began
        parts.observer.tell(OriginAnswered(visit.route.name, reply.response.status, seconds))
        heard = Heard(reply.response, request_time, parts.wall(), seconds)
        crew = self if adapting is None else await adapting
        await crew.weigh(flight, looked, stored if conditions else None, reply, heard)

    async def weigh(
        self, flight: Flight, looked: Looked, stored: StoredResponse | None, reply: Reply, heard: Heard
    ) -> None:
        """Land the flight with what the backend answered; ``stored``: what it was asked to validate."""
        if stored is not None and reply.response.status == 304:
            await reply.body.aclose()
            if validation.validates(stored, reply.response):
                await self._freshened(flight, looked, stored, heard)
            else:  # RFC 9111 section 4.3.4: it speaks of a response that is not ours; ask without conditions
                await self._ask(flight, looked, None)
            return
        await self.answered(flight, looked, reply, heard)

    async def adapted(self, looked: Looked) -> Crew:
        """Return a crew under the lifetime that the traffic gives the route."""
        visit, step = await following(self.parts, self.visit, looked.place)
        return replace(self, visit=visit, step=step)

    async def answered(self, flight: Flight, looked: Looked, reply: Reply, heard: Heard) -> None:
        """Land the flight with what the backend answered unasked for conditions, and see it into the store."""
        parts, length = self.parts, reply.body.length
        kept = self.judge(looked, heard, reply.whole or b"")
        if isinstance(kept, Draft) and length is not None:
            if length > parts.options.max_body:
                kept = Discard(DiscardReason.TOO_LARGE)
            elif not parts.budget.take(length):
                kept = Discard(DiscardReason.NO_ROOM)
        if isinstance(kept, Discard):
            await self._hand_over(flight, looked, reply, heard, kept)
            return
        if reply.whole is not None:
            land_whole(flight, looked, reply.whole, heard, kept)
            await self.keep(looked, kept)
            return
        spool = Spool(parts.budget, length=length, max_body=parts.options.max_body, reserved=length or 0)
        saving = looked.seq is not None
        flight.land(Shared(kept.entry, heard.response, heard.response.status, spool, "fetched", saving))
        await self._collect(looked, reply, spool, kept)

    async def keep(self, looked: Looked, kept: Draft) -> None:
        """Save what was here as a whole, and weigh no longer on what all collect together."""
        try:
            await save(self.parts, self.visit, looked, kept.entry, kept.seconds)
        finally:
            self.parts.budget.give_back(len(kept.entry.body))

    def judge(self, looked: Looked, heard: Heard, body: bytes = b"") -> Draft | Discard:
        """Decide on a head: what to keep of it, with the body where that is here, or why not."""
        kept = drafted(self.visit, looked, heard, self.parts.options.tags, body)
        step = self.step
        if step is not None and isinstance(kept, Draft) and kept.entry.freshness.source is LifetimeSource.ROUTE:
            self.parts.observer.tell(LifetimeAdapted(self.visit.route.name, self.visit.namespace, step))
        return kept

    async def _hand_over(self, flight: Flight, looked: Looked, reply: Reply, heard: Heard, decision: Discard) -> None:
        flight.land(Handed(reply, decision.reason, heard.response.status))
        if not flight.has_leader:
            await reply.body.aclose()
        if decision.mark:
            await mark(self.parts, looked, decision.reason)
        elif heard.response.status in GONE_FOR_GOOD and looked.entry is not None:
            await drop(self.parts, looked.place)

    def _is_whole(self, reply: Reply) -> bool:
        """Say whether a body may be stored although bytes of no message followed it.

        By RFC 9112 section 6.3 its stated length is all of it: that is the implicit route's law. For a declared route
        such a backend is broken, and what it sent is nothing to keep.
        """
        return self.visit.route.implicit or not reply.body.overrun

    async def _freshened(self, flight: Flight, looked: Looked, stored: StoredResponse, heard: Heard) -> None:
        """Restamp a stored response by a 304 (RFC 9111 section 4.3.4), with the position read before the request."""
        merged = validation.merged(stored, heard.response, response_time=heard.response_time)
        now_stored = Response(stored.status, merged, stored.reason)
        kept = self.judge(looked, replace(heard, response=now_stored), stored.body)
        content = Content(stored.body)
        if isinstance(kept, Discard):
            await self._hand_over(flight, looked, Reply(now_stored, content.reader()), heard, kept)
            if not kept.mark:
                await drop(self.parts, looked.place)
            return
        entry = replace(kept.entry, fetch_seconds=max(stored.fetch_seconds, heard.seconds))
        flight.land(Shared(entry, now_stored, 304, content, "revalidated", looked.seq is not None))
        await save(self.parts, self.visit, looked, entry, kept.seconds)

    async def _collect(self, looked: Looked, reply: Reply, spool: Spool, kept: Draft) -> None:
        try:
            await self._follow(reply, spool)
            if spool.is_whole and self._is_whole(reply):
                await save(self.parts, self.visit, looked, replace(kept.entry, body=spool.body()), kept.seconds)
            elif spool.outgrew_max_body:
                await mark(self.parts, looked, DiscardReason.TOO_LARGE)
        finally:
            spool.release()

    @staticmethod
    async def _follow(reply: Reply, spool: Spool) -> None:
        """Read the backend's body into the spool, to its end or to where it breaks off."""
        try:
            while data := await reply.body.read():
                await spool.append(data)
                if spool.is_abandoned:
                    break
            else:
                spool.finish(reply.body.trailers)
        except (MessageError, OriginError) as broken:  # it broke off, or fell silent
            spool.fail(broken)
        except BaseException:  # the drain gave it up: its readers must not wait for ever
            spool.fail(OriginError("the request to the backend was given up"))
            raise
        finally:
            await reply.body.aclose()


def found(stored: StoredResponse) -> Shared:
    """Return the landing of a flight whose second look found what it was about to fetch."""
    response = Response(stored.status, stored.headers, stored.reason)
    return Shared(stored, response, stored.status, Content(stored.body), "found", saving=False)


def land_whole(flight: Flight, looked: Looked, content: bytes, heard: Heard, kept: Draft) -> None:
    """Land with what is all here."""
    response = heard.response
    saving = looked.seq is not None
    flight.land(Shared(kept.entry, response, response.status, Content(content), "fetched", saving))
