"""Bytes that have come and nobody has read yet; when they grow, the connection they come from is paused."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from proxy.fetch.connection import HIGH_WATER

if TYPE_CHECKING:
    from proxy.fetch.connection import Connection


class Inflow:
    """A bounded buffer with one reader."""

    __slots__ = ("_chunks", "_connection", "_ended", "_failure", "_is_paused", "_reader", "_size")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._is_paused = False
        self._ended = False
        self._failure: BaseException | None = None
        self._reader: asyncio.Future[None] | None = None

    def put(self, data: bytes) -> None:
        """Keep bytes for the reader."""
        if data:
            self._chunks.append(data)
            self._size += len(data)
            if self._size > HIGH_WATER and not self._is_paused:
                self._is_paused = True
                self._connection.pause()
            self._wake()

    def end(self) -> None:
        """No more will come, and that is as it should be; the connection is needed no longer."""
        self._ended = True
        self._unpause()
        self._wake()

    def fail(self, failure: BaseException) -> None:
        """No more will come; the reader gets what is here, then ``failure``."""
        self._failure = failure
        self.end()

    def drop(self, failure: BaseException) -> None:
        """Nobody will read the rest; who tries all the same gets ``failure``."""
        self._chunks.clear()
        self._size = 0
        self.fail(failure)

    async def take(self) -> bytes:
        """Return all bytes that are here, waiting for the first; ``b""`` at the end. Raises what ``fail`` was given."""
        while not self._chunks:
            if self._failure is not None:
                raise self._failure
            if self._ended:
                return b""
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._size = 0
        self._unpause()
        return data

    def whole(self) -> bytes | None:
        """Return all that will ever be here, if all of it is and nothing of it was taken yet; it stays to be taken."""
        return b"".join(self._chunks) if self._ended and self._failure is None else None

    def _unpause(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._connection.resume()

    def _wake(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None and not reader.done():
            reader.set_result(None)
