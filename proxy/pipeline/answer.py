"""The one path from request to answer: route, key, lookup, plan, and one ``match`` that carries the plan out."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, assert_never

from proxy.message.cachestatus import CacheStatus
from proxy.message.errors import MessageError, OriginError
from proxy.message.headers import Headers
from proxy.message.response import Response
from proxy.observe.events import Outcome
from proxy.pipeline import flying, heads, leading, passing, readings, render, telling, writes
from proxy.pipeline.lookup import HIT_IN, Looked, glance, look
from proxy.pipeline.problems import problem
from proxy.pipeline.reply import Answer, Facts, raising
from proxy.pipeline.visit import Call, Quest, Visit
from proxy.policy import cors, forwarding, invalidation, keys, plan
from proxy.policy.keys import Unkeyed
from proxy.policy.plan import Forward

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.message.body import Body
    from proxy.message.request import Request
    from proxy.observe.repeats import Repeats
    from proxy.pipeline.lookup import Looking
    from proxy.pipeline.parts import Parts
    from proxy.pipeline.probe import Probe
    from proxy.pipeline.reply import Asker, Rest


class Pipeline:
    """Answers requests. One object for the life of the process; a reload swaps the book in its parts.

    With a ``probe``, an answer that the next like request would get too says so. With ``repeats``, hits are counted
    there, and told only where somebody wants to know.
    """

    def __init__(self, parts: Parts, probe: Probe | None = None, repeats: Repeats | None = None) -> None:
        self.parts = parts
        self.probe = probe
        self.repeats = repeats

    async def answer(self, request: Request, body: Body | None, interim: Callable[[Response], None] | None) -> Answer:
        """Return the answer to one request; a backend or a message that fails becomes an answer of ours."""
        call = self._call(request, body, interim)
        return await _whole(call, partial(self._answer, call))

    def ask(self, request: Request, body: Body | None, asker: Asker) -> None:
        """Answer as ``answer`` does, but without a task while only the store has to be waited for."""
        call = self._call(request, body, asker.interim)
        try:
            first = self._first(call)
        except MessageError as error:
            first = _failure(call, error)
        if isinstance(first, Visit):
            glance(self.parts, first, lambda looked: self._seen(call, first, looked, asker))
        elif isinstance(first, Answer):
            asker.answered(first)
        else:
            asker.goes_on(partial(_whole, call, first))

    def _seen(self, call: Call, visit: Visit, looked: Looked | Looking, asker: Asker) -> None:
        """Answer somebody whose look is over, who may have left."""
        if asker.has_left:
            return
        if not isinstance(looked, Looked):
            asker.goes_on(partial(_whole, call, partial(self._after, call, visit, looked)))
            return
        try:
            given = self._decided(call, visit, looked)
        except MessageError as error:
            given = _failure(call, error)
        except Exception as error:  # noqa: BLE001 - the asker's, as if it had awaited it
            given = partial(raising, error)
        if isinstance(given, Answer):
            asker.answered(given)
        elif isinstance(given, Quest):
            self._lead(call, given, asker)
        else:
            asker.goes_on(partial(_whole, call, given))

    def _lead(self, call: Call, quest: Quest, asker: Asker) -> None:
        """Answer somebody from a flight: in a task where it is another's."""

        def goes_on(rest: Rest) -> None:
            asker.goes_on(partial(_whole, call, rest))

        if not leading.lead(self.parts, quest, asker, goes_on):
            goes_on(partial(flying.fly, self.parts, quest))

    def _call(self, request: Request, body: Body | None, interim: Callable[[Response], None] | None) -> Call:
        book = self.parts.book
        return Call(request, body, interim, book, self.parts.forwarding, book.route_for(request.method, request.path))

    async def _answer(self, call: Call) -> Answer:
        first = self._first(call)
        if isinstance(first, Visit):
            return await self._after(call, first, partial(look, self.parts, first))
        return first if isinstance(first, Answer) else await first()

    async def _after(self, call: Call, visit: Visit, looking: Looking) -> Answer:
        given = self._decided(call, visit, await looking())
        if isinstance(given, Quest):
            return await flying.fly(self.parts, given)
        return given if isinstance(given, Answer) else await given()

    def _first(self, call: Call) -> Visit | Answer | Rest:
        """Decide who may answer a request: the store, this house alone, or the backend alone."""
        request, book, matched = call.request, call.book, call.matched
        if forwarding.max_forwards(request) == 0:
            return self._last_hop(call)
        if invalidation.may_purge(request, book):
            return partial(self._write, call)
        if cors.is_answered_here(request, book):
            return self._preflight(call)
        if matched is None:
            return partial(self._pass, call, "no-route")
        key = keys.key_for(request, matched, book)
        if isinstance(key, Unkeyed):
            return partial(self._pass, call, key.reason)
        return Visit(request, matched, key, book, call.forwarding, call.interim)

    async def _pass(self, call: Call, detail: str) -> Answer:
        """Answer from the backend alone."""
        reply = await passing.send_through(self.parts, call)
        if invalidation.is_unsafe(call.request):  # it may name groups, though no rule speaks of it (RFC 9875 section 3)
            await writes.purge_all(self.parts, invalidation.purges_for(call.request, reply.response, call.book), call)
        forward = Forward.METHOD if detail == keys.UnkeyedReason.METHOD else Forward.BYPASS
        return passing.passed(call, reply, forward=forward, detail=detail)

    async def _write(self, call: Call) -> Answer:
        """Answer from the backend, and purge before."""
        if await writes.is_refused(self.parts, call):
            detail = "the purge that this write needs cannot be recorded now; nothing was written"
            return render.own(problem(503, detail, retry_after=1), call, Outcome.REFUSED, detail="purge-unavailable")
        reply = await writes.carry(self.parts, call)
        return passing.passed(call, reply, forward=Forward.METHOD, detail="write")

    def _last_hop(self, call: Call) -> Answer:
        """Answer what was to go no further than here (RFC 9110 section 7.6.2): OPTIONS; a TRACE is not reflected."""
        if call.request.method == b"OPTIONS":
            response = Response(204, Headers([(b"Allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")]))
            return render.own(Answer(response), call, Outcome.BYPASS, detail="max-forwards")
        return render.own(problem(405, "TRACE is not reflected here"), call, Outcome.REFUSED, detail="max-forwards")

    def _preflight(self, call: Call) -> Answer:
        """Answer a browser's question about a cached path: the backend is asked without Origin, so it cannot."""
        assert call.book.cors is not None
        response = cors.preflight(call.request, call.book.cors)
        headers = render.signed(response.headers, call.request, CacheStatus(detail="preflight"), Outcome.BYPASS)
        facts = Facts(call.route, call.namespace, Outcome.BYPASS, "preflight")
        return Answer(replace(response, headers=headers), b"", facts)

    def _decided(self, call: Call, visit: Visit, looked: Looked) -> Answer | Quest | Rest:
        """Answer from the store where the plan says so, else from the backend, by a quest with all who ask the same."""
        request, route, parts = visit.request, visit.route, self.parts
        readings.was_read(parts, visit, looked)
        now = parts.wall()
        if plan.may_serve_blind(looked.entry, looked.last_known, looked.standing, request, route, now=now):
            return render.stale(visit, (looked.entry, looked.standing), now, detail="store-unavailable")
        if (looked.failed or looked.last_known is not None) and route.on_store_failure == "refuse":
            answer = problem(503, "the cache's store is not available", retry_after=1)
            return render.own(answer, call, Outcome.REFUSED, detail="store-unavailable")
        verdict = plan.plan_for(request, route, looked.entry, looked.standing, vary_miss=looked.is_vary_miss, now=now)
        match verdict:
            case plan.ServeStored(stored):
                answer = render.hit(visit, stored, HIT_IN[looked.tier], now)
                if self.probe is None or looked.tier != "memory" or answer.facts.outcome is not Outcome.HIT_MEMORY:
                    return answer
                return replace(answer, repeat=self.probe.repeat_of(visit, looked))
            case plan.ServeAndRefreshAhead(stored):
                flying.refresh_ahead(parts, visit, looked, stored)
                return render.hit(visit, stored, HIT_IN[looked.tier], now)
            case plan.ServeStaleAndRefresh(stored):
                flying.refresh(parts, visit, looked)
                return render.stale(visit, (stored, looked.standing), now, detail="stale-while-revalidate")
            case plan.Revalidate(stored, reason):
                quest = Quest(visit, looked, reason, stored)
                return partial(heads.ask, parts, quest) if request.method == b"HEAD" else quest
            case plan.Fetch(reason, coalesce):
                if request.method == b"HEAD":
                    return partial(self._pass, call, "head")
                if route.implicit and b"range" in request.headers:
                    # Nobody said that the whole is worth having: it may be a film, and this a jump into it.
                    return partial(self._pass, call, "range")
                quest = Quest(visit, looked, reason, None)
                return quest if coalesce else partial(flying.fly_alone, parts, quest)
            case plan.Refuse(code, detail):
                return render.own(problem(code, detail), call, Outcome.REFUSED, detail="only-if-cached")
            case _:
                assert_never(verdict)

    def finished(self, request: Request, answer: Answer, *, seconds: float, sent_bytes: int, aborted: bool) -> None:
        """Tell that an answer has left, or its client did."""
        telling.tell(self.parts, self.repeats, request, answer, seconds=seconds, sent_bytes=sent_bytes, aborted=aborted)


async def _whole(call: Call, rest: Rest) -> Answer:
    """Return the answer that comes of it, be it one of ours."""
    try:
        return await rest()
    except (OriginError, MessageError) as error:
        return _failure(call, error)


def _failure(call: Call, error: OriginError | MessageError) -> Answer:
    """Return our answer where a backend or a message has failed."""
    if isinstance(error, OriginError):
        answer = problem(error.status, error.detail, retry_after=error.retry_after)
        return render.own(answer, call, Outcome.ERROR, detail=f"origin-{error.status}")
    return render.own(problem(error.status, error.detail), call, Outcome.ERROR, detail="bad-message")
