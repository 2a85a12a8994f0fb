"""The one path from request to answer: route, key, lookup, plan, and one ``match`` that carries the plan out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, assert_never

from proxy.message.cachestatus import CacheStatus
from proxy.message.errors import MessageError, OriginError, StoreError
from proxy.observe.events import Outcome, RequestServed
from proxy.pipeline import flying, heads, passing, render, writes
from proxy.pipeline.lookup import look
from proxy.pipeline.reply import Answer, Facts
from proxy.pipeline.visit import Quest, Visit
from proxy.policy import cors, forwarding, invalidation, keys, plan
from proxy.policy.keys import Unkeyed
from proxy.policy.plan import Forward

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.message.body import Body
    from proxy.message.request import Request
    from proxy.message.response import Response
    from proxy.pipeline.parts import Parts
    from proxy.policy.rules import Matched, RuleBook

class Pipeline:
    """Answers requests. One object for the life of the process; a reload swaps the book in its parts."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    async def answer(self, request: Request, body: Body | None, interim: Callable[[Response], None] | None) -> Answer:
        """Return the answer to one request. Raises nothing but CancelledError, when the client has gone."""
        book = self.parts.book
        matched = book.route_for(request.method, request.path)
        route = matched.route.name if matched is not None else "none"
        try:
            if invalidation.may_purge(request, book):
                return await self._write(request, body, interim, book, matched)
            if cors.is_preflight(request) and cors.is_answered_here(request, book):
                return self._preflight(request, book)
            if matched is None:
                return await self._pass(request, body, interim, matched, "no-route")
            key = keys.key_for(request, matched, book)
            if isinstance(key, Unkeyed):
                return await self._pass(request, body, interim, matched, key.reason)
            asked = forwarding.as_fetched(request, matched.route, cors=book.cors is not None)
            visit = Visit(request, asked, matched, key, book, self.parts.forwarding, interim)
            return await self._cached(visit)
        except OriginError as error:
            answer = render.problem(error.status, TITLES[error.status], error.detail, retry_after=error.retry_after)
            return render.own(answer, request, book, Outcome.ERROR, route=route, detail=f"origin-{error.status}")
        except MessageError as error:
            answer = render.problem(error.status, "Bad message", error.detail)
            return render.own(answer, request, book, Outcome.ERROR, route=route, detail="bad-message")

    def finished(self, request: Request, answer: Answer, *, seconds: float, sent_bytes: int, aborted: bool) -> None:
        """Tell that an answer has left, or its client did."""
        facts = answer.facts
        self.parts.observer.tell(
            RequestServed(
                route=facts.route,
                outcome=facts.outcome,
                method=request.method.decode("latin-1"),
                path=request.path.decode("latin-1"),
                status=answer.response.status,
                seconds=seconds,
                sent_bytes=sent_bytes,
                request_id=request.request_id.decode("latin-1"),
                client=request.client,
                namespace=facts.namespace,
                detail=facts.detail,
                ttl=facts.ttl,
                age=facts.age,
                seconds_saved=facts.seconds_saved,
                aborted=aborted,
            )
        )

    # Requests that no cached route serves.

    async def _pass(
        self,
        request: Request,
        body: Body | None,
        interim: Callable[[Response], None] | None,
        matched: Matched | None,
        detail: str,
    ) -> Answer:
        route, namespace = names(matched)
        reply = await passing.send_through(
            self.parts, self.parts.forwarding, request, body, interim, route=route
        )
        if invalidation.is_unsafe(request):  # it may name groups, though no rule speaks of it (RFC 9875 section 3)
            await writes.purge_all(self.parts, invalidation.purges_for(request, reply.response, self.parts.book), request)
        forward = Forward.METHOD if detail == keys.UnkeyedReason.METHOD else Forward.BYPASS
        return passing.passed(request, reply, route=route, namespace=namespace, forward=forward, detail=detail)

    async def _write(
        self,
        request: Request,
        body: Body | None,
        interim: Callable[[Response], None] | None,
        book: RuleBook,
        matched: Matched | None,
    ) -> Answer:
        route, namespace = names(matched)
        if any(rule.on_store_failure == "refuse" for rule, _ in book.writes_for(request.method, request.path)):
            try:
                await self.parts.ledger.position()
            except StoreError:
                detail = "the purge that this write needs cannot be recorded now; nothing was written"
                answer = render.problem(503, TITLES[503], detail, retry_after=1)
                return render.own(answer, request, book, Outcome.REFUSED, route=route, detail="purge-unavailable")
        reply = await writes.carry(
            self.parts, book, self.parts.forwarding, request, body, interim, route=route
        )
        return passing.passed(
            request, reply, route=route, namespace=namespace, forward=Forward.METHOD, detail="write"
        )

    def _preflight(self, request: Request, book: RuleBook) -> Answer:
        assert book.cors is not None
        response = cors.preflight(request, book.cors)
        headers = render.signed(response.headers, request, CacheStatus(detail="preflight"), Outcome.BYPASS)
        return Answer(replace(response, headers=headers), b"", Facts(outcome=Outcome.BYPASS, detail="preflight"))

    # Requests that may be answered from the cache.

    async def _cached(self, visit: Visit) -> Answer:
        request, route = visit.request, visit.route
        looked = await look(self.parts, visit)
        if looked.failed and route.on_store_failure == "refuse":
            answer = render.problem(503, TITLES[503], "the cache's store is not available", retry_after=1)
            return render.own(answer, request, visit.book, Outcome.REFUSED, route=route.name, detail="store-unavailable")
        now = self.parts.wall()
        verdict = plan.plan_for(
            request, route, looked.entry, looked.standing, vary_miss=looked.is_vary_miss, now=now
        )
        match verdict:
            case plan.ServeStored(stored):
                return render.hit(visit, stored, self.parts.hit, now)
            case plan.ServeStaleAndRefresh(stored):
                flying.refresh(self.parts, visit, looked)
                return render.stale(visit, stored, now, detail="stale-while-revalidate")
            case plan.Revalidate(stored, reason):
                quest = Quest(visit, looked, reason, stored)
                if request.method == b"HEAD":
                    return await heads.ask(self.parts, quest)
                return await flying.fly(self.parts, quest)
            case plan.Fetch(reason, coalesce):
                if request.method == b"HEAD":
                    return await self._pass(request, None, visit.interim, visit.matched, "head")
                if route.implicit and b"range" in request.headers:
                    # Nobody said that the whole is worth having: it may be a film, and this a jump into it.
                    return await self._pass(request, None, visit.interim, visit.matched, "range")
                quest = Quest(visit, looked, reason, None)
                return await (flying.fly(self.parts, quest) if coalesce else flying.fly_alone(self.parts, quest))
            case plan.Refuse(code, detail):
                answer = render.problem(code, TITLES[code], detail)
                return render.own(answer, request, visit.book, Outcome.REFUSED, route=route.name, detail="only-if-cached")
            case _:
                assert_never(verdict)


def names(matched: Matched | None) -> tuple[str, str]:
    """Return route and namespace as logs and metrics call them."""
    if matched is None:
        return "none", ""
    return matched.route.name, matched.route.namespace.name if matched.route.namespace else ""


TITLES: Final = {
    502: "Bad gateway",
    503: "Service unavailable",
    504: "Gateway timeout",
}
