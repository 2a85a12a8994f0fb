"""One connection to the backend: bytes in, bytes out, back-pressure both ways. What they mean is its receiver's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol, cast

from proxy.fetch.patience import Patience
from proxy.message.errors import OriginError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxy.wire.responses import ResponseReader

HIGH_WATER: Final = 256 * 1024
"""Bytes waiting in either direction at which the side that produces them is paused."""

LOW_WATER: Final = 64 * 1024
"""Bytes left at which it may go on: a loop turn's worth, so that the pipe never runs dry."""


class Receiver(Protocol):
    """Whoever a connection's bytes belong to at the moment: an exchange, then perhaps a tunnel."""

    def received(self, data: bytes) -> None:
        """Take bytes that came."""
        ...

    def ended(self) -> bool:
        """Learn that the far side ended its direction; True keeps ours open."""
        ...

    def lost(self) -> None:
        """Learn that the connection is gone, both ways."""
        ...

    def expired(self) -> None:
        """Learn that the far side was silent for too long."""
        ...


class Connection(asyncio.Protocol):
    """One connection. Without a receiver it is idle, and whatever happens to it then ends it.

    ``reader`` lives as long as the connection does: what is left in it between two responses is a fault.
    ``heard``: the present exchange has had bytes.
    """

    def __init__(self, reader: ResponseReader, on_lost: Callable[[Connection], object]) -> None:
        loop = asyncio.get_running_loop()
        self.reader = reader
        self.patience = Patience(self._expired)
        self.heard = False
        self.gone: asyncio.Future[None] = loop.create_future()
        self._on_lost = on_lost
        self._receiver: Receiver | None = None
        self._transport: asyncio.Transport | None = None
        self._room: asyncio.Future[None] | None = None
        self._is_full = False

    @property
    def is_open(self) -> bool:
        """Say whether it may still carry something."""
        return self._transport is not None and not self._transport.is_closing() and not self.gone.done()

    def begin(self, receiver: Receiver) -> None:
        """Belong to ``receiver`` from now on."""
        self._receiver = receiver
        self.heard = False

    def rest(self, idle_timeout: float) -> None:
        """Belong to nobody; end after that many seconds."""
        self._receiver = None
        self.patience.allow(idle_timeout)

    def write(self, data: bytes) -> None:
        """Send bytes; nothing happens once the connection is closing, the receiver is told of that apart."""
        if self.is_open and self._transport is not None:
            self._transport.write(data)

    def write_all(self, pieces: Sequence[bytes]) -> None:
        """Send several pieces, as ``write``."""
        if self.is_open and self._transport is not None:
            self._transport.writelines(pieces)

    async def drained(self) -> None:
        """Return when more may be sent. Raises OriginError once the connection is gone."""
        while self._is_full and not self.gone.done():
            self._room = asyncio.get_running_loop().create_future()
            await self._room
        if not self.is_open:
            raise OriginError("the backend closed the connection")

    def end_writing(self) -> None:
        """End our direction, where the transport can (TLS cannot: there the whole connection ends with the far side's)."""
        if self.is_open and self._transport is not None and self._transport.can_write_eof():
            self._transport.write_eof()

    def pause(self) -> None:
        """Read no more: it is we who are slow."""
        if self._transport is not None and self.is_open:
            self._transport.pause_reading()
        self.patience.hold()

    def resume(self) -> None:
        """Read again."""
        self.patience.let_go()
        if self._transport is not None and self.is_open:
            self._transport.resume_reading()

    def close(self) -> None:
        """End at once, unsent bytes are dropped; the receiver is not told."""
        self._receiver = None
        self.patience.stop()
        if self._transport is not None:
            self._transport.abort()

    def cut(self) -> None:
        """End at once, unsent bytes are dropped; the receiver is told as if the far side had done it."""
        if self._transport is not None:
            self._transport.abort()

    def finish(self) -> None:
        """End once the bytes on their way are sent, or the patience that runs is over."""
        self._receiver = None
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (asyncio's call)."""
        transport = cast("asyncio.Transport", transport)  # uvloop has transports of its own kind
        transport.set_write_buffer_limits(high=HIGH_WATER, low=LOW_WATER)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Hand bytes to the receiver (asyncio's call); an idle connection that speaks has lost its place in the talk."""
        if self._receiver is None:
            self.close()
            return
        self.heard = True
        self._receiver.received(data)

    def eof_received(self) -> bool:
        """Tell the receiver (asyncio's call)."""
        return self._receiver is not None and self._receiver.ended()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake whoever waits (asyncio's call)."""
        del exc  # a reset and a plain close mean the same to those who wait
        self.patience.stop()
        self.gone.set_result(None)
        self._wake()
        self._on_lost(self)
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.lost()

    def pause_writing(self) -> None:
        """Hold whoever writes: the far side is slow (asyncio's call)."""
        self._is_full = True

    def resume_writing(self) -> None:
        """Let them go on (asyncio's call)."""
        self._is_full = False
        self.patience.touch()
        self._wake()

    def _wake(self) -> None:
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    def _expired(self) -> None:
        if self._receiver is None:
            self.close()
        else:
            self._receiver.expired()
