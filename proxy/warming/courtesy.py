"""How many of the places toward the backend live traffic can spare.

A request that is under way cannot be called back, so the room for live ones is kept free before: as many places as
live traffic has taken at most in the last seconds, a quarter at least. Only a burst that is larger than anything of
these seconds, and than a quarter, can meet a warm request in its place, and waits for that one answer.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.fetch.origin import Origin

KEPT_FREE: Final = 4
"""One place in so many is never warming's."""

REMEMBERED: Final = 5.0
"""Seconds for which live traffic's peak is remembered."""


class Courtesy:
    """One for all warming of a process. ``clock`` gives monotonic seconds."""

    def __init__(self, origin: Origin, clock: Callable[[], float]) -> None:
        self._origin = origin
        self._clock = clock
        self._peaks: deque[tuple[float, int]] = deque()  # falling: what comes later and is higher makes it needless
        self.under_way = 0

    def has_room(self) -> bool:
        """Say whether one more may be asked now."""
        origin = self._origin
        limit = origin.limit
        most = limit - max(limit // KEPT_FREE, self._peak(max(0, origin.in_flight - self.under_way)))
        return not origin.waiting and self.under_way < most

    def _peak(self, live: int) -> int:
        now, peaks = self._clock(), self._peaks
        while peaks and peaks[0][0] < now - REMEMBERED:
            peaks.popleft()
        while peaks and peaks[-1][1] <= live:
            peaks.pop()
        peaks.append((now, live))
        return peaks[0][1]
