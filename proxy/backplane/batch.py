"""Lookups of one turn of the loop, as one command.

One MGET costs a server and both ends of a connection little more than one GET. So whoever wants to know something
writes it down, and what was written down when the loop comes round again goes out together, on one connection; the
next turn's goes out on another, and waits for nobody.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from proxy.message.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.backplane.client import Backplane

MOST: Final = 64
"""Lookups in one command: as many as a busy turn has, and of 8 MiB bodies no more than one connection can bring in time."""


class _Asked:
    """What was written down in one turn."""

    __slots__ = ("answers", "keys")

    def __init__(self) -> None:
        self.keys: list[bytes] = []
        self.answers: list[tuple[asyncio.Future[list[bytes | None]], int, int]] = []


class Batch:
    """Reads keys together; ``common`` is one that every reader wants to know as of the moment of its own keys."""

    def __init__(self, backplane: Backplane, common: bytes) -> None:
        self._backplane = backplane
        self._common = common
        self._asked: _Asked | None = None

    async def read(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the values of these keys and of the common one, all of one moment. Raises StoreError."""
        loop = asyncio.get_running_loop()
        asked = self._asked
        if asked is None:
            asked = self._asked = _Asked()
            loop.call_soon(self._send, asked)
        start = len(asked.keys)
        asked.keys += keys
        answer: asyncio.Future[list[bytes | None]] = loop.create_future()
        asked.answers.append((answer, start, len(asked.keys)))
        if len(asked.answers) >= MOST:
            self._asked = None
        return await answer

    def _send(self, asked: _Asked) -> None:
        if self._asked is asked:
            self._asked = None
        self._backplane.tasks.start(self._exchange(asked), "lookups")

    async def _exchange(self, asked: _Asked) -> None:
        try:
            values = await self._backplane.run("load", b"MGET", *asked.keys, self._common)
        except StoreError as error:
            _fail(asked, str(error))
            return
        except BaseException:  # whatever ends this task, nobody waits for ever
            _fail(asked, "the lookup was given up")
            raise
        common = values[-1:]
        for answer, start, end in asked.answers:
            if not answer.done():  # its asker may have left
                answer.set_result(values[start:end] + common)


def _fail(asked: _Asked, why: str) -> None:
    for answer, _, _ in asked.answers:
        if not answer.done():
            answer.set_exception(StoreError(why))
