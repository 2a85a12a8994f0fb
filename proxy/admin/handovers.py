"""The call by which the backend hands over a response: ``PUT /entries?url=&seq=``."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, Final, assert_never

from aiohttp import web

from proxy.admin.bodies import json_answer
from proxy.admin.pace import Pace
from proxy.admin.problems import Problem
from proxy.admin.purging import request_id
from proxy.message.selectors import Seq
from proxy.pipeline.handover import NoPlace, Offer, Outrun, Taken, Unfit, Unheard
from proxy.policy.handover import response_of

if TYPE_CHECKING:
    from proxy.admin.control import Control
    from proxy.pipeline.handover import Verdict

MOST_SECONDS: Final = 30.0
"""For a body to arrive, as ``limits.body_timeout`` has it by default."""

_PIECE: Final = 64 * 1024
_FORM: Final = "application/x-www-form-urlencoded"
_AGAIN: Final = "Read the position, then the data, and hand over again"


class HandoverCalls:
    """Handlers around one service's store."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._pace = Pace()

    def routes(self) -> list[web.RouteDef]:
        """Return what this class serves."""
        return [web.put("/entries", self.put)]

    async def put(self, request: web.Request) -> web.Response:
        """``PUT /entries?url=&seq=``: 201 where nothing was stored for the URL before, 200 where something was."""
        self._hold_back()
        url, since = _url(request), _seq(request)
        _check(request)
        body = _Body(self._control, request)
        try:
            offer = Offer(response_of(request.raw_headers), await body.read(), since, request_id(request))
            verdict = await self._control.hand_over(url, offer)
        except ValueError as error:
            raise Problem(400, f"url: {error}") from None
        finally:
            body.give_back()
        return _answer(url, offer, verdict)

    def _hold_back(self) -> None:
        """Take one call, or refuse it: each is a purge of its own. Raises Problem 429."""
        most = self._control.purge_limits.max_calls_per_second
        if wait := self._pace.wait_for(most):
            detail = f"nothing was stored: more than {most} calls a second (purge.max_calls_per_second)"
            raise Problem(429, detail, headers={"Retry-After": str(math.ceil(wait))})


class _Body:
    """A body on its way in; what it takes is counted among ``limits.collecting``, and given back once."""

    def __init__(self, control: Control, request: web.Request) -> None:
        self._most = control.max_body
        self._budget = control.budget
        self._request = request
        self._taken = 0

    async def read(self) -> bytes:
        """Return the body. Raises Problem 400, 408, 413, 503."""
        if (self._request.content_length or 0) > self._most:
            raise self._too_large()
        pieces: list[bytes] = []
        try:
            async with asyncio.timeout(MOST_SECONDS):
                while piece := await self._request.content.read(_PIECE):
                    self._take(len(piece))
                    pieces.append(piece)
        except TimeoutError:
            raise Problem(408, f"the body did not arrive within {MOST_SECONDS:.0f} s; nothing was stored") from None
        except (ConnectionError, web.RequestPayloadError):
            raise Problem(400, "the body broke off; nothing was stored") from None
        return b"".join(pieces)

    def give_back(self) -> None:
        """Release what was taken."""
        self._budget.give_back(self._taken)
        self._taken = 0

    def _take(self, size: int) -> None:
        if self._taken + size > self._most:
            raise self._too_large()
        if not self._budget.take(size):
            detail = "too many bodies are on their way into the store (limits.collecting); nothing was stored"
            raise Problem(503, detail, headers={"Retry-After": "1"})
        self._taken += size

    def _too_large(self) -> Problem:
        return Problem(
            413, f"expected a body of at most {self._most} bytes (store.max_body); nothing was stored, purge"
        )


def _url(request: web.Request) -> str:
    urls = request.query.getall("url", [])
    if len(urls) != 1 or not urls[0]:
        raise Problem(400, "url: expected one URL or path with its query, like /api/v1/plans?page=2, percent-encoded")
    return urls[0]


def _seq(request: web.Request) -> Seq:
    seqs = request.query.getall("seq", [])
    if len(seqs) != 1:
        raise Problem(400, "seq: expected one, as GET /purge gave it before the data were read")
    try:
        return Seq.parse(seqs[0])
    except ValueError as error:
        raise Problem(400, f"seq: {error}") from None


def _check(request: web.Request) -> None:
    """Refuse what cannot be a response's whole representation. Raises Problem 400, 415."""
    fields = request.headers
    if "Content-Range" in fields:  # RFC 9110 section 14.5
        raise Problem(400, "Content-Range: only a whole response can be handed over")
    if fields.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem(415, "Content-Encoding: hand over the body as it is; what is stored is compressed here")
    if "Content-Type" not in fields:
        raise Problem(400, "Content-Type: expected the response's own")
    if request.content_type == _FORM:  # what curl --data says of whatever it sends
        raise Problem(415, f"Content-Type: {_FORM} is for requests, expected the response's own")


def _answer(url: str, offer: Offer, verdict: Verdict) -> web.Response:
    match verdict:
        case Taken():
            return json_answer(_receipt(url, offer, verdict), 200 if verdict.replaced else 201)
        case Outrun(seq):
            detail = f"something of it was purged after that seq: nothing was stored, and the URL is purged. {_AGAIN}"
            raise Problem(409, detail, seq=str(offer.since), position=str(seq))
        case Unheard(seq):
            detail = f"seq: the ledger has not come so far: nothing was stored, and the URL is purged. {_AGAIN}"
            raise Problem(400, detail, seq=str(offer.since), position=str(seq))
        case Unfit(reason):
            detail = f"by its own fields and its route it would not be stored ({reason}), and was not: purge instead"
            raise Problem(422, detail, reason=reason.value)
        case NoPlace(why):
            raise Problem(422, f"url: nothing was stored: {why}")
        case _:
            assert_never(verdict)


def _receipt(url: str, offer: Offer, taken: Taken) -> dict[str, Any]:
    return {
        "seq": str(taken.seq),
        "url": url,
        "route": taken.route,
        "logical_key": taken.logical,
        "keys": [f"cache:response:{digest}" for digest in taken.digests],
        "bytes": len(offer.body),
        "lifetime": taken.freshness.lifetime,
        "lifetime_from": taken.freshness.source.value,
        "selectors": list(taken.selectors),
        "replaced": taken.replaced,
    }
