"""Reads of each entry in windows by the clock, for lifetimes that follow the traffic; and those of one process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from proxy.policy.adaptive import last_full

if TYPE_CHECKING:
    from collections.abc import Sequence

SILENCE: Final = 60.0
"""Seconds without a word from anybody who counts, after which a window counts as not seen: a dozen merges."""

MOST: Final = 16_000
"""Entries that are counted in one window of one route, for each of 16 parts. Others get the base."""


class Windows(Protocol):
    """Adds up what all processes have counted. Every method raises StoreError."""

    async def add(self, route: str, window: float, reads: Sequence[tuple[str, int]], now: float) -> None:
        """Count reads of entries, by digest, at wall-clock seconds ``now``; without any, say that somebody counts."""
        ...

    async def last(self, route: str, window: float, digest: str, now: float) -> int | None:
        """Return an entry's reads in the last full window; None where nobody counted through the whole of it."""
        ...


class OwnWindows:
    """The windows of one process (``memory://``): this one and the last."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, float], float] = {}
        self._heard: dict[tuple[str, float], float] = {}
        self._reads: dict[tuple[str, float, int], dict[str, int]] = {}

    async def add(self, route: str, window: float, reads: Sequence[tuple[str, int]], now: float) -> None:
        """Count reads."""
        place, last = (route, window), last_full(window, now).number
        heard = self._heard.get(place, now)
        if now - heard > SILENCE:
            del self._since[place]
        self._since.setdefault(place, now)
        self._heard[place] = max(now, heard)
        self._reads = {one: counts for one, counts in self._reads.items() if one[:2] != place or one[2] >= last}
        counts = self._reads.setdefault((*place, last + 1), {})
        for digest, number in reads:
            if digest in counts or len(counts) < MOST:
                counts[digest] = counts.get(digest, 0) + number

    async def last(self, route: str, window: float, digest: str, now: float) -> int | None:
        """Return an entry's reads in the last full window."""
        number, began = last_full(window, now)
        if self._since.get((route, window), now) > began:
            return None
        counts = self._reads.get((route, window, number), {})
        return None if len(counts) >= MOST and digest not in counts else counts.get(digest, 0)
