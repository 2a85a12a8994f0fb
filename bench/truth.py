"""A backend that knows the truth: a version for each item, and a body that says which item, version and user it is of."""

from __future__ import annotations

import asyncio
import hashlib
import random
import re
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

USER = re.compile(rb"^authorization: *bearer ([^\r\n]+)", re.IGNORECASE | re.MULTILINE)
LENGTH = re.compile(rb"^content-length: *(\d+)", re.IGNORECASE | re.MULTILINE)
ETAG = re.compile(rb"^if-none-match: *([^\r\n]+)", re.IGNORECASE | re.MULTILINE)
LARGEST = 40_000


def body_of(target: bytes, version: int, user: bytes = b"-") -> bytes:
    """Return the only right body: its first line says whose it is, the rest follows from that."""
    head = b"%s %d %s\n" % (target, version, user)
    seed = hashlib.blake2b(head, digest_size=32).digest()
    size = int.from_bytes(seed[:4], "big") % LARGEST
    return head + (seed * (size // len(seed) + 1))[:size]


def etag_of(target: bytes, version: int) -> bytes:
    """Return the item's entity tag at that version."""
    return b'"%s-%d"' % (hashlib.blake2b(target, digest_size=6).hexdigest().encode(), version)


class Truth:
    """Answers after a few milliseconds with the version that held when the request came."""

    def __init__(self, seed: int) -> None:
        self.versions: dict[bytes, int] = {}
        self.asked = 0
        self.most_at_once = 0
        self.faults: list[str] = []
        self.connections: set[asyncio.StreamWriter] = set()
        self._at_once = 0
        self._chance = random.Random(seed)
        self._talks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._met, "127.0.0.1", 0, backlog=1000)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in tuple(self.connections):
            writer.close()
        await asyncio.gather(*self._talks)
        await self._server.wait_closed()

    def change(self, target: bytes) -> int:
        """Change an item and return its new version."""
        self.versions[target] = self.versions.get(target, 0) + 1
        return self.versions[target]

    def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._talk(reader, writer))
        self._talks.add(task)
        self.connections.add(writer)
        task.add_done_callback(self._talks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = LENGTH.search(head)
                body = await reader.readexactly(int(length[1])) if length else b""
                self.asked += 1
                self._at_once += 1
                self.most_at_once = max(self.most_at_once, self._at_once)
                try:
                    answer = self._answer(head, body)
                    await asyncio.sleep(self._chance.random() * 0.01)
                    writer.write(answer)
                    await writer.drain()
                finally:
                    self._at_once -= 1
        self.connections.discard(writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    def _answer(self, head: bytes, content: bytes) -> bytes:
        method, target, _ = head.partition(b"\r\n")[0].split()
        user = USER.search(head)
        if method == b"POST":
            return _whole(hashlib.blake2b(content).hexdigest().encode())
        if method == b"PUT":
            return _whole(b"%d" % self.change(target))
        version = self.versions.get(target, 0)
        if target.startswith(b"/own/"):
            fields = b"Cache-Control: private, max-age=30\r\n"
            return _whole(body_of(target, version, user[1] if user else b"-"), fields)
        if target.startswith(b"/live/"):
            body = body_of(target, version)
            return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        if user is not None:
            self.faults.append(f"a credential was forwarded on a route that ignores it: {target!r}")
        etag = etag_of(target, version)
        known = ETAG.search(head)
        if known is not None and known[1] == etag:
            return b"HTTP/1.1 304 Not Modified\r\nETag: %s\r\n\r\n" % etag
        return _whole(body_of(target, version), b"ETag: %s\r\n" % etag)


def _whole(body: bytes, fields: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (fields, len(body), body)
