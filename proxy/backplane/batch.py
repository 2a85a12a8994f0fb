"""What one turn of the loop wants of Redis, as one exchange.

One MGET costs a server and both ends of a connection little more than one GET, and ten SETs in one write little more
than one. So whoever wants something writes it down, and what was written down when the loop comes round again goes out
together, on one connection; the next turn's goes out on another, and waits for nobody.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import ResponseError

from proxy.message.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.backplane.client import Backplane, Command

MOST: Final = 64
"""Callers that share an exchange: as many as a busy turn has, and few enough for the last of them to wait for."""

LARGE: Final = 256 * 1024
"""Bytes from which a command goes out alone: those beside it would wait for its bytes."""


class _Turn:
    """What was written down: each caller's part of ``items``, and who waits for it."""

    __slots__ = ("answers", "items")

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.answers: list[tuple[asyncio.Future[list[Any]], int, int]] = []


class _Turnwise:
    """Collects what callers want in one turn of the loop; ``_ask`` gets it done, and each gets its part of the replies."""

    operation: str

    def __init__(self, backplane: Backplane) -> None:
        self._backplane = backplane
        self._turn: _Turn | None = None

    def _join(self, items: Sequence[Any]) -> asyncio.Future[list[Any]]:
        loop = asyncio.get_running_loop()
        turn = self._turn
        if turn is None:
            turn = self._turn = _Turn()
            exchange = self._backplane.tasks.start(self._exchange(turn), self.operation)  # when the loop comes round
            exchange.add_done_callback(lambda _: self._over(turn))
        start = len(turn.items)
        turn.items += items
        answer: asyncio.Future[list[Any]] = loop.create_future()
        turn.answers.append((answer, start, len(turn.items)))
        if len(turn.answers) >= MOST:
            self._turn = None
        return answer

    def _over(self, turn: _Turn) -> None:
        """Let nobody wait for ever, whatever ended the exchange, also before it had begun."""
        if self._turn is turn:
            self._turn = None
        _fail(turn, "the store's answer was given up")

    async def _exchange(self, turn: _Turn) -> None:
        if self._turn is turn:
            self._turn = None
        try:
            replies = await self._ask(turn.items)
        except StoreError as error:
            _fail(turn, str(error))
            return
        common = replies[len(turn.items) :]
        for answer, start, end in turn.answers:
            if not answer.done():  # its caller may have left
                answer.set_result(replies[start:end] + common)

    async def _ask(self, items: Sequence[Any]) -> list[Any]:
        """Return a reply for each item, and perhaps one more for all."""
        raise NotImplementedError


def _fail(turn: _Turn, why: str) -> None:
    for answer, _, _ in turn.answers:
        if not answer.done():
            answer.set_exception(StoreError(why))


class Lookups(_Turnwise):
    """Reads keys; ``common`` is one that every reader wants to know as of the moment of its own."""

    operation = "load"

    def __init__(self, backplane: Backplane, common: bytes) -> None:
        super().__init__(backplane)
        self._common = common

    async def read(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the values of these keys and of the common one, all of one moment. Raises StoreError."""
        return await self._join(keys)

    async def _ask(self, items: Sequence[Any]) -> list[Any]:
        values: list[Any] = await self._backplane.run(self.operation, b"MGET", *items, self._common)
        return values


class Saves(_Turnwise):
    """Sends commands that change something; what is refused to one caller is no other's failure."""

    operation = "save"

    async def run(self, commands: Sequence[Command], size: int) -> None:
        """Send commands of so many bytes, in their order. Raises StoreError."""
        if size >= LARGE:
            await self._backplane.pipeline(self.operation, commands)
            return
        for reply in await self._join(commands):
            if isinstance(reply, ResponseError):
                raise StoreError(f"the store refused: {reply}") from reply

    async def _ask(self, items: Sequence[Any]) -> list[Any]:
        replies = await self._backplane.attempt(self.operation, items)
        if any(isinstance(reply, ResponseError) for reply in replies):
            self._backplane.tell(self.operation, "reply")
        return replies
