"""One end of the socket pair between the leader and a worker: orders that are answered, and news that are not.

A message is a line of JSON: ``{"order": "check", "id": 7, ...}``, ``{"answer": 7, ...}`` or ``{"news": "counts", ...}``.
Never pickle: what one process hands another must not be able to run there.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any, Final, Protocol

import orjson

from proxy.message.errors import SapwoodError

if TYPE_CHECKING:
    import socket

    from proxy.background import Background

LONGEST: Final = 64 << 20
"""Bytes of a line: a thousand routes with nine outcomes are 2 MB of counters; a configuration has its own limits."""

MOST_UNREAD: Final = 1 << 20
"""Bytes that wait for the other end before news are left out: it is stopped, and will get younger ones."""


class ChannelError(SapwoodError):
    """The other process did not answer: it is gone, or too slow."""


class Peer(Protocol):
    """What an end does with what comes."""

    async def obey(self, order: str, said: dict[str, Any]) -> dict[str, Any]:
        """Carry out an order and return what there is to say of it."""
        ...

    def hear(self, news: str, said: dict[str, Any]) -> None:
        """Take note."""
        ...


class Channel:
    """One end. Orders are carried out side by side, as tasks of ``background``."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, background: Background) -> None:
        self._reader = reader
        self._writer = writer
        self._background = background
        self._ids = itertools.count()
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._is_open = True

    @classmethod
    async def over(cls, end: socket.socket, background: Background) -> Channel:
        """Take over a connected socket."""
        end.setblocking(False)
        reader, writer = await asyncio.open_unix_connection(sock=end, limit=LONGEST)
        return cls(reader, writer, background)

    async def serve(self, peer: Peer) -> None:
        """Hand what comes to ``peer`` until the other end is closed; whoever waits for an answer then hears so."""
        try:
            while line := await self._next():
                self._take(orjson.loads(line), peer)
        finally:
            self._is_open = False
            for answer in self._asked.values():
                if not answer.done():
                    answer.set_exception(ChannelError("the other process has gone"))
            self._writer.close()

    async def _next(self) -> bytes:
        try:
            return await self._reader.readline()
        except (OSError, ValueError):  # reset by a process that died; a line that nobody of ours has written
            return b""

    def _take(self, said: dict[str, Any], peer: Peer) -> None:
        if "answer" in said:
            waiting = self._asked.get(said.pop("answer"))
            if waiting is not None and not waiting.done():
                waiting.set_result(said)
        elif "order" in said:
            order, number = said.pop("order"), said.pop("id")
            self._background.start(self._carry_out(order, number, said, peer), name=f"order {order}")
        else:
            peer.hear(said.pop("news"), said)

    async def _carry_out(self, order: str, number: int, said: dict[str, Any], peer: Peer) -> None:
        self._send({"answer": number, **await peer.obey(order, said)})

    async def ask(self, order: str, seconds: float, **said: Any) -> dict[str, Any]:
        """Give an order and return its answer. Raises ChannelError when none comes within ``seconds``."""
        number = next(self._ids)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            if not self._is_open:
                raise ChannelError("the other process has gone")
            self._send({"order": order, "id": number, **said})
            async with asyncio.timeout(seconds):
                answered: dict[str, Any] = await answer
                return answered
        except TimeoutError:
            raise ChannelError(f"no answer within {seconds:g} s") from None
        finally:
            del self._asked[number]

    def tell(self, news: str, **said: Any) -> None:
        """Send news, unless the other end does not read."""
        if self._is_open and self._writer.transport.get_write_buffer_size() < MOST_UNREAD:
            self._send({"news": news, **said})

    def _send(self, message: dict[str, Any]) -> None:
        if self._is_open:
            self._writer.write(orjson.dumps(message) + b"\n")

    async def close(self) -> None:
        """Send what waits, and close this end."""
        self._is_open = False
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return  # the other end was first
