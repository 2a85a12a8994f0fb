"""Connections of our own, for what wrk cannot do: fill a cache once, hold thousands open, ask all at the same moment."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final, cast

from bench.peers.wrk import FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_REST: Final = "".join(f"{name}: {value}\r\n" for name, value in FIELDS.items())
OK: Final = 200


def request_for(target: str, identity: str) -> bytes:
    """Write a request as wrk's are."""
    return f"GET {target} HTTP/1.1\r\nHost: api.example\r\n{_REST}X-Request-ID: {identity}\r\n\r\n".encode()


def length_of(received: bytes | bytearray) -> int | None:
    """Return how long the first answer in these bytes is, head and body; None while its head is not there."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    found = _LENGTH.search(received, 0, end + 2)
    if found is None:
        raise ValueError(f"an answer of unstated length: {bytes(received[:end])!r}")
    return end + 4 + int(found[1])


class Talker(asyncio.Protocol):
    """One kept connection with one request at a time; ``answered(status)`` is called for each, with 0 at its loss."""

    def __init__(self, answered: Callable[[Talker, int], None]) -> None:
        self._answered = answered
        self._received = bytearray()
        self._length: int | None = None
        self.transport: asyncio.Transport | None = None
        self.asked_at = 0.0  # when the request that waits for its answer was due; 0 where none does

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what writes."""
        self.transport = cast("asyncio.Transport", transport)

    def ask(self, request: bytes, due: float) -> None:
        """Send one request."""
        assert self.transport is not None
        self.asked_at = due
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Look whether the answer is whole."""
        self._received += data
        if self._length is None:
            self._length = length_of(self._received)
        if self._length is not None and len(self._received) >= self._length:
            status = int(self._received[9:12])
            self._received.clear()
            self._length = None
            self._answered(self, status)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the base class's
        """Count what will not be answered."""
        self.transport = None
        if self.asked_at:
            self._answered(self, 0)


async def ask_once(port: int, targets: Iterable[str], connections: int = 32) -> None:
    """Ask for each target once; any answer but 200 is an error."""
    waiting = iter(targets)
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    busy = connections
    number = 0

    def next_one(talker: Talker) -> None:
        nonlocal busy, number
        target = next(waiting, None)
        if target is not None:
            number += 1
            talker.ask(request_for(target, f"fill-{number}"), 1.0)
            return
        talker.asked_at = 0.0
        busy -= 1
        if not busy and not over.done():
            over.set_result(None)

    def answered(talker: Talker, status: int) -> None:
        if status == OK:
            next_one(talker)
        elif not over.done():
            over.set_exception(RuntimeError(f"port {port} answered {status} where 200 was expected"))

    talkers = []
    for _ in range(connections):
        _, talker = await loop.create_connection(lambda: Talker(answered), "127.0.0.1", port)
        talkers.append(talker)
    try:
        for talker in talkers:
            next_one(talker)
        await over
    finally:
        for talker in talkers:
            talker.asked_at = 0.0
            if talker.transport is not None:
                talker.transport.close()
