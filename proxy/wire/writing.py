"""Heads and chunks to bytes: every message is written anew from parsed parts, never copied through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.message.errors import MessageError
from proxy.message.phrases import PHRASES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.message.headers import Field, Headers
    from proxy.message.response import Response

_PHRASES: Final = {status: phrase.encode() for status, phrase in PHRASES.items()}


def request_head(method: bytes, target: bytes, headers: Iterable[Field]) -> bytes:
    """Write a request head. Raises MessageError (500) for what would be read as more than one head."""
    lines = [b"%b %b HTTP/1.1" % (method, target)]
    if lines[0].count(b" ") != 2:  # noqa: PLR2004 - the two of the grammar (RFC 9112 section 3)
        raise MessageError("white space in a method or target", 500)
    return _written(lines, headers)


def response_head(response: Response, extra: Iterable[Field] = ()) -> bytes:
    """Write a response head with ``extra`` lines after its own, always as HTTP/1.1 (RFC 9112 section 2.3).

    Raises MessageError (500) for what would be read as more than one head.
    """
    return status_head(response.status, response.reason, (*response.headers.lines, *extra))


def status_head(status: int, reason: bytes, fields: Iterable[Field]) -> bytes:
    """Write a response head from its parts, as ``response_head``."""
    return _written([b"HTTP/1.1 %d %b" % (status, reason or _PHRASES.get(status, b""))], fields)


def _written(lines: list[bytes], fields: Iterable[Field]) -> bytes:
    """Join the lines; counting line ends afterwards finds any that came in a value (RFC 9110 section 5.5)."""
    lines += [name + b": " + value for name, value in fields]
    lines += (b"", b"")
    head = b"\r\n".join(lines)
    ends = len(lines) - 1
    if head.count(b"\n") != ends or head.count(b"\r") != ends or b"\0" in head:
        raise MessageError("a line end or NUL in a field", 500)
    return head


def chunk(data: bytes) -> list[bytes]:
    """Return the pieces of one chunk, uncopied; none for no data, which would be read as the end."""
    return [b"%x\r\n" % len(data), data, b"\r\n"] if data else []


def last_chunk(trailers: Headers) -> bytes:
    """Write the end of a chunked body (RFC 9112 section 7.1.2). Raises MessageError (500)."""
    return _written([b"0"], trailers)
