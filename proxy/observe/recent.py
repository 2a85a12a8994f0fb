"""The last purges that this process made or tried, for people who look."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from proxy.observe.events import Purged

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.observe.events import Event

MOST: Final = 50
"""Purges that are remembered: a screenful or two."""

MOST_SELECTORS: Final = 10
"""Selectors of each: enough to recognise it by; a call may name a thousand."""


@dataclass(frozen=True, slots=True)
class PurgeSeen:
    """One purge: when, by wall-clock seconds; ``count`` selectors, the first of which are here."""

    at: float
    told: Purged
    count: int


class RecentPurges:
    """An observer that remembers the last purges, newest first."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._seen: deque[PurgeSeen] = deque(maxlen=MOST)

    def tell(self, event: Event) -> None:
        """Remember a purge; everything else is for others."""
        if isinstance(event, Purged):
            some = event.selectors[:MOST_SELECTORS]
            told = Purged(event.kind, event.mode, some, event.seq, event.request_id, event.failure)
            self._seen.appendleft(PurgeSeen(self._wall(), told, len(event.selectors)))

    def list(self) -> tuple[PurgeSeen, ...]:
        """Return them, newest first."""
        return tuple(self._seen)
