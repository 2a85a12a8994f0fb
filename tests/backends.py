"""A small backend on asyncio streams, closed without a trace at the end."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Self


class Backend:
    """Answers each request head with what ``answer`` returns; bodies of requests are not for it."""

    def __init__(self, answer, port: int = 0) -> None:
        self._answer = answer
        self.port = port
        self._talks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._met, "127.0.0.1", self.port, backlog=1000)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._talks.values():
            writer.close()
        await asyncio.gather(*self._talks)
        await self._server.wait_closed()

    def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._talks[asyncio.create_task(self._talk(reader, writer))] = writer

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                writer.write(await self._answer(head))
                await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


class Client:
    """One keep-alive connection that asks and reads whole answers."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()

    async def ask(self, target: str, *fields: str, method: str = "GET") -> tuple[int, dict[bytes, bytes], bytes]:
        """Ask without a body; return status, fields (lower-case names) and body."""
        lines = "\r\n".join((f"{method} {target} HTTP/1.1", "Host: a.example", *fields))
        self._writer.write(f"{lines}\r\n\r\n".encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        fields = {name.lower(): value for name, _, value in (line.partition(b": ") for line in lines[1:-2])}
        return int(lines[0].split()[1]), fields, await self._body(fields)

    async def _body(self, fields: dict[bytes, bytes]) -> bytes:
        if b"content-length" in fields:
            return await self._reader.readexactly(int(fields[b"content-length"]))
        body = b""
        while size := int(await self._reader.readline(), 16):
            body += (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readline()
        return body
