"""Requests that purge: carried to their response head whoever leaves, purged for before their answer is released.

1. The request goes out in a task of its own; the client may hang up, the backend still gets it whole where it was whole.
2. Its head arrives. 2xx, 3xx and 5xx purge: a 5xx may have written before it failed.
3. No head (timeout, reset): purge at once, and again after ``upstream.timeout``, since the write may still be under way.
4. The answer is released when the ledger has acknowledged, or after ``purge.wait_at_most``; the purge goes on.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from proxy.message.errors import OriginError, SapwoodError, StoreError
from proxy.observe.events import Purged
from proxy.pipeline.passing import send_through
from proxy.policy import invalidation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxy.fetch.origin import Reply
    from proxy.message.body import Body
    from proxy.message.request import Request
    from proxy.message.response import Response
    from proxy.pipeline.parts import Parts
    from proxy.policy.forwarding import Forwarding
    from proxy.policy.invalidation import Purge
    from proxy.policy.rules import RuleBook


async def carry(
    parts: Parts,
    book: RuleBook,
    rules: Forwarding,
    request: Request,
    body: Body | None,
    interim: Callable[[Response], None] | None,
    *,
    route: str,
) -> Reply:
    """Send a write through and purge for it. Raises what kept the head from coming; leaving early cancels only the waiting."""
    work = parts.background.start(_carry(parts, book, rules, request, body, interim, route=route), name="write")
    try:
        outcome = await asyncio.shield(work)
    except asyncio.CancelledError:
        work.add_done_callback(lambda done: _nobody_takes(parts, done))
        raise
    if isinstance(outcome, SapwoodError):
        raise outcome
    return outcome


async def _carry(
    parts: Parts,
    book: RuleBook,
    rules: Forwarding,
    request: Request,
    body: Body | None,
    interim: Callable[[Response], None] | None,
    *,
    route: str,
) -> Reply | SapwoodError:
    try:
        reply = await send_through(parts, rules, request, body, interim, route=route)
    except SapwoodError as error:
        # A request that never left (503: no place in the queue) has written nothing.
        if not isinstance(error, OriginError) or error.status != 503:
            purges = invalidation.purges_for(request, None, book)
            await purge_all(parts, purges, request)
            parts.background.start(_purge_again(parts, purges, request), name="purge again")
        return error
    purges = invalidation.purges_for(request, reply.response, book)
    await purge_all(parts, purges, request)
    return reply


async def _purge_again(parts: Parts, purges: Sequence[Purge], request: Request) -> None:
    await asyncio.sleep(parts.options.upstream_timeout)
    await purge_all(parts, purges, request)


async def purge_all(parts: Parts, purges: Sequence[Purge], request: Request) -> None:
    """Purge, and hold the caller at most ``purge.wait_at_most`` for it; what is late goes on by itself."""
    work = [parts.background.start(_purge_one(parts, call, request.request_id), name="purge") for call in merged(purges)]
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


async def _purge_one(parts: Parts, call: tuple[tuple[str, ...], bool], request_id: bytes) -> None:
    selectors, soft = call
    mode, asked_by = ("soft" if soft else "hard"), request_id.decode("latin-1")
    try:
        seq = await parts.ledger.purge(selectors, soft=soft, now=parts.wall())
    except StoreError as error:
        # The ledger keeps it, holds it against this process's own hits, and sends it again.
        parts.observer.tell(Purged("write", mode, selectors, "", asked_by, failure=str(error)))
        return
    parts.observer.tell(Purged("write", mode, selectors, str(seq), asked_by))


def _nobody_takes(parts: Parts, done: asyncio.Task[Reply | SapwoodError]) -> None:
    if done.cancelled() or done.exception() is not None:
        return
    outcome = done.result()
    if not isinstance(outcome, SapwoodError):
        parts.background.start(outcome.body.aclose(), name="close an answer that nobody takes")
