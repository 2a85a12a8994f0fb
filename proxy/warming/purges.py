"""Purges that are heard of, gathered: by the quarter of a second of the ledger's time in which they fell.

Every replica hears of every purge, and all of them gather the same ones, so that one turn is enough for all.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from proxy.message.selectors import EVERYTHING
from proxy.purge.marks import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from proxy.message.selectors import Seq

QUARTER: Final = MICROSECONDS // 4

GATHERED_FOR: Final = 0.5
"""Seconds from the first of them on: five times what the mirrors' looks lie apart."""

MOST: Final = 10_000
"""Selectors of one quarter of a second; more count as everything."""


class Gathering:
    """``tell`` gets the selectors of one quarter of a second, and its number."""

    def __init__(self, tell: Callable[[int, frozenset[str]], None]) -> None:
        self._tell = tell
        self._open: dict[int, set[str]] = {}
        self._timers: set[asyncio.TimerHandle] = set()

    def heard(self, selectors: Iterable[str], seq: Seq) -> None:
        """Take up one purge."""
        quarter = seq.n // QUARTER
        if quarter not in self._open:
            self._open[quarter] = set()
            timer = asyncio.get_running_loop().call_later(GATHERED_FOR, self._close, quarter)
            self._timers.add(timer)
        gathered = self._open[quarter]
        gathered.update(selectors)
        if len(gathered) > MOST:
            self._open[quarter] = {EVERYTHING}

    def close(self) -> None:
        """Forget what was not told yet. Idempotent."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._open.clear()

    def _close(self, quarter: int) -> None:
        self._timers = {timer for timer in self._timers if timer.when() > asyncio.get_running_loop().time()}
        self._tell(quarter, frozenset(self._open.pop(quarter)))
