"""Requests that purge: carried to their response head whoever leaves, purged for before their answer is released.

1. The request goes out in a task of its own; the client may hang up, the backend still gets it whole where it was whole.
2. Its head arrives. 2xx, 3xx and 5xx purge: a 5xx may have written before it failed.
3. No head (timeout, reset): purge at once, and again after ``upstream.timeout``, since the write may still be under way.
4. The answer is released when the purge holds at every replica, or after ``purge.wait_at_most``; the purge goes on. So
   whoever has the answer to a write reads what was written, through whichever replica.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from proxy.message.errors import OriginError, SapwoodError, StoreError
from proxy.observe.events import Purged
from proxy.pipeline.passing import send_through
from proxy.policy import invalidation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.fetch.origin import Reply
    from proxy.message.selectors import Seq
    from proxy.pipeline.parts import Parts
    from proxy.pipeline.visit import Call
    from proxy.policy.invalidation import Purge

LOOK_EVERY = 0.01
"""Seconds between two looks at who has confirmed: replicas look ten times a second, so five such looks for a write."""

NEVER_LEFT = 503
"""The status of an OriginError for a request that found no place in the queue: it has written nothing."""


async def is_refused(parts: Parts, call: Call) -> bool:
    """Say whether a rule that the write matches rather refuses it than loses its purge, and the ledger is away."""
    rules = call.book.writes_for(call.request.method, call.request.path)
    if not any(rule.on_store_failure == "refuse" for rule, _ in rules):
        return False
    try:
        await parts.ledger.position()
    except StoreError:
        return True
    return False


async def carry(parts: Parts, call: Call) -> Reply:
    """Send a write through and purge for it. Raises what kept the head from coming.

    Leaving early cancels only the waiting.
    """
    work = parts.background.start(_carry(parts, call), name="write")
    try:
        outcome = await asyncio.shield(work)
    except asyncio.CancelledError:
        work.add_done_callback(lambda done: _nobody_takes(parts, done))
        raise
    if isinstance(outcome, SapwoodError):
        raise outcome
    return outcome


async def _carry(parts: Parts, call: Call) -> Reply | SapwoodError:
    try:
        reply = await send_through(parts, call)
    except SapwoodError as error:
        if not isinstance(error, OriginError) or error.status != NEVER_LEFT:
            purges = invalidation.purges_for(call.request, None, call.book)
            await purge_all(parts, purges, call)
            parts.background.start(_purge_again(parts, purges, call), name="purge again")
        return error
    await purge_all(parts, invalidation.purges_for(call.request, reply.response, call.book), call)
    return reply


async def _purge_again(parts: Parts, purges: Sequence[Purge], call: Call) -> None:
    await asyncio.sleep(parts.options.upstream_timeout)
    await purge_all(parts, purges, call)


async def purge_all(parts: Parts, purges: Sequence[Purge], call: Call) -> None:
    """Purge, and hold the caller at most ``purge.wait_at_most`` for it; what is late goes on by itself."""
    asked_by = call.request.request_id.decode("latin-1")
    work = [
        parts.background.start(_purge_one(parts, selectors, asked_by, soft=soft), name="purge")
        for selectors, soft in merged(purges)
    ]
    if work:
        await asyncio.wait(work, timeout=parts.options.purge_wait)


def merged(purges: Sequence[Purge]) -> list[tuple[tuple[str, ...], bool]]:
    """Return one call's selectors for the hard purges, one's for the soft ones."""
    calls = []
    for soft in (False, True):
        selectors = tuple(dict.fromkeys(name for purge in purges if purge.soft is soft for name in purge.selectors))
        if selectors:
            calls.append((selectors, soft))
    return calls


async def _purge_one(parts: Parts, selectors: tuple[str, ...], asked_by: str, *, soft: bool) -> None:
    mode = "soft" if soft else "hard"
    try:
        seq = await parts.ledger.purge(selectors, soft=soft, now=parts.wall())
    except StoreError as error:
        # The ledger keeps it, holds it against this process's own hits, and sends it again.
        parts.observer.tell(Purged("write", mode, selectors, "", asked_by, failure=str(error)))
        return
    parts.observer.tell(Purged("write", mode, selectors, str(seq), asked_by))
    await _until_it_holds(parts, seq)


async def _until_it_holds(parts: Parts, seq: Seq) -> None:
    """Wait until no hot tier can serve what was purged: each has confirmed it, or what it knew is too old by now."""
    clock = asyncio.get_running_loop().time
    began = clock()
    try:
        while not (await parts.ledger.replicas(seq)).hold_after(clock() - began):  # noqa: ASYNC110 - others' doing
            await asyncio.sleep(LOOK_EVERY)
    except StoreError:
        return  # the backplane has told; the purge is acknowledged, and holds at the others after their max_lag


def _nobody_takes(parts: Parts, done: asyncio.Task[Reply | SapwoodError]) -> None:
    if done.cancelled() or done.exception() is not None:
        return
    outcome = done.result()
    if not isinstance(outcome, SapwoodError):
        parts.background.start(outcome.body.aclose(), name="close an answer that nobody takes")
