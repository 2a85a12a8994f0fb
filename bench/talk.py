"""A client that says exactly what it is told to, and reads answers of every framing."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

_NOT_MODIFIED = 304
_WITHOUT_CONTENT = {204, _NOT_MODIFIED}
_FINAL = 200


@dataclass(frozen=True, slots=True)
class Said:
    """One whole answer; field names are lower-case."""

    status: int
    fields: dict[bytes, bytes]
    body: bytes

    @property
    def outcome(self) -> str:
        """What ``X-Cache-Status`` says, or nothing."""
        return self.fields.get(b"x-cache-status", b"").decode()


class Talk:
    """One keep-alive connection, opened anew when the other side closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writer: asyncio.StreamWriter | None = None
        self._reader: asyncio.StreamReader

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def ask(self, method: str, target: str, *fields: str, body: bytes | None = None) -> Said:
        """Ask and read the whole answer. Raises OSError or EOFError where there is none."""
        await self.send(method, target, *fields, body=body)
        try:
            said = await self._read(method)
        except BaseException:
            await self.close()
            raise
        if said.fields.get(b"connection") == b"close":
            await self.close()
        return said

    async def send(self, method: str, target: str, *fields: str, body: bytes | None = None) -> None:
        """Ask, and leave the answer unread."""
        lines = [f"{method} {target} HTTP/1.1", "Host: a.example", *fields]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writer.write("\r\n".join((*lines, "\r\n")).encode() + (body or b""))
        await self._writer.drain()

    async def close(self) -> None:
        """Leave, whatever is still to come."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _read(self, method: str) -> Said:
        status = 0
        fields: dict[bytes, bytes] = {}
        while status < _FINAL:
            lines = (await self._reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
            status = int(lines[0].split()[1])
            fields = {name.lower(): value for name, _, value in (line.partition(b": ") for line in lines[1:-2])}
        if method == "HEAD" or status in _WITHOUT_CONTENT:
            return Said(status, fields, b"")
        if b"content-length" in fields:
            return Said(status, fields, await self._reader.readexactly(int(fields[b"content-length"])))
        if b"chunked" in fields.get(b"transfer-encoding", b""):
            return Said(status, fields, await self._chunks())
        body = await self._reader.read()
        await self.close()
        return Said(status, fields, body)

    async def _chunks(self) -> bytes:
        body = b""
        while size := int((await self._reader.readline()).partition(b";")[0], 16):
            body += (await self._reader.readexactly(size + 2))[:-2]
        while await self._reader.readline() != b"\r\n":
            pass
        return body
