"""The one door for tasks: whatever runs beside a request is started or held here, watched, and awaited at the end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextvars import Context

T = TypeVar("T")


class Background:
    """Holds a strong reference to every task until it ends and hands unexpected failures to ``on_failure``."""

    def __init__(self, on_failure: Callable[[str, BaseException], None]) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._held: dict[object, Callable[[], None]] = {}
        self._released: asyncio.Future[None] | None = None
        self._on_failure = on_failure

    def start(self, work: Coroutine[Any, Any, T], name: str, context: Context | None = None) -> asyncio.Task[T]:
        """Run ``work`` as a task of that name, in that context or in a copy of the caller's.

        Its failure is reported here, whether or not somebody awaits it.
        """
        task = asyncio.get_running_loop().create_task(work, name=name, context=context)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def hold(self, work: object, give_up: Callable[[], None]) -> None:
        """Count as under way what has no task: until it is released, or ``give_up`` is called because it is late."""
        self._held[work] = give_up

    def release(self, work: object) -> None:
        """Count it no more. Idempotent."""
        if self._held.pop(work, None) is not None and self._released is not None and not self._released.done():
            self._released.set_result(None)

    def failed(self, name: str, failure: BaseException) -> None:
        """Report what failed without a task."""
        self._on_failure(name, failure)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            self._on_failure(task.get_name(), failure)

    def __len__(self) -> int:
        return len(self._tasks) + len(self._held)

    async def drain(self, seconds: float) -> int:
        """Wait that long for all work to end, give up the rest, and return how much had to be given up."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while self._tasks or self._held:
            left = deadline - loop.time()
            if left <= 0:
                break
            self._released = loop.create_future()
            await asyncio.wait((*self._tasks, self._released), timeout=left, return_when=asyncio.FIRST_COMPLETED)
        held, late = tuple(self._held.values()), tuple(self._tasks)
        self._held.clear()
        for give_up in held:
            give_up()
        for task in late:
            task.cancel()
        if late:
            await asyncio.gather(*late, return_exceptions=True)
        return len(late) + len(held)
