"""Asking for several things at once, of which one that is slow must not hold up the others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from proxy.message.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping


class Gathering:
    """Named questions, asked again in each round; one whose answer is still to come is not asked twice."""

    def __init__(self, questions: Mapping[str, Callable[[], Awaitable[Any]]], patience: float) -> None:
        self._questions = questions
        self._patience = patience
        self._answers: dict[str, Any] = dict.fromkeys(questions)
        self._asked: dict[str, asyncio.Future[Any]] = {}

    async def round(self) -> dict[str, Any]:
        """Return what is known after ``patience`` seconds at most: the last answer, None where the store failed.

        Raises whatever else a question raises.
        """
        for name, question in self._questions.items():
            if name not in self._asked:
                self._asked[name] = asyncio.ensure_future(question())
        await asyncio.wait(self._asked.values(), timeout=self._patience)
        for name, answer in tuple(self._asked.items()):
            if answer.done():
                del self._asked[name]
                self._answers[name] = _unless_the_store_failed(answer)
        return dict(self._answers)

    async def close(self) -> None:
        """Ask no longer."""
        for answer in self._asked.values():
            answer.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)
        self._asked.clear()


def _unless_the_store_failed(answer: asyncio.Future[Any]) -> Any:
    try:
        return answer.result()
    except StoreError:
        return None  # the backplane has told; the dashboard shows that nothing is known
