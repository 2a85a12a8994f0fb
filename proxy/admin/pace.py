"""How many calls a second."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

BURST = 2.0
"""Seconds' worth of calls that may come at once after a pause: a deployment's hooks, a nightly job."""


class Pace:
    """A bucket of calls that fills with time. ``clock`` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._spent = 0.0  # seconds' worth of calls, beyond what has flowed back since
        self._at = clock()

    def wait_for(self, per_second: int) -> float:
        """Return 0.0 and count one call, or the seconds until there is room for one."""
        now = self._clock()
        self._spent = max(0.0, self._spent - (now - self._at))
        self._at = now
        cost = 1.0 / per_second
        over = self._spent + cost - BURST
        if over > 1e-9:  # noqa: PLR2004 - what adding 400 fractions leaves over
            return over
        self._spent += cost
        return 0.0
