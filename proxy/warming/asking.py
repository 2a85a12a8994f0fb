"""One request, through the ordinary pipeline: nothing is written but what the pipeline itself keeps for a client.

1. The store is asked. What clients would find fresh until the warmer's next run is not fetched.
2. A place is waited for, so that nobody live waits for one.
3. The pipeline answers, its flight ends, and the store is asked once more. Only what a client would now find fresh
   counts as warmed: an answer that was not kept has warmed nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from proxy.message.stored import StoredResponse, Uncacheable
from proxy.pipeline.lookup import look
from proxy.pipeline.unasked import read_to_end
from proxy.pipeline.visit import Visit
from proxy.policy import freshness
from proxy.warming.requests import key_of

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from proxy.message.request import Request
    from proxy.pipeline.answer import Pipeline
    from proxy.pipeline.lookup import Looked
    from proxy.pipeline.parts import Parts

LOOKS_AGAIN_AFTER: Final = 0.002
"""Seconds between two looks whether a flight that has landed is saved: a save takes one."""

STORE_TRIES: Final = 10
STORE_REST: Final = 0.5
"""Five seconds in all: one that was restarted is back by then."""

_ERRORS: Final = 400
_BACKEND_ERRORS: Final = 500


class Result(StrEnum):
    """What came of one item: the metric's label."""

    WARMED = "warmed"
    FRESH = "fresh"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of one request, and why; ``seconds`` it took the backend, None where it was not asked.

    ``digest`` names the entry for the ranking. ``is_backend_down``: no answer, or a 5xx.
    """

    result: Result
    why: str = ""
    seconds: float | None = None
    digest: str = ""
    is_backend_down: bool = False


async def ask(
    pipeline: Pipeline, request: Request, place: AbstractAsyncContextManager[object], min_fresh: float = 0.0
) -> Asked:
    """Warm what a request asks for; ``place`` is entered only where the backend is asked. Never raises SapwoodError.

    ``min_fresh``: seconds for which it is to stay fresh (RFC 9111 section 5.2.1.3); what would not is fetched now.
    """
    if min_fresh > 0:
        request = replace(request, headers=request.headers.with_field(b"Cache-Control", b"min-fresh=%d" % min_fresh))
    parts = pipeline.parts
    visit = _visit_of(parts, request)
    if visit is None:
        return Asked(Result.SKIPPED, "no-route")
    looked = await _looked(parts, visit)
    if (known := _known(parts, looked, min_fresh)) is not None:
        return known
    async with place:
        began = asyncio.get_running_loop().time()
        answer = await pipeline.answer(request, None, None)
        broke = not await read_to_end(answer)
        await _landed(parts, looked.place.digest)
        seconds = asyncio.get_running_loop().time() - began
    status = answer.response.status
    if broke or status >= _ERRORS:
        down = broke or status >= _BACKEND_ERRORS
        return Asked(Result.FAILED, "broke-off" if broke else f"status-{status}", seconds, is_backend_down=down)
    looked = await look(parts, visit, shared=True)
    if not is_fresh(parts, looked):
        return Asked(Result.FAILED, answer.facts.detail or "not-kept", seconds)
    return Asked(Result.WARMED, "", seconds, looked.place.digest)


async def _looked(parts: Parts, visit: Visit) -> Looked:
    """Look, again while the store does not answer: what is fetched without one is lost."""
    for _ in range(STORE_TRIES):
        looked = await look(parts, visit, shared=True)
        if not looked.failed and looked.seq is not None:
            return looked
        await asyncio.sleep(STORE_REST)
    return await look(parts, visit, shared=True)


def is_fresh(parts: Parts, looked: Looked, min_fresh: float = 0.0) -> bool:
    """Say whether a client would get what was found without anybody asking the backend, for so many seconds."""
    entry, now = looked.entry, parts.wall()
    if not isinstance(entry, StoredResponse) or not freshness.is_fresh(entry, looked.standing, now):
        return False
    return freshness.remaining(entry, now) >= int(min_fresh)


def _known(parts: Parts, looked: Looked, min_fresh: float) -> Asked | None:
    """Return what is known without asking the backend, None where it has to be asked."""
    if looked.failed or looked.seq is None:
        return Asked(Result.SKIPPED, "store-unavailable")  # it could be fetched and not be kept
    if is_fresh(parts, looked, min_fresh):
        return Asked(Result.FRESH, digest=looked.place.digest)
    if isinstance(looked.entry, Uncacheable) and looked.entry.until > parts.wall():
        return Asked(Result.SKIPPED, looked.entry.reason)
    return None


def _visit_of(parts: Parts, request: Request) -> Visit | None:
    book = parts.book
    matched = book.route_for(b"GET", request.path)
    key = key_of(request, matched, book) if matched is not None else None
    if matched is None or key is None:
        return None
    return Visit(request, matched, key, book, parts.forwarding)


async def _landed(parts: Parts, digest: str) -> None:
    """Wait until what was fetched is in the store: its flight stays on the board until then."""
    flight = parts.flights.under_way(digest)
    while flight is not None and parts.flights.under_way(digest) is flight:  # noqa: ASYNC110 - a flight tells nobody
        await asyncio.sleep(LOOKS_AGAIN_AFTER)
