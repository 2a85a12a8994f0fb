"""Open after a failure; one probe at a time finds out when to close it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from proxy.observe.events import BreakerMoved

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from proxy.background import Background

FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 2.0


class Breaker:
    """Closed: calls go to the server. Open: they fail without waiting, and a probe runs in the background.

    ``probe`` returns when the server answered and raises when it did not; ``tell`` hears of every change, with the
    reason. The first probe goes out at once, so a single dropped connection costs one round trip; then the pauses
    double from 100 ms to 2 s.
    """

    def __init__(
        self, probe: Callable[[], Awaitable[None]], tell: Callable[[BreakerMoved], None], background: Background
    ) -> None:
        self._probe = probe
        self._tell = tell
        self._background = background
        self.is_open = False

    def trip(self, reason: str) -> None:
        """Open, if it is not open yet."""
        if self.is_open:
            return
        self.is_open = True
        self._tell(BreakerMoved(True, reason))
        self._background.start(self._recover(), "store probe")

    async def _recover(self) -> None:
        pause = FIRST_PAUSE
        while not await self._answers():
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        self.is_open = False
        self._tell(BreakerMoved(False, "the store answers again"))

    async def _answers(self) -> bool:
        # The probe maps every failure of the server to one error of ours; its text was told when the breaker opened.
        try:
            await self._probe()
        except ConnectionError:
            return False
        return True
