"""A body collected once and read by many: readers follow by index, at their own pace.

Two modes. While it *collects*, every chunk stays until all readers have gone, and the backend is read as fast as it
sends: that is bounded by ``max_body`` and by the budget that all spools share. When a body of unknown length outgrows
either, the spool *flows*: what was read by its one remaining reader is let go, and the backend waits for that reader.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from proxy.message.errors import MessageError
from proxy.message.headers import EMPTY, Headers

if TYPE_CHECKING:
    from proxy.message.errors import SapwoodError

FLOW_WINDOW: Final = 256 * 1024
"""Bytes a flowing spool reads ahead of its reader: some round trips of a fast link, small beside ``max_body``."""


class Budget:
    """Bytes that all spools of a process may hold together (``limits.collecting``)."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.taken = 0

    def take(self, size: int) -> bool:
        """Reserve ``size`` bytes; False, and nothing taken, where they do not fit."""
        if self.taken + size > self.limit:
            return False
        self.taken += size
        return True

    def give_back(self, size: int) -> None:
        """Release what was taken."""
        self.taken -= size


class Spool:
    """One body on its way from the backend to its readers.

    ``length`` is the stated length or None. With one, the whole of it was reserved before the first chunk.
    ``complete`` is done once all of it is here (True), or it cannot be shared to its end (False).
    """

    def __init__(self, budget: Budget, *, length: int | None, max_body: int, reserved: int = 0) -> None:
        self.length = length
        self.trailers: Headers = EMPTY
        self.complete: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._budget = budget
        self._max_body = max_body
        self._held = reserved
        self._reserved = reserved > 0
        self._chunks: deque[bytes] = deque()
        self._dropped = 0  # chunks let go at the front, so that an index stays an index
        self._size = 0
        self._flowing = False
        self._failure: SapwoodError | None = None
        self._ended = False
        self._readers: set[SpoolReader] = set()
        self._writing = True
        self._wakeups: list[asyncio.Future[None]] = []

    @property
    def is_whole(self) -> bool:
        """Say whether all of it is here."""
        return self.complete.done() and self.complete.result()

    async def collected(self) -> bool:
        """Wait for the end, and say whether all of it is here."""
        return await asyncio.shield(self.complete)  # whoever leaves must not cancel what others wait for

    @property
    def is_abandoned(self) -> bool:
        """Say whether it flows, and its reader has gone: then nobody can use the rest."""
        return self._flowing and not self._readers

    @property
    def outgrew_max_body(self) -> bool:
        """Say whether more than ``max_body`` came."""
        return self._size > self._max_body

    def body(self) -> bytes:
        """Return the whole body of a complete spool."""
        return b"".join(self._chunks)

    async def append(self, data: bytes) -> None:
        """Add a chunk; in flow, return when the reader has room for more."""
        if not self._flowing and not self._fits(len(data)):
            self._flow()
        self._chunks.append(data)
        self._size += len(data)
        self._wake()
        while self._flowing and self._readers and self._unread() > FLOW_WINDOW:
            await self._changed()

    def finish(self, trailers: Headers) -> None:
        """Take note that all of it is here."""
        self.trailers = trailers
        self._ended = True
        if not self.complete.done():
            self.complete.set_result(not self._flowing)
        self._wake()

    def fail(self, failure: SapwoodError) -> None:
        """Give up the rest; readers get the failure where the bytes end."""
        self._failure = failure
        if not self.complete.done():
            self.complete.set_result(False)
        self._wake()

    def release(self) -> None:
        """Need the chunks no longer, as their writer; with the last reader gone they are let go."""
        self._writing = False
        self._let_go()

    def reader(self) -> SpoolReader:
        """Follow from the first byte. Only while nothing has been let go."""
        reader = SpoolReader(self)
        self._readers.add(reader)
        return reader

    def _fits(self, size: int) -> bool:
        if self._reserved:
            return True
        if self._size + size > self._max_body or not self._budget.take(size):
            return False
        self._held += size
        return True

    def _flow(self) -> None:
        self._flowing = True
        if not self.complete.done():
            self.complete.set_result(False)

    def _unread(self) -> int:
        least = min(reader.position for reader in self._readers)
        while self._dropped < least:
            self._chunks.popleft()
            self._dropped += 1
        return sum(map(len, self._chunks))

    def _let_go(self) -> None:
        if not self._writing and not self._readers:
            self._budget.give_back(self._held)
            self._held = 0

    def _wake(self) -> None:
        wakeups, self._wakeups = self._wakeups, []
        for wakeup in wakeups:
            if not wakeup.done():
                wakeup.set_result(None)

    async def _changed(self) -> None:
        wakeup = asyncio.get_running_loop().create_future()
        self._wakeups.append(wakeup)
        await wakeup

    async def _next(self, reader: SpoolReader) -> bytes:
        while True:
            index = reader.position - self._dropped
            if index < len(self._chunks):
                reader.position += 1
                if self._flowing:
                    self._wake()
                return self._chunks[index]
            if self._failure is not None:
                raise MessageError(str(self._failure), 502) from self._failure
            if self._ended:
                return b""
            await self._changed()

    def _left(self, reader: SpoolReader) -> None:
        self._readers.discard(reader)
        self._wake()
        self._let_go()


class SpoolReader:
    """A Body that follows a spool from its first byte."""

    __slots__ = ("_spool", "position")

    overrun = False  # its writer has seen to that

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self.position = 0

    @property
    def length(self) -> int | None:
        """Stated length in bytes, None if unknown."""
        return self._spool.length

    @property
    def trailers(self) -> Headers:
        """Trailer fields; complete only after the last chunk."""
        return self._spool.trailers

    async def read(self) -> bytes:
        """Return the next chunk, ``b""`` at the end; raises MessageError where the backend's body broke off."""
        return await self._spool._next(self)  # noqa: SLF001  (a reader is half of its spool)

    async def aclose(self) -> None:
        """Stop following."""
        self._spool._left(self)  # noqa: SLF001  (as above)
