"""One look at the service per second, however many watch; the points of the last minutes even while nobody does."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import orjson

from proxy import __version__
from proxy.admin import health
from proxy.admin.gathering import Gathering
from proxy.admin.points import WINDOW, Sample, point_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.admin.control import Control

EVERY: Final = 1.0
"""Seconds between two looks."""

KEPT: Final = 600
"""Points that are kept, 150 bytes each as text: who opens the page after an incident sees its last ten minutes."""

PATIENCE: Final = 0.5
"""Seconds that one look waits for the store; what has not come by then is shown as it was."""


class Watch:
    """Looks, keeps points, and wakes those who wait for the next look. ``wall`` gives wall-clock seconds."""

    def __init__(self, control: Control, *, every: float = EVERY, wall: Callable[[], float] = time.time) -> None:
        self._control = control
        self._every = every
        self._wall = wall
        self._samples: deque[Sample] = deque(maxlen=int(WINDOW / every) + 2)
        self._points: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._gathering = Gathering(
            {
                "health": control.health,
                "stats": control.stats,
                "purges": control.recent_purges,
                "replicas": control.followers,
                "warm": control.warming,
            },
            PATIENCE,
        )
        self._snapshot = b""
        self._looked = asyncio.Event()
        self.watchers = 0
        self.is_over = False

    async def run(self) -> None:
        """Look once a second until cancelled; whoever waits then hears that it is over."""
        try:
            while True:
                began = asyncio.get_running_loop().time()
                await self._look()
                took = asyncio.get_running_loop().time() - began
                await asyncio.sleep(max(0.0, self._every - took))
        finally:
            self.is_over = True
            self._wake()
            await self._gathering.close()

    def history(self) -> bytes:
        """Return the points that are kept, as an event."""
        return event("history", {"every": self._every, "window": WINDOW, "points": list(self._points)})

    async def next(self) -> bytes | None:
        """Wait for the next look and return it as an event; None when there will be none."""
        looked = self._looked
        if not self.is_over:
            await looked.wait()
        return None if self.is_over else self._snapshot

    async def _look(self) -> None:
        self._samples.append(
            Sample(asyncio.get_running_loop().time(), self._wall(), await self._control.pulse()),
        )
        if len(self._samples) > 1:
            self._points.append(point_of(self._samples))
        if self.watchers:
            self._snapshot = event("snapshot", await self._document())
            self._wake()

    def _wake(self) -> None:
        looked, self._looked = self._looked, asyncio.Event()
        looked.set()

    async def _document(self) -> dict[str, Any]:
        known = await self._gathering.round()
        facts, pulse = known.pop("health"), self._samples[-1].pulse
        return {
            "at": round(self._samples[-1].wall, 3),
            "version": __version__,
            "service": self._control.book.service,
            "hash": self._control.config()["hash"],
            "point": self._points[-1] if self._points else None,
            "memory": {"bytes": pulse.memory_bytes, "entries": pulse.memory_entries},
            "in_flight": pulse.in_flight,
            "health": None if facts is None else health.document(facts),
            **known,
        }


def event(name: str, document: Any) -> bytes:
    """Return a server-sent event: JSON has no raw line ends, so the data is one line."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS))
