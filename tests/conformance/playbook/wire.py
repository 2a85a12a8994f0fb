"""Reading HTTP/1.1 by hand: as little as both ends need, and nothing forgiven that the script did not order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

Lines = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Message:
    start: str
    fields: Lines
    body: bytes = b""
    trailers: tuple[tuple[str, str], ...] = ()

    def all(self, name: str) -> list[str]:
        return [value for given, value in self.fields if given.lower() == name.lower()]

    def value(self, name: str) -> str | None:
        """All lines of that name joined by comma and space; None without one."""
        values = self.all(name)
        return ", ".join(values) if values else None


async def read_head(reader: asyncio.StreamReader) -> Message | None:
    """Read one head; None when the other side closed before it began."""
    start = (await reader.readline()).decode("latin-1")
    if not start:
        return None
    return Message(start.rstrip("\r\n"), await _read_fields(reader))


async def _read_fields(reader: asyncio.StreamReader) -> Lines:
    fields: Lines = []
    while line := (await reader.readline()).decode("latin-1").rstrip("\r\n"):
        name, _, value = line.partition(":")
        fields.append((name, value.strip()))
    return fields


async def read_body(reader: asyncio.StreamReader, head: Message, *, to_close: bool) -> Message:
    """Read the content by its framing; ``to_close``: without any, up to the end of the connection."""
    if (head.value("Transfer-Encoding") or "").lower().endswith("chunked"):
        return await _read_chunks(reader, head)
    length = head.value("Content-Length")
    if length is not None:
        return Message(head.start, head.fields, await reader.readexactly(int(length)))
    return Message(head.start, head.fields, await reader.read() if to_close else b"")


async def _read_chunks(reader: asyncio.StreamReader, head: Message) -> Message:
    body = b""
    while size := _size_of((await reader.readline()).partition(b";")[0]):
        body += await reader.readexactly(size)
        await reader.readline()
    return Message(head.start, head.fields, body, tuple(await _read_fields(reader)))


def _size_of(line: bytes) -> int:
    if not line.strip():
        raise EOFError("the chunks broke off")
    return int(line, 16)


def as_lines(lines: tuple[str, ...] | list[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1")
