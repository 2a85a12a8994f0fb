"""A backend on a real socket that says, byte for byte, what a test wrote."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from proxy.fetch.fake import Asked, Scripted
from proxy.fetch.origin import Outgoing
from proxy.message.headers import Headers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from proxy.message.response import Response


class Peer:
    """The backend's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.closed = asyncio.Event()

    async def head(self) -> tuple[bytes, Headers]:
        """Read one request head: its first line and its fields."""
        raw = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = raw[:-4].split(b"\r\n")
        return first, Headers((name, value.strip()) for name, _, value in (line.partition(b":") for line in lines))

    async def body(self, headers: Headers) -> bytes:
        """Read what its framing says."""
        if headers.get(b"transfer-encoding") != b"chunked":
            return await self.reader.readexactly(int(headers.get(b"content-length") or 0))
        parts = []
        while size := int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16):
            parts.append(await self.reader.readexactly(size))
            assert await self.reader.readexactly(2) == b"\r\n"
        while await self.reader.readuntil(b"\r\n") != b"\r\n":
            pass
        return b"".join(parts)

    async def request(self) -> tuple[bytes, Headers, bytes]:
        """Read one whole request."""
        first, headers = await self.head()
        return first, headers, await self.body(headers)

    async def say(self, *pieces: bytes) -> None:
        """Write, and wait until the socket has taken it."""
        self.writer.write(b"".join(pieces))
        await self.writer.drain()

    def hang_up(self) -> None:
        """Close after what was said."""
        self.writer.close()

    def reset(self) -> None:
        """Break off with RST."""
        self.writer.transport.abort()


class RawBackend:
    """Listens on loopback; ``talk`` is run for every connection. ``peers``: all that ever came."""

    def __init__(self, talk: Callable[[Peer], Awaitable[None]], port: int = 0) -> None:
        self._talk = talk
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task] = set()
        self.peers: list[Peer] = []
        self.port = port
        self.failures: list[BaseException] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def open(self) -> int:
        """Connections that neither side has closed."""
        return sum(not peer.closed.is_set() for peer in self.peers)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=2**20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.failures:
            raise self.failures[0]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        peer = Peer(reader, writer)
        self.peers.append(peer)
        try:
            await self._talk(peer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        except BaseException as failure:  # noqa: BLE001  it is raised where the test ends
            self.failures.append(failure)
        finally:
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()
            peer.closed.set()
            self._tasks.discard(task)


class ScriptedBackend(RawBackend):
    """The twin of ``FakeOrigin`` on a socket: the same scripts, rendered to bytes."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.script: list[Scripted] = []
        self.asked: list[Asked] = []
        self._came = asyncio.Event()

    async def was_asked(self, times: int) -> None:
        while len(self.asked) < times:
            self._came.clear()
            await self._came.wait()

    async def _answer(self, peer: Peer) -> None:
        while True:
            first, headers = await peer.head()
            method, target, _ = first.split(b" ")
            asked = Asked(Outgoing(method, target, headers))
            self.asked.append(asked)
            self._came.set()
            scripted = self.script.pop(0) if self.script else Scripted()
            for response in scripted.interim:
                await peer.say(head_of(response))
            if not scripted.early:
                asked.body = await peer.body(headers)
            if scripted.gate is not None:
                await scripted.gate.wait()
            if scripted.error is not None:
                return
            if scripted.tunnel is not None:
                await self._splice(peer, scripted)
                return
            await self._reply(peer, method, scripted)
            if scripted.break_off or scripted.early:
                return

    async def _reply(self, peer: Peer, method: bytes, scripted: Scripted) -> None:
        length = scripted.stated_length
        framing = b"transfer-encoding: chunked\r\n" if length is None else b"content-length: %d\r\n" % length
        bare = scripted.response.status in {204, 304}
        await peer.say(head_of(scripted.response, b"" if bare else framing))
        if bare or method == b"HEAD":
            return
        for data in scripted.chunks:
            if scripted.body_gate is not None:
                await scripted.body_gate.wait()
            await peer.say(b"%x\r\n%b\r\n" % (len(data), data) if length is None else data)
        if scripted.body_gate is not None:
            await scripted.body_gate.wait()
        if length is None and not scripted.break_off:
            trailers = b"".join(b"%b: %b\r\n" % field for field in scripted.trailers)
            await peer.say(b"0\r\n", trailers, b"\r\n")

    async def _splice(self, peer: Peer, scripted: Scripted) -> None:
        await peer.say(head_of(scripted.response))
        while data := await peer.reader.read(65536):
            await peer.say(data)


def head_of(response: Response, more: bytes = b"") -> bytes:
    """Render a response head."""
    fields = b"".join(b"%b: %b\r\n" % field for field in response.headers)
    return b"HTTP/1.1 %d %b\r\n%b%b\r\n" % (response.status, response.reason, fields, more)


class Chunks:
    """A request body made of chunks; ``gate`` holds back every chunk but the first. ``pulled`` counts reads."""

    def __init__(
        self,
        *chunks: bytes,
        length: int | None = None,
        trailers: Headers | None = None,
        gate: asyncio.Event | None = None,
        failure: Exception | None = None,
    ) -> None:
        self.length = length
        self.trailers = trailers or Headers()
        self.pulled = 0
        self.cancelled = False
        self._chunks = list(chunks)
        self._gate = gate
        self._failure = failure

    async def read(self) -> bytes:
        self.pulled += 1
        if self._gate is not None and self.pulled > 1:
            try:
                await self._gate.wait()
            except asyncio.CancelledError:
                self.cancelled = True
                raise
        if self._chunks:
            return self._chunks.pop(0)
        if self._failure is not None:
            raise self._failure
        return b""

    async def aclose(self) -> None:
        self._chunks.clear()


async def whole(body) -> bytes:
    """Read a body to its end."""
    parts = []
    while data := await body.read():
        parts.append(data)
    return b"".join(parts)
