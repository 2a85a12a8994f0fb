"""Connections of our own, for what wrk cannot do: fill a cache once, keep a rate over thousands, ask all at one moment.

A latency counts from when its request was *due*, not from when it could be sent: a server that stalls is not spared the
requests that come meanwhile.
"""

from __future__ import annotations

import ctypes
import gc
import re
import select
import socket
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bench.peers.wrk import FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Self

OK: Final = 200
PATIENCE: Final = 20.0
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_REST: Final = "".join(f"{name}: {value}\r\n" for name, value in FIELDS.items())
_PR_SET_TIMERSLACK: Final = 29


def request_for(target: str, identity: str) -> bytes:
    """Write a request as wrk's are."""
    return f"GET {target} HTTP/1.1\r\nHost: api.example\r\n{_REST}X-Request-ID: {identity}\r\n\r\n".encode()


def length_of(received: bytes | bytearray) -> int | None:
    """Return how long the answer at the start of these bytes is, head and body; None while its head is not there."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    found = _LENGTH.search(received, 0, end + 2)
    if found is None:
        raise ValueError(f"an answer of unstated length: {bytes(received[:end])!r}")
    return end + 4 + int(found[1])


@dataclass(slots=True)
class Answers:
    """What came of the requests: seconds from due to the last byte, and how many failed or were not answered."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0


class Crowd:
    """So many kept connections, each with one request at a time; ``with`` opens and closes them."""

    def __init__(self, port: int, connections: int) -> None:
        self._address = ("127.0.0.1", port)
        self._count = connections
        self._poll = select.epoll()  # before the sockets: select() takes only low file numbers
        self._all: dict[int, socket.socket] = {}
        self._free: deque[int] = deque()
        self._due: dict[int, float] = {}
        self._partial: dict[int, bytearray] = {}

    def __enter__(self) -> Self:
        for number in range(self._count):
            connection = socket.socket()
            # Several addresses of our own, since each has fewer ports than a big crowd needs.
            connection.bind((f"127.0.0.{2 + number % 8}", 0))
            connection.settimeout(PATIENCE)
            connection.connect(self._address)
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._all[connection.fileno()] = connection
            self._free.append(connection.fileno())
            self._poll.register(connection.fileno(), select.EPOLLIN)
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._all.values():
            connection.close()
        self._poll.close()

    def fill(self, targets: Iterable[str]) -> None:
        """Ask for each target once, on every connection one after the other; any answer but 200 is an error."""
        answers = Answers()
        for number, target in enumerate(targets):
            while not self._free and self._due and self._take(time.monotonic() + PATIENCE, answers):
                pass
            if answers.failed or not self._free:
                break
            self._send(request_for(target, f"fill-{number}"), time.monotonic())
        self._settle(answers)
        if answers.failed:
            raise RuntimeError(f"{self._address} failed to answer {answers.failed} requests")

    def rush(self, request: Callable[[int], bytes]) -> Answers:
        """Ask once on every connection, all at the same moment."""
        answers = Answers()
        requests = [request(number) for number in range(len(self._free))]
        began = time.monotonic()
        for one in requests:
            self._send(one, began)
        self._settle(answers)
        return answers

    def keep_rate(self, rate: float, seconds: float, request: Callable[[int], bytes]) -> Answers:
        """Ask so often a second, on one connection after the other; what finds none free waits for one."""
        answers = Answers()
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1000)  # wake up within a microsecond of when it was asked for
        gc.collect()
        gc.disable()
        try:
            waiting: deque[tuple[float, bytes]] = deque()
            for due, one in self._schedule(rate, seconds, request):
                while True:
                    self._take(due, answers)
                    self._send_waiting(waiting)
                    if time.monotonic() >= due:
                        break
                waiting.append((due, one))
                self._send_waiting(waiting)
            while waiting and self._due and self._take(time.monotonic() + PATIENCE, answers):
                self._send_waiting(waiting)
            answers.failed += len(waiting)
            self._settle(answers)
        finally:
            gc.enable()
        return answers

    def _schedule(self, rate: float, seconds: float, request: Callable[[int], bytes]) -> Iterator[tuple[float, bytes]]:
        began = time.monotonic()
        for number in range(round(rate * seconds)):
            yield began + number / rate, request(number)

    def _send_waiting(self, waiting: deque[tuple[float, bytes]]) -> None:
        while waiting and self._free:
            due, one = waiting.popleft()
            self._send(one, due)

    def _send(self, request: bytes, due: float) -> None:
        number = self._free.popleft()
        self._due[number] = due
        with suppress(ConnectionError):  # it was closed meanwhile: reading says so next
            self._all[number].send(request)

    def _settle(self, answers: Answers) -> None:
        """Wait for every answer that is due; what does not come for long has failed."""
        while self._due and self._take(time.monotonic() + PATIENCE, answers):
            pass
        answers.failed += len(self._due)
        self._due.clear()

    def _take(self, until: float, answers: Answers) -> bool:
        """Read what has arrived, waiting for it until then; say whether anything has."""
        # epoll's own timeout is in milliseconds; select's on the epoll file is in microseconds.
        if not select.select([self._poll], [], [], max(0.0, until - time.monotonic()))[0]:
            return False
        for number, _ in self._poll.poll(0, 1024):
            try:
                data = self._all[number].recv(262_144)
            except OSError:
                data = b""
            now = time.monotonic()
            if not data:
                self._lose(number, answers)
                continue
            if (partial := self._partial.get(number)) is not None:
                partial += data
                data = partial
            length = length_of(data)
            if length is None or len(data) < length:
                if partial is None:
                    self._partial[number] = bytearray(data)
                continue
            self._partial.pop(number, None)
            answers.failed += int(data[9:12]) != OK
            answers.seconds.append(now - self._due.pop(number))
            self._free.append(number)
        return True

    def _lose(self, number: int, answers: Answers) -> None:
        """Give up a connection that the server closed; only a request that waited there has failed."""
        self._poll.unregister(number)
        self._all.pop(number).close()
        self._partial.pop(number, None)
        if self._due.pop(number, None) is None:
            self._free.remove(number)
        else:
            answers.failed += 1
