"""How many requests at once the backend bears: one more while it answers as usual, fewer as soon as it does not.

What is usual is what it takes when it is quick, learned from the warming itself and forgotten slowly: a warmer that
begins while the backend is slow must not take that for its best.
"""

from __future__ import annotations

from typing import Final

FIRST: Final = 4.0
"""Requests at once to begin with."""

FAR_FROM_USUAL: Final = 2.0
GRACE: Final = 0.05
"""Slow is twice the usual and 50 ms more, so that 2 ms after 1 ms is not."""

FEWER: Final = 0.75
RISES_BY: Final = 0.02
"""The share of the way that the usual goes up toward a slower answer; down it goes at once."""

LONGEST_REST: Final = 10.0
"""Seconds: how long a backend that fails is left alone at most, from half a second on."""

_SHORTEST_REST: Final = 0.5
_MOST_TRIES: Final = 16  # of doubling, far beyond the longest rest


class Pace:
    """One for all warming of a process: it is one backend."""

    def __init__(self) -> None:
        self._allowed = FIRST
        self._is_starting = True
        self._usual: float | None = None
        self._failures = 0

    @property
    def allowed(self) -> int:
        """How many requests may be under way."""
        return int(self._allowed)

    @property
    def rest(self) -> float:
        """Seconds for which nothing more is to be asked after the last failure; 0.0 where the last one worked."""
        if not self._failures:
            return 0.0
        return min(LONGEST_REST, _SHORTEST_REST * 2.0 ** min(self._failures - 1, _MOST_TRIES))

    def took(self, seconds: float) -> None:
        """Learn from an answer."""
        self._failures = 0
        usual = seconds if self._usual is None else self._usual
        self._usual = min(seconds, usual + RISES_BY * (seconds - usual))
        if seconds > FAR_FROM_USUAL * usual + GRACE:
            self._slower(FEWER)
        else:
            self._allowed += 1.0 if self._is_starting else 1.0 / self._allowed

    def failed(self) -> None:
        """Learn from a 5xx, or from no answer."""
        self._failures += 1
        self._slower(0.5)

    def keep_within(self, most: int) -> None:
        """Do not grow beyond what anybody wants."""
        self._allowed = min(self._allowed, float(most))

    def _slower(self, share: float) -> None:
        self._is_starting = False
        self._allowed = max(1.0, self._allowed * share)
