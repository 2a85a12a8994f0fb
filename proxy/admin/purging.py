"""The calls that purge, and that ask how far a purge has come."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from aiohttp import web

from proxy.admin.bodies import json_answer, read_json
from proxy.admin.orders import read_order
from proxy.admin.problems import Problem
from proxy.message.errors import StoreError
from proxy.message.selectors import Seq

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

    from proxy.admin.control import Control
    from proxy.admin.orders import PurgeOrder

_LONGEST_ID: Final = 128


class PurgeCalls:
    """Handlers around one service's ledger."""

    def __init__(self, control: Control) -> None:
        self._control = control

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
        return await self._carry_out(read_order(await read_json(request), self._control.book), request)

    async def purge_url(self, request: web.Request) -> web.Response:
        """``PURGE <url>``: the target is the URL, as sent."""
        order = read_order({"urls": [request.raw_path]}, self._control.book)
        return await self._carry_out(order, request)

    async def _carry_out(self, order: PurgeOrder, request: web.Request) -> web.Response:
        try:
            seq = await self._control.purge(order.selectors, soft=order.soft, request_id=_request_id(request))
        except StoreError:
            # An acknowledgement that got lost is a purge all the same; who hears this counts it as none and repeats.
            detail = "nothing was purged: the store did not acknowledge it. Try again; repeating a purge is safe"
            raise Problem(503, detail, headers={"Retry-After": "1"}) from None
        # Effective with the acknowledgement: every lookup compares its entry with the ledger that has this purge. So
        # there is nothing left to wait for, and ``wait`` is kept by being short.
        receipt = {
            "seq": str(seq),
            "mode": "soft" if order.soft else "hard",
            "selectors": len(order.selectors),
            "effective": True,
        }
        return json_answer(receipt)

    async def position(self, request: web.Request) -> web.Response:
        """``GET /purge``: where the ledger is."""
        del request
        return json_answer({"seq": str(await self._control.position())})

    async def progress(self, request: web.Request) -> web.Response:
        """``GET /purge/{seq}``: whether this replica has seen that purge."""
        try:
            asked = Seq.parse(request.match_info["seq"])
        except ValueError as error:
            raise Problem(422, str(error)) from None
        here = await self._control.position()
        if here.epoch != asked.epoch:
            detail = "that seq is of another ledger; a ledger that was lost counts as a hard purge of everything"
            raise Problem(410, detail, seq=str(asked), position=str(here))
        return json_answer({"seq": str(asked), "position": str(here), "seen": here.n >= asked.n})


def _request_id(request: web.Request) -> str:
    """Return the caller's id if it is a plain word, else a fresh one: it ends in a log line."""
    given = request.headers.get("X-Request-ID", "")
    if given and len(given) <= _LONGEST_ID and given.isascii() and given.replace("-", "").replace("_", "").isalnum():
        return given
    return uuid.uuid4().hex
