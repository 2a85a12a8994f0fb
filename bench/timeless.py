"""Time that passes only when nobody has anything to do: a day of traffic in seconds, the same on every machine."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("everybody waits, and for nothing that time will bring")
            self.now += max(timeout, 0.0)
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._time = _Selector()
        super().__init__(self._time)

    def time(self) -> float:
        return self._time.now


def lived_through(life: Coroutine[Any, Any, T]) -> T:
    """Run ``life`` in a loop whose clock jumps to the next thing that is due."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(life)
