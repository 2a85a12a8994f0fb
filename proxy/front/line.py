"""The transport's half of a connection: writing, reading or not, waiting and ending; it knows no requests."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, Final

from proxy.front.alarm import Alarm
from proxy.front.waiting import LINGER_LONGEST, Waiting, patience
from proxy.message.errors import ClientGoneError

if TYPE_CHECKING:
    from proxy.front.listener import Front

_NEXT: Final = Waiting.NEXT
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: close by RST


class Line(asyncio.Protocol):
    """Owned by the loop's transport. ``house`` is the listener it came to; ``peer`` is empty on a unix socket."""

    __slots__ = (
        "_alarm", "_deaf", "_is_reading", "_lingers_until", "_resumed", "_transport", "_unsent", "_waiting",
        "house", "is_closing", "is_writable", "peer",
    )  # fmt: skip

    _transport: asyncio.Transport

    def __init__(self, house: Front) -> None:
        self.house = house
        self.peer = ""
        self.is_writable = True
        self.is_closing = False  # no more requests are taken; it ends now, or after a goodbye
        self._is_reading = True
        self._deaf = False  # what comes is no message any more
        self._alarm = Alarm(house.loop, self._rang)
        self._waiting = Waiting.NOTHING
        self._lingers_until = 0.0
        self._unsent = 0
        self._resumed: asyncio.Future[None] | None = None

    # What the requests' half knows.

    def _should_read(self) -> bool:
        """Say whether there is room for what the client sends."""
        raise NotImplementedError

    def _now_waiting(self) -> Waiting:
        """Say what is waited for in this state."""
        raise NotImplementedError

    def _stays_alive(self) -> bool:
        """Say whether any byte from the client begins the waiting anew."""
        raise NotImplementedError

    def _stopped(self, waiting: Waiting) -> None:
        """Act on a head or body that stopped coming."""
        raise NotImplementedError

    # Writing.

    def write(self, data: bytes) -> None:
        """Hand bytes to the transport; ``is_writable`` says whether more should follow."""
        if not self._transport.is_closing():
            self._transport.write(data)

    async def writable(self) -> None:
        """Wait until more may be written. Raises ClientGoneError."""
        while not self.is_writable:
            if self.is_closing:
                raise ClientGoneError("the client left")
            if self._resumed is None:
                self._resumed = self.house.loop.create_future()
            await asyncio.shield(self._resumed)

    def _wake(self) -> None:
        resumed, self._resumed = self._resumed, None
        if resumed is not None and not resumed.done():
            resumed.set_result(None)

    # Whether to read, and what to wait for.

    def settle(self, *, heard: bool = False) -> None:
        """Decide both anew; called after whatever changed the state."""
        if self.is_closing:
            return
        reads = self._should_read()
        if reads is not self._is_reading:
            self._is_reading = reads
            if reads:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()
        waiting = self._now_waiting()
        if waiting is not self._waiting or (heard and self._stays_alive()):
            self._wait(waiting)

    def _wait(self, waiting: Waiting) -> None:
        self._waiting = waiting
        seconds = patience(waiting, self.house.options)
        if seconds is None:
            self._alarm.clear()
        else:
            self._alarm.set(seconds)

    def _waits_for_next(self, now: float) -> None:
        """Wait for another request, from that monotonic time on; as ``_wait``, for the lane."""
        self._waiting = _NEXT
        self._alarm.set_from(now, self.house.options.keep_alive)

    def _rang(self) -> None:
        """Stop waiting."""
        match self._waiting:
            case Waiting.HEAD | Waiting.BODY as waiting:
                self._stopped(waiting)
            case Waiting.NEXT | Waiting.GOODBYE:
                self._close()
            case Waiting.READER:
                self._reader_stopped()
            case Waiting.NOTHING:
                pass

    def _reader_stopped(self) -> None:
        """Give up on a client that took nothing all the time; one that is slow may be slow."""
        unsent = self._transport.get_write_buffer_size()
        if unsent < self._unsent:
            self._unsent = unsent
            self._wait(Waiting.READER)
        else:
            self._transport.abort()

    # Ending.

    def _goodbye(self) -> None:
        """Wait for the client's end: closing over unread bytes would reset the connection under the answer."""
        if self._transport.is_closing():
            return
        self._transport.write_eof()
        self._lingers_until = self.house.loop.time() + LINGER_LONGEST
        if not self._is_reading:
            self._is_reading = True
            self._transport.resume_reading()
        self._wait(Waiting.GOODBYE)

    def _linger(self) -> None:
        if self._waiting is Waiting.GOODBYE:
            if self.house.loop.time() < self._lingers_until:
                self._wait(Waiting.GOODBYE)
            else:
                self._close()

    def _close(self) -> None:
        """Close once what was written is sent, if the client still takes it."""
        self.is_closing = self._deaf = True
        self._transport.close()
        self._unsent = self._transport.get_write_buffer_size()
        self._wait(Waiting.READER)

    def break_off(self, *, reset: bool) -> None:
        """End an answer in its middle, so that the client cannot take it for whole."""
        sock = self._transport.get_extra_info("socket")
        if not reset:
            self._close()
            return
        if sock is not None and sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.is_closing = self._deaf = True
        self._transport.abort()

    def abort(self) -> None:
        """End now."""
        self.is_closing = self._deaf = True
        self._transport.abort()
