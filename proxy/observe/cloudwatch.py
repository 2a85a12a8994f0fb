"""Metrics to CloudWatch, once an interval, beside the requests and never in their way.

What could not be handed over waits, an hour of it at most, and goes with the next; after a failure the pause between two
tries doubles.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

from proxy.background import Background
from proxy.observe.events import ExportFailed, TaskFailed
from proxy.observe.intervals import between, look
from proxy.observe.putting import ExportError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from proxy.observe.counters import Counters
    from proxy.observe.events import Observer
    from proxy.observe.intervals import Datum, Look
    from proxy.observe.stats import RedisFacts

MOST_WAITING: Final = 60
"""Intervals that wait to be handed over: an hour by the default, and one call."""

LONGEST_PAUSE: Final = 900.0
"""Seconds between two tries at most: what waits is older than an hour by then, and lost."""


class Sender(Protocol):
    """Whoever takes metrics."""

    async def send(self, data: Sequence[Datum]) -> None:
        """Take them all, or raise ExportError."""
        ...


class Exporter:
    """``redis`` asks Redis how it is and never raises. ``wall`` gives wall-clock seconds."""

    def __init__(  # noqa: PLR0913, PLR0917 - who is asked, who takes it, who is told
        self,
        sender: Sender,
        interval: float,
        counters: Counters,
        redis: Callable[[], Awaitable[RedisFacts | None]],
        observer: Observer,
        wall: Callable[[], float],
    ) -> None:
        self._sender = sender
        self._interval = interval
        self._counters = counters
        self._redis = redis
        self._observer = observer
        self._wall = wall
        self._before: Look | None = None
        self._waiting: deque[tuple[Datum, ...]] = deque(maxlen=MOST_WAITING)
        self._failures = 0
        self._silent_until = 0.0
        self._tasks = Background(lambda name, error: observer.tell(TaskFailed(name, error)))

    def start(self) -> None:
        """Begin to count the first interval."""
        self._tasks.start(self._run(), name="cloudwatch")

    async def close(self) -> None:
        """End, with what was counted since the last interval. Idempotent."""
        await self._tasks.drain(0)
        if self._before is not None:
            await self.export()
            self._before = None

    async def export(self) -> None:
        """End an interval here, and hand over what waits unless it is too soon after a failure."""
        now, seen = self._wall(), look(self._counters, await self._redis())
        if self._before is not None and (data := between(self._before, seen, now)):
            self._waiting.append(data)
        self._before = seen
        if not self._waiting or now < self._silent_until:
            return
        sent = tuple(self._waiting)
        try:
            await self._sender.send([datum for data in sent for datum in data])
        except ExportError as error:
            self._failures += 1
            self._silent_until = now + pause_after(self._failures, self._interval)
            self._observer.tell(ExportFailed("cloudwatch", str(error)))
            return
        self._failures, self._silent_until = 0, 0.0
        self._waiting.clear()

    async def _run(self) -> None:
        while True:
            await self.export()
            await asyncio.sleep(self._interval)


def pause_after(failures: int, interval: float) -> float:
    """Return the seconds in which nothing is tried after so many failures in a row."""
    return float(min(LONGEST_PAUSE, interval * 2.0 ** min(failures - 1, 20)))
