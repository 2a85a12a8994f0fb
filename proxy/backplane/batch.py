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
    from collections.abc import Callable, Sequence

    from proxy.backplane.client import Backplane
    from proxy.backplane.talk import Command

    Answered = Callable[[list[Any] | StoreError], None]

MOST: Final = 64
"""Callers that share an exchange: as many as a busy turn has, and few enough for the last of them to wait for."""

LARGE: Final = 256 * 1024
"""Bytes from which a command goes out alone: those beside it would wait for its bytes."""


class _Turn:
    """What was written down: each caller's part of ``items``, and who is told of it."""

    __slots__ = ("answers", "items")

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.answers: list[tuple[Answered, int, int]] = []


class _Turnwise:
    """Collects what callers want in one turn of the loop; ``_ask`` gets it done, and each is told its part of the replies."""

    operation: str

    def __init__(self, backplane: Backplane) -> None:
        self._backplane = backplane
        self._turn: _Turn | None = None

    def _join(self, items: Sequence[Any], answered: Answered) -> None:
        """Write it down; ``answered`` is called once, in another turn, and must not raise."""
        turn = self._turn
        if turn is None:
            turn = self._turn = _Turn()
            asyncio.get_running_loop().call_soon(self._send, turn)
        start = len(turn.items)
        turn.items += items
        turn.answers.append((answered, start, len(turn.items)))
        if len(turn.answers) >= MOST:
            self._turn = None

    def _send(self, turn: _Turn) -> None:
        """Get it done, now that the loop has come round."""
        if self._turn is turn:
            self._turn = None
        try:
            self._ask(turn.items, lambda replies: self._answered(turn, replies))
        except Exception as error:  # noqa: BLE001 - nobody is to wait for ever, whatever it was
            self._backplane.tasks.failed(self.operation, error)
            self._answered(turn, StoreError("the store could not be asked"))

    def _answered(self, turn: _Turn, replies: list[Any] | StoreError) -> None:
        """Tell each caller once, whatever the one before does."""
        common = [] if isinstance(replies, StoreError) else replies[len(turn.items) :]
        answers, turn.answers = turn.answers, []
        for answered, start, end in answers:
            try:
                answered(StoreError(str(replies)) if isinstance(replies, StoreError) else replies[start:end] + common)
            except Exception as error:  # noqa: BLE001 - the others wait too
                self._backplane.tasks.failed(self.operation, error)

    def _ask(self, items: Sequence[Any], answered: Answered) -> None:
        """Get a reply for each item, and perhaps one more for all."""
        raise NotImplementedError


class Lookups(_Turnwise):
    """Reads keys; ``common`` is one that every reader wants to know as of the moment of its own."""

    operation = "load"

    def __init__(self, backplane: Backplane, common: bytes) -> None:
        super().__init__(backplane)
        self._common = common

    def ask(self, keys: Sequence[bytes], answered: Answered) -> None:
        """Read these keys and the common one, all of one moment: ``answered`` gets their values, bytes or None."""
        self._join(keys, answered)

    def _ask(self, items: Sequence[Any], answered: Answered) -> None:
        command = (b"MGET", *items, self._common)
        self._backplane.begin(
            self.operation,
            (command,),
            lambda replies: answered(replies if isinstance(replies, StoreError) else replies[0]),
            errors_are_answers=False,
        )


class Saves(_Turnwise):
    """Sends commands that change something; what is refused to one caller is no other's failure."""

    operation = "save"

    async def run(self, commands: Sequence[Command], size: int) -> None:
        """Send commands of so many bytes, in their order. Raises StoreError."""
        if size >= LARGE:
            await self._backplane.pipeline(self.operation, commands)
            return
        waiting: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._join(commands, lambda replies: _settle(waiting, replies))
        for reply in await waiting:
            if isinstance(reply, ResponseError):
                raise StoreError(f"the store refused: {reply}") from reply

    def _ask(self, items: Sequence[Any], answered: Answered) -> None:
        def told(replies: list[Any] | StoreError) -> None:
            if isinstance(replies, list) and any(isinstance(reply, ResponseError) for reply in replies):
                self._backplane.tell(self.operation, "reply")
            answered(replies)

        self._backplane.begin(self.operation, items, told, errors_are_answers=True)


def _settle(waiting: asyncio.Future[list[Any]], replies: list[Any] | StoreError) -> None:
    if waiting.done():  # its caller has left
        return
    if isinstance(replies, StoreError):
        waiting.set_exception(replies)
    else:
        waiting.set_result(replies)
