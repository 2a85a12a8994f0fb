"""Carries the reads of this process into the windows, every few seconds, for routes whose ttl follows the traffic.

What could not be carried is not repeated: it would count in a window in which it was not read.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from proxy.background import Background
from proxy.message.errors import StoreError
from proxy.message.selectors import route as selector_of
from proxy.observe.events import TaskFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.observe.events import Observer
    from proxy.policy.rules import RuleBook
    from proxy.popularity.counts import Popularity
    from proxy.popularity.windows import Windows

EVERY: Final = 5.0
"""Seconds between two merges: by so much a read may count in the window after its own, which is a minute at least."""


class Tallying:
    """Between start and close it happens by itself; ``merge`` is one. ``book`` gives the running rules."""

    def __init__(
        self,
        popularity: Popularity,
        windows: Windows,
        book: Callable[[], RuleBook],
        observer: Observer,
        wall: Callable[[], float],
    ) -> None:
        self._popularity = popularity
        self._windows = windows
        self._book = book
        self._wall = wall
        self._tasks = Background(lambda name, error: observer.tell(TaskFailed(name, error)))

    def start(self) -> None:
        """Begin to merge; at once, for a window is seen from when somebody counts."""
        self._tasks.start(self._run(), name="reads in windows")

    async def close(self) -> None:
        """Stop, and carry over what there is. Idempotent."""
        await self._tasks.drain(0)
        await self.merge()

    async def merge(self) -> None:
        """Carry over what was read since the last time."""
        following = {selector_of(each.name): each for each in self._book().routes if each.adaptive is not None}
        taken = self._popularity.take_reads(following.keys()) if following else {}
        for selector, route in following.items():
            assert route.adaptive is not None
            with contextlib.suppress(StoreError):  # the backplane has told
                await self._windows.add(route.name, route.adaptive.window, taken.get(selector, ()), self._wall())

    async def _run(self) -> None:
        while True:
            await self.merge()
            await asyncio.sleep(EVERY)
