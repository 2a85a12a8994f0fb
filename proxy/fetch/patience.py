"""One timer that is moved often and fires seldom: moving it writes a number, nothing else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Patience:
    """Calls ``expired`` once when the far side, while it held the ball, was silent for the allowed seconds."""

    __slots__ = ("_allowed", "_due", "_expired", "_holds", "_loop", "_since", "_timer")

    def __init__(self, expired: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._expired = expired
        self._allowed = 0.0
        self._since = 0.0
        self._due = 0.0
        self._holds = 0
        self._timer: asyncio.TimerHandle | None = None

    def allow(self, seconds: float) -> None:
        """Start over with that many seconds; whoever holds goes on holding."""
        self._allowed = seconds
        self._since = now = self._loop.time()
        if self._timer is None:
            self._set(seconds, now)
        elif now + seconds < self._due:  # it would fire too late
            self._timer.cancel()
            self._set(seconds, now)

    def touch(self) -> None:
        """Note that the far side did something."""
        self._since = self._loop.time()

    def hold(self) -> None:
        """Stop counting: it is we, or our client, who keep the far side waiting. May be held more than once."""
        self._holds += 1

    def let_go(self) -> None:
        """Count again, from now, once everybody who held has let go."""
        self._holds -= 1
        self._since = self._loop.time()

    def stop(self) -> None:
        """Never fire again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set(self, seconds: float, now: float) -> None:
        self._due = now + seconds
        self._timer = self._loop.call_later(seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        now = self._loop.time()
        left = self._allowed if self._holds else self._since + self._allowed - now
        if left > 0:
            self._set(left, now)
        else:
            self._expired()
