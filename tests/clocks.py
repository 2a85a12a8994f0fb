"""A clock for tests."""

from __future__ import annotations

NOON = 1_700_000_000.0


class Clock:
    """Stands still until a test sets ``now``."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
