"""A backend that says exactly what the script says, and remembers what it was asked."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from playbook.wire import Message, as_lines, read_body, read_head

if TYPE_CHECKING:
    from playbook.cases import Say

UNSCRIPTED = 597  # a status that no case uses: the sidecar asked although nothing was to be asked


@dataclass(slots=True)
class Script:
    """What one step lets the origin say, and what it was asked meanwhile. The last answer repeats if it closes."""

    answers: list[tuple[Say, bytes]] = field(default_factory=list)
    seen: list[Message] = field(default_factory=list)
    unscripted: int = 0
    told: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event | None = None

    def next(self) -> tuple[Say, bytes] | None:
        if not self.answers:
            self.unscripted += 1
            return None
        say, octets = self.answers[0]
        if not (say.closes and len(self.answers) == 1):
            self.answers.pop(0)
        return say, octets


def render(say: Say, headers: tuple[str, ...], body: bytes, date: str) -> bytes:
    """The octets of one answer, interim ones first. ``headers`` are the filled-in header lines."""
    names = {line.partition(":")[0].lower() for line in headers}
    lines = [f"HTTP/1.1 {say.status} {say.reason}", *headers]
    if not say.undated and "date" not in names:
        lines.append(f"Date: {date}")
    empty = say.status in {204, 304}
    if say.framing == "length" and not empty and "content-length" not in names:
        lines.append(f"Content-Length: {len(body)}")
    if say.framing == "chunked":
        lines.append("Transfer-Encoding: chunked")
    if say.framing == "close":
        lines.append("Connection: close")
    interim = b"".join(as_lines([f"HTTP/1.1 {one.status} Interim", *one.headers, ""]) for one in say.interim)
    return interim + as_lines([*lines, ""]) + _framed(say, b"" if empty else body)


def _framed(say: Say, body: bytes) -> bytes:
    if say.framing != "chunked":
        return body
    half = (len(body) + 1) // 2
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:half], body[half:]) if part)
    return chunks + b"0\r\n" + as_lines([*say.trailers, ""])


class Origin:
    """Listens on a port of its own; ``scripts`` maps the first two segments of a path to what is said there."""

    def __init__(self) -> None:
        self.scripts: dict[str, Script] = {}
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._welcome, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._serve(reader, writer):
                    pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False when the connection is over."""
        head = await read_head(reader)
        if head is None:
            return False
        request = await read_body(reader, head, to_close=False)
        method, target, _ = request.start.split(" ", 2)
        script = self.scripts.get("/".join(target.partition("?")[0].split("/")[:3]), Script())
        script.seen.append(request)
        if script.gate is not None:
            await script.gate.wait()
        answer = script.next()
        if answer is None:
            writer.write(b"HTTP/1.1 %d Unscripted\r\nContent-Length: 0\r\nCache-Control: no-store\r\n\r\n" % UNSCRIPTED)
            return True
        say, octets = answer
        try:
            if say.closes:
                return False
            writer.write(octets.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if method == "HEAD" else octets)
            await writer.drain()
        finally:
            if not script.answers or say.closes:
                script.told.set()
        return say.framing not in {"close", "none"}
