"""The statistics of all replicas, added up through Redis.

Under ``cache:stats:<service>:``, each key with a time of its own and a bound on its size:

- ``<replica>``  what one process has counted since the last reset: rewritten every few seconds, never added to, so that
  a write whose answer was lost may be repeated
- ``replicas``   a sorted set of their names by the time of their last write: 256 at most
- ``reset``      when somebody last reset the statistics

A replica that leaves writes once more, and what it wrote counts on for a day: a deployment does not make the totals
shrink. The later of two resets wins, wherever it is found, and a share that does not know of it does not count. So a
reset holds at once for who reads, and one that was asked for while Redis was away is carried out when it is back.
One for each sidecar: of several worker processes, the one that has the sum.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from proxy.background import Background
from proxy.message.errors import StoreError
from proxy.observe.events import TaskFailed
from proxy.observe.shares import Letter, packed, unpacked
from proxy.observe.stats import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from proxy.backplane.client import Backplane
    from proxy.observe.events import Observer
    from proxy.observe.shares import Share
    from proxy.observe.stats import Stats

EVERY: Final = 5.0
"""Seconds between two writes: how much a process that is killed takes with it."""

LIVES: Final = 3 * EVERY
"""Seconds after its last write for which a replica is believed to live: two writes may fail."""

KEPT: Final = 86400
"""Seconds for which a replica that left still counts."""

MOST: Final = 256
"""Replicas that count: ten that are replaced every hour. Some 3 KB each; beyond it, who left first counts no more."""


@dataclass(frozen=True, slots=True)
class Others:
    """What the other replicas have counted: ``live`` of them live, ``left`` are gone; ``at`` is when they were asked."""

    shares: tuple[Share, ...] = ()
    live: int = 0
    left: int = 0
    at: float | None = None

    def document(self) -> dict[str, Any]:
        """Return how many replicas the totals are made of, this one included, and when the others were last read."""
        return {
            "live": self.live + 1,
            "left": self.left,
            "as_of": None if self.at is None else moment(self.at),
        }


class SharedStats:
    """Between start and close it happens by itself; ``write`` is one. Without a backplane this replica is alone."""

    def __init__(
        self, backplane: Backplane | None, service: str, stats: Stats, observer: Observer, wall: Callable[[], float]
    ) -> None:
        self._backplane = backplane
        self._stats = stats
        self._wall = wall
        self._name = secrets.token_hex(8)
        prefix = f"cache:stats:{service}:"
        self._prefix = prefix
        self._index, self._marker = f"{prefix}replicas", f"{prefix}reset"
        self._reset = 0.0
        self._others = Others()
        self._tasks = Background(lambda name, error: observer.tell(TaskFailed(name, error)))

    def start(self) -> None:
        """Begin to share."""
        if self._backplane is not None:
            self._tasks.start(self._run(), name="shared statistics")

    async def close(self) -> None:
        """Stop, and leave behind what was counted. Idempotent; nothing where it was never begun."""
        if not len(self._tasks):
            return
        await self._tasks.drain(0)
        with contextlib.suppress(StoreError):  # the backplane has told
            await self.write()

    async def write(self) -> None:
        """Take over a reset that others were asked for, then say what was counted here. Raises StoreError."""
        if self._backplane is None:
            return
        self._settle(await self._backplane.run("stats", b"GET", self._marker))
        now = self._wall()
        letter = packed(Letter(now, self._reset, self._stats.share()))
        await self._backplane.pipeline(
            "stats",
            (
                (b"SET", self._prefix + self._name, letter, b"EX", KEPT),
                (b"ZADD", self._index, now, self._name),
                (b"ZREMRANGEBYRANK", self._index, 0, -MOST - 1),
                (b"EXPIRE", self._index, KEPT),
                # Also where it was lost: whoever begins now must not count what came before.
                *([(b"SET", self._marker, repr(self._reset), b"EX", KEPT)] if self._reset else []),
            ),
        )

    async def others(self) -> Others:
        """Return what the others have counted; while Redis does not answer, what they had when it last did."""
        if self._backplane is not None:
            with contextlib.suppress(StoreError):  # the backplane has told
                self._others = await self._read(self._backplane)
        return self._others

    async def reset(self) -> None:
        """Begin again at zero, here at once and everywhere as soon as Redis knows."""
        # Later than any other, whatever this machine's clock says.
        self._reset = max(self._wall(), math.nextafter(self._reset, math.inf))
        self._stats.reset()
        self._others = Others(live=self._others.live, at=self._others.at)
        with contextlib.suppress(StoreError):  # the next write does it
            await self.write()

    def _settle(self, found: bytes | None) -> None:
        told = _moment_of(found)
        if told <= self._reset:
            return
        self._reset = told
        if self._stats.share().since < told:  # a process that began after it has nothing to forget
            self._stats.reset()

    async def _read(self, backplane: Backplane) -> Others:
        marker, names = await backplane.pipeline(
            "stats", ((b"GET", self._marker), (b"ZREVRANGE", self._index, 0, MOST - 1))
        )
        self._settle(marker)
        own = self._name.encode()
        keys = [self._prefix.encode() + name for name in names if name != own]
        replies = await backplane.pipeline("stats", [(b"GET", key) for key in keys]) if keys else []
        return counted(filter(None, map(_letter_of, replies)), self._reset, self._wall())

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(StoreError):  # the backplane has told; the next write says all of it
                await self.write()
            await asyncio.sleep(EVERY)


def counted(letters: Iterable[Letter], reset: float, now: float) -> Others:
    """Return what counts of the others' letters: what was written before a reset does not."""
    known = tuple(letters)
    live = sum(now - letter.at < LIVES for letter in known)
    shares = tuple(letter.share for letter in known if letter.reset >= reset)
    return Others(shares, live, len(known) - live, now)


def _letter_of(reply: bytes | None) -> Letter | None:
    if reply is None:  # its time was over, or it was evicted
        return None
    try:
        return unpacked(reply)
    except ValueError:
        # Of another version, while a deployment is under way: its numbers cannot be added to these.
        return None


def _moment_of(found: bytes | None) -> float:
    try:
        told = float(found or 0)
    except ValueError:
        return 0.0
    return told if 0 <= told < math.inf else 0.0
