"""The calls that purge, and that ask how far a purge has come."""

from __future__ import annotations

import math
import uuid
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from proxy.admin.bodies import json_answer, read_json
from proxy.admin.orders import read_order
from proxy.admin.pace import Pace
from proxy.admin.problems import Problem
from proxy.admin.receipts import receipt_for, replicas_shown
from proxy.message.errors import StoreError
from proxy.message.selectors import Seq

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

    from proxy.admin.control import Control
    from proxy.admin.orders import PurgeOrder

MOST_BYTES: Final = 256 << 10
"""Of one call's body: a thousand selectors of 256 bytes."""

_LONGEST_ID: Final = 128


class PurgeCalls:
    """Handlers around one service's ledger."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._pace = Pace()

    def routes(self) -> list[web.RouteDef]:
        """Return what this class serves."""
        return [
            web.post("/purge", self.purge),
            web.get("/purge", self.position),
            web.get("/purge/{seq}", self.progress),
        ]

    def by_method(self) -> Middleware:
        """Return a middleware that takes every ``PURGE``: its targets are the traffic side's, no resources of ours."""

        @web.middleware
        async def take(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await (self.purge_url(request) if request.method == "PURGE" else handler(request))

        return take

    async def purge(self, request: web.Request) -> web.Response:
        """``POST /purge``."""
        self._hold_back()
        document = await read_json(request, MOST_BYTES, "send it in parts, or purge by a tag that all of it shares")
        order = read_order(document, self._control.book, self._control.purge_limits)
        return await self._carry_out(order, request)

    async def purge_url(self, request: web.Request) -> web.Response:
        """``PURGE <url>``: the target is the URL, as sent."""
        self._hold_back()
        order = read_order({"urls": [request.raw_path]}, self._control.book, self._control.purge_limits)
        return await self._carry_out(order, request)

    def _hold_back(self) -> None:
        """Take one call, or refuse it. Raises Problem 429."""
        limits = self._control.purge_limits
        if wait := self._pace.wait_for(limits.max_calls_per_second):
            detail = (
                f"nothing was purged: more than {limits.max_calls_per_second} calls a second (purge.max_calls_per_second);"
                f" name up to {limits.max_selectors_per_call} selectors in one call instead"
            )
            raise Problem(429, detail, headers={"Retry-After": str(math.ceil(wait))})

    async def _carry_out(self, order: PurgeOrder, request: web.Request) -> web.Response:
        if order.dry_run:
            return json_answer(await self._estimate(order))
        try:
            seq = await self._control.purge(order.selectors, soft=order.soft, request_id=request_id(request))
        except StoreError:
            # An acknowledgement that got lost is a purge all the same; who hears this counts it as none and repeats.
            detail = "nothing was purged: the store did not acknowledge it. Try again; repeating a purge is safe"
            raise Problem(503, detail, headers={"Retry-After": "1"}) from None
        # Before the wait: here it holds already, and what is fetched from now on is newer than the purge.
        refreshing = await self._control.refresh(order.selectors, order.refresh) if order.refresh else 0
        receipt = await receipt_for(seq, self._control.replicas, order.wait or 0.0)
        document = receipt.as_dict("soft" if order.soft else "hard", len(order.selectors))
        if order.refresh:
            document |= {"refreshing": refreshing, "estimate": True}
        return json_answer(document, status=200 if receipt.effective else 202)

    async def _estimate(self, order: PurgeOrder) -> dict[str, Any]:
        hit = await self._control.would_hit(order.selectors)
        return {
            "dry_run": True,
            "estimate": True,
            "mode": "soft" if order.soft else "hard",
            "selectors": len(order.selectors),
            "entries": hit.entries,
            "reads": hit.reads,
            "most_read": list(hit.most_read),
        }

    async def position(self, request: web.Request) -> web.Response:
        """``GET /purge``: where the ledger is."""
        del request
        return json_answer({"seq": str(await self._control.position())})

    async def progress(self, request: web.Request) -> web.Response:
        """``GET /purge/{seq}``: how many replicas have seen that purge."""
        try:
            asked = Seq.parse(request.match_info["seq"])
        except ValueError as error:
            raise Problem(422, str(error)) from None
        here = await self._control.position()
        if here.epoch != asked.epoch:
            detail = "that seq is of another ledger; a ledger that was lost counts as a hard purge of everything"
            raise Problem(410, detail, seq=str(asked), position=str(here))
        if asked.n > here.n:
            raise Problem(404, "nothing was purged at that seq yet", seq=str(asked), position=str(here))
        seen = await self._control.replicas(asked)
        document = {
            "seq": str(asked),
            "position": str(here),
            "replicas": replicas_shown(seen),
            "effective": seen.hold_after(seen.age),
        }
        return json_answer(document)


def request_id(request: web.Request) -> str:
    """Return the caller's id if it is a plain word, else a fresh one: it ends in a log line."""
    given = request.headers.get("X-Request-ID", "")
    if given and len(given) <= _LONGEST_ID and given.isascii() and given.replace("-", "").replace("_", "").isalnum():
        return given
    return uuid.uuid4().hex
