"""What a client sends after a head, on its way to one reader: bounded, because the connection stops reading."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from proxy.message.errors import MessageError
from proxy.message.headers import EMPTY, Headers

if TYPE_CHECKING:
    from proxy.front.connection import Connection


class Inbound:
    """A Body (``length`` None where its framing does not say), or the client's direction of a tunnel.

    ``awaits_continue``: the client holds its body back until it is told 100 (RFC 9110 section 10.1.1).
    """

    __slots__ = (
        "_connection", "_failure", "_parts", "_reader", "awaits_continue", "complete", "dropped", "length", "received", "size", "thrown", "trailers",
    )  # fmt: skip

    def __init__(self, connection: Connection, length: int | None = None, *, awaits_continue: bool = False) -> None:
        self.length = length
        self.trailers: Headers = EMPTY
        self.awaits_continue = awaits_continue
        self.complete = False  # all of it has come, read or not
        self.dropped = False  # nobody will read the rest
        self.received = 0
        self.thrown = 0  # bytes that came after it was dropped
        self.size = 0
        self._connection = connection
        self._parts: list[bytes] = []
        self._failure: BaseException | None = None
        self._reader: asyncio.Future[None] | None = None

    @property
    def rest(self) -> int | None:
        """Bytes that have not come yet, None where the framing does not say."""
        if self.complete:
            return 0
        return None if self.length is None else self.length - self.received

    # The reader's side.

    async def read(self) -> bytes:
        """Return what is here, waiting for the first of it; ``b""`` at the end. Raises what ``fail`` was given."""
        while not self._parts:
            if self._failure is not None:
                raise self._failure
            if self.complete:
                return b""
            self._connection.wanted(self)
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._forget()
        return data

    async def aclose(self) -> None:
        """Give up the rest."""
        self.drop()

    def drop(self) -> None:
        """Give up the rest: what comes of it is thrown away."""
        self.dropped = True
        if self._parts or not self.complete:  # an end here would make half a body look like a whole one
            self._failure = self._failure or MessageError("the rest of the request body was given up")
        self._forget()
        self._wake()

    # The connection's side.

    def put(self, data: bytes) -> None:
        """Keep bytes for the reader."""
        self.awaits_continue = False
        self.received += len(data)
        if self.dropped:
            self.thrown += len(data)
        elif data:
            self._parts.append(data)
            self.size += len(data)
            self._connection.buffered += len(data)
            self._wake()

    def end(self, trailers: Headers = EMPTY) -> None:
        """All has come."""
        self.trailers = trailers
        self.complete = True
        self._wake()

    def fail(self, failure: BaseException) -> None:
        """No more will come, and that is not as it should be; what is complete stays so, whoever leaves."""
        if not self.complete:
            self._failure = failure
            self._wake()

    def _forget(self) -> None:
        self._parts = []
        if self.size:
            self._connection.buffered -= self.size
            self.size = 0
            self._connection.settle()

    def _wake(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None and not reader.done():
            reader.set_result(None)
