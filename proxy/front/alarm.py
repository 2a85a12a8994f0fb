"""One timer per connection, set often and armed seldom: a later time costs a number, only an earlier one the loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


class Alarm:
    """Calls ``ring`` once, at the time last set."""

    __slots__ = ("_armed_for", "_due", "_handle", "_loop", "_ring")

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop = loop
        self._ring = ring
        self._due: float | None = None
        self._handle: asyncio.TimerHandle | None = None
        self._armed_for = 0.0

    def set(self, seconds: float) -> None:
        """Ring that much later than now, and at no other time."""
        self.set_from(self._loop.time(), seconds)

    def set_from(self, now: float, seconds: float) -> None:
        """Ring that much later than ``now``, which is the loop's time as the caller has read it."""
        due = now + seconds
        self._due = due
        if self._handle is None or due < self._armed_for:
            self._arm(due)

    def clear(self) -> None:
        """Do not ring; the loop's timer, if armed, will find nothing to do."""
        self._due = None

    def cancel(self) -> None:
        """Never ring again, and let go of the loop's timer."""
        self._due = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _arm(self, due: float) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._armed_for = due
        self._handle = self._loop.call_at(due, self._fired)

    def _fired(self) -> None:
        self._handle = None
        due = self._due
        if due is None:
            return
        if due > self._loop.time():
            self._arm(due)
            return
        self._due = None
        self._ring()
