"""One question at a time for many who ask: each gets an answer to a question that was sent after it had asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

from proxy.message.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from proxy.background import Background

T = TypeVar("T")


class Shuttle(Generic[T]):
    """Departs when the one before is back, and ``apart`` seconds after that one's departure at the earliest.

    Whoever comes while one is under way takes the next: the answer under way may be older than what is asked about.
    """

    def __init__(self, tasks: Background, ask: Callable[[], Awaitable[T]], *, apart: float) -> None:
        self._tasks = tasks
        self._ask = ask
        self._apart = apart
        self._under_way: asyncio.Task[T | StoreError] | None = None
        self._next: asyncio.Task[T | StoreError] | None = None
        self._departed: float | None = None

    async def ride(self) -> T:
        """Return the next answer. Raises StoreError. Leaving early takes nothing from the others."""
        if self._next is None:
            self._next = self._tasks.start(self._trip(self._under_way), "purge replicas")
        answer = await asyncio.shield(self._next)
        if isinstance(answer, StoreError):
            raise StoreError(str(answer)) from answer
        return answer

    async def _trip(self, before: asyncio.Task[T | StoreError] | None) -> T | StoreError:
        if before is not None:
            await asyncio.wait([before])
        clock = asyncio.get_running_loop().time
        if self._departed is not None and (early := self._departed + self._apart - clock()) > 0:
            await asyncio.sleep(early)
        # No await between these: who comes from here on takes the next.
        self._departed = clock()
        self._under_way, self._next = self._next, None
        try:
            return await self._ask()
        except StoreError as error:
            return error
