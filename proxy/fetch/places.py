"""How many requests the backend may work on at once, and the queue before it: first come, first served."""

from __future__ import annotations

import asyncio
import math
from collections import deque

from proxy.message.errors import OriginError


class Place:
    """One request's right to be with the backend. Giving it back twice gives it back once."""

    __slots__ = ("_places",)

    def __init__(self, places: Places) -> None:
        self._places: Places | None = places

    def give_back(self) -> None:
        """Let the next one in. Idempotent."""
        places, self._places = self._places, None
        if places is not None:
            places.free()


class Places:
    """A fixed number of places. ``taken`` counts those in use."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.taken = 0
        self._queue: deque[asyncio.Future[Place]] = deque()
        self._is_closed = False

    @property
    def waiting(self) -> int:
        """How many stand in the queue."""
        return len(self._queue)

    def take_at_once(self) -> Place | None:
        """Return a place, None where somebody would have to wait for it."""
        if self.taken >= self.limit or self._queue or self._is_closed:
            return None
        self.taken += 1
        return Place(self)

    async def take(self, patience: float) -> Place:
        """Return a place, waiting ``patience`` seconds at most. Raises OriginError 503 with ``retry_after``."""
        if (place := self.take_at_once()) is not None:
            return place
        if self._is_closed:
            raise _shutting_down()
        turn: asyncio.Future[Place] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            async with asyncio.timeout(patience):
                return await turn
        except TimeoutError:
            self._leave(turn)
            detail = "too many requests are waiting for the backend"
            raise OriginError(detail, 503, retry_after=max(1, math.ceil(patience))) from None
        except asyncio.CancelledError:
            self._leave(turn)
            raise

    def free(self) -> None:
        """Hand a place that was given back to the first in the queue."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(Place(self))
                return
        self.taken -= 1

    def close(self) -> None:
        """Send everybody in the queue away, and whoever comes later."""
        self._is_closed = True
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_exception(_shutting_down())

    def _leave(self, turn: asyncio.Future[Place]) -> None:
        # The place and the end of patience may fall into one turn of the loop: then it goes to the next.
        if turn.done() and not turn.cancelled() and turn.exception() is None:
            turn.result().give_back()
        elif turn in self._queue:
            self._queue.remove(turn)


def _shutting_down() -> OriginError:
    return OriginError("the proxy is shutting down", 503)
