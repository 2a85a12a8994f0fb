"""A purge's receipt: how far it has come, and waiting until it holds everywhere."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from proxy.message.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from proxy.message.selectors import Seq
    from proxy.purge.replicas import Replicas

LOOK_EVERY: Final = 0.02
"""Seconds between two looks at who has confirmed, at first: replicas look at the ledger ten times a second."""

LONGEST_PAUSE: Final = 0.5
"""Seconds between two looks later on, for one that does not answer: a thousand callers may wait for it."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """``replicas`` None: the purge is acknowledged, but who has seen it could not be read."""

    seq: Seq
    replicas: Replicas | None
    effective: bool

    def as_dict(self, mode: str, selectors: int) -> dict[str, Any]:
        """Return the document of interface.md section 5."""
        return {
            "seq": str(self.seq),
            "mode": mode,
            "selectors": selectors,
            "replicas": replicas_shown(self.replicas),
            "effective": self.effective,
        }


def replicas_shown(replicas: Replicas | None) -> dict[str, int | None]:
    """Return the counts, null where they could not be read."""
    if replicas is None:
        return {"live": None, "confirmed": None}
    return {"live": replicas.live, "confirmed": replicas.confirmed}


async def receipt_for(seq: Seq, ask: Callable[[Seq], Awaitable[Replicas]], wait: float) -> Receipt:
    """Ask until the purge, just acknowledged, holds everywhere, or ``wait`` seconds have passed.

    It holds when each live replica has confirmed it, or when the largest ``max_lag`` that any of them has announced
    has passed: a replica that is stopped cannot confirm, and need not, for it asks before it trusts a mirror that old.
    """
    clock = asyncio.get_running_loop().time
    began, seen = clock(), None
    while True:
        seen = await _asked(seq, ask, seen)
        passed = clock() - began
        if seen is not None and seen.hold_after(passed):
            return Receipt(seq, seen, effective=True)
        if passed >= wait:
            return Receipt(seq, seen, effective=False)
        lag = wait if seen is None else seen.max_lag
        pause = min(max(LOOK_EVERY, passed / 4), LONGEST_PAUSE)
        await asyncio.sleep(max(0.001, min(pause, wait - passed, lag - passed)))


async def _asked(seq: Seq, ask: Callable[[Seq], Awaitable[Replicas]], before: Replicas | None) -> Replicas | None:
    try:
        seen = await ask(seq)
    except StoreError:
        return before  # the backplane has told; the purge holds by time, if it was ever known for how long
    return seen if before is None else replace(seen, max_lag=max(seen.max_lag, before.max_lag))
