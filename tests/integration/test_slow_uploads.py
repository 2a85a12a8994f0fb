"""Senders that take their time keep a part of the backend's places, never all of them."""

from __future__ import annotations

import asyncio
import contextlib

from backends import Backend, Client
from sidecar import Sidecar

RULES = """
version: 1
service: uploads
upstream: {url: http://127.0.0.1:1, max_concurrent: 4, queue_timeout: 1s}
routes: []
"""
SLOW_SENDERS = 8


class PatientBackend(Backend):
    """Answers a POST only when its whole body is here."""

    def __init__(self) -> None:
        super().__init__(None)
        self.uploads = 0
        self.busy = asyncio.Event()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                if head.startswith(b"POST"):
                    self.uploads += 1
                    if self.uploads == 3:
                        self.busy.set()
                    await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_three_places_in_four_are_all_that_slow_uploads_get():
    async with PatientBackend() as backend, contextlib.AsyncExitStack() as stack:
        sidecar = stack.enter_context(Sidecar(RULES, upstream=backend.url))
        senders = []
        for _ in range(SLOW_SENDERS):
            _, writer = await asyncio.open_connection("127.0.0.1", sidecar.port)
            writer.write(b"POST /in HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 70_000)
            senders.append(writer)
        await asyncio.wait_for(backend.busy.wait(), 10)
        async with Client(sidecar.port) as client:
            answers = [(await client.ask(f"/read/{number}"))[0] for number in range(20)]
        for writer in senders:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
    assert answers == [200] * 20
    assert backend.uploads == 3
