"""A client that sends exactly what the script says, on a connection of its own."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from playbook.wire import Message, as_lines, read_body, read_head

AUTHORITY = "conformance.example"
PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    message: Message
    interim: tuple[Message, ...] = ()


def render(method: str, target: str, headers: tuple[str, ...], body: str) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", f"Host: {AUTHORITY}", *headers]
    if body and not any(line.lower().startswith(("content-length:", "transfer-encoding:")) for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return as_lines([*lines, ""]) + body.encode("latin-1")


async def ask(port: int, method: str, request: bytes) -> Answer:
    """Send one request and read its answer to the end. Raises TimeoutError, or EOFError when the sidecar hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        async with asyncio.timeout(PATIENCE):
            return await _read_answer(reader, method)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def _read_answer(reader: asyncio.StreamReader, method: str) -> Answer:
    interim: list[Message] = []
    while True:
        head = await read_head(reader)
        if head is None:
            raise EOFError("the sidecar closed the connection without an answer")
        status = int(head.start.split(" ")[1])
        if status >= 200:
            break
        interim.append(head)
    if method == "HEAD" or status in {204, 304}:
        return Answer(status, head, tuple(interim))
    return Answer(status, await read_body(reader, head, to_close=True), tuple(interim))
