"""Carries the counts of this process into the ranking, every few seconds.

What could not be carried stays counted here and goes with the next: losing a merge loses nothing but time.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from proxy.background import Background
from proxy.message.errors import StoreError
from proxy.observe.events import TaskFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.observe.events import Observer
    from proxy.popularity.counts import Popularity
    from proxy.popularity.ranking import Ranking

EVERY: Final = 5.0
"""Seconds between two merges: what a process that dies takes with it, and a fifth of a percent of its time at most."""

MOST_AT_ONCE: Final = 1000
"""Entries in one merge: some 400 KB and 4 ms. The rest is read less, and waits."""


class Merging:
    """Between start and close it happens by itself; ``merge`` is one."""

    def __init__(self, popularity: Popularity, ranking: Ranking, observer: Observer, wall: Callable[[], float]) -> None:
        self._popularity = popularity
        self._ranking = ranking
        self._wall = wall
        self._tasks = Background(lambda name, error: observer.tell(TaskFailed(name, error)))

    def start(self) -> None:
        """Begin to merge."""
        self._tasks.start(self._run(), name="popularity")

    async def close(self) -> None:
        """Stop, and carry over what there is. Idempotent."""
        await self._tasks.drain(0)
        await self.merge()

    async def merge(self) -> None:
        """Carry over the largest gains."""
        if not (gains := self._popularity.gains(MOST_AT_ONCE)):
            return
        with contextlib.suppress(StoreError):  # the backplane has told; they stay counted here
            await self._ranking.add(gains, self._wall())
            self._popularity.were_carried(gains)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await self.merge()
