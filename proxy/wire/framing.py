"""Where a body ends: the law (RFC 9112 section 6), one function per clause."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from proxy.message.errors import MessageError
from proxy.message.headers import list_elements

if TYPE_CHECKING:
    from proxy.message.headers import Headers

_DIGITS: Final = re.compile(rb"[0-9]{1,18}")  # 18 digits are below 2**60, so no reader downstream can overflow
_CODINGS: Final = frozenset({b"chunked", b"compress", b"x-compress", b"deflate", b"gzip", b"x-gzip"})

_NO_OPTIONS: Final[frozenset[bytes]] = frozenset()
_USUAL_OPTIONS: Final = {
    value: frozenset({value.lower()})
    for value in (b"keep-alive", b"Keep-Alive", b"close", b"Close", b"upgrade", b"Upgrade")
}  # nearly all there are: no splitting


class Framing(NamedTuple):
    """How the end is found: a number of bytes, chunks, or (both absent, responses only) the connection's close."""

    length: int | None
    chunked: bool = False


NO_BODY: Final = Framing(0)
CHUNKED: Final = Framing(None, chunked=True)
UNTIL_CLOSE: Final = Framing(None)


def content_length(headers: Headers) -> int | None:
    """Return the one stated length, None without (RFC 9110 section 8.6; a repeated one is refused, equal or not)."""
    stated = headers.get_all(b"content-length")
    if not stated:
        return None
    if len(stated) > 1 or _DIGITS.fullmatch(stated[0]) is None:
        raise MessageError("malformed or repeated Content-Length")
    return int(stated[0])


def is_chunked(headers: Headers, version: tuple[int, int]) -> bool:
    """Say whether chunks frame the body; whatever else Transfer-Encoding says is refused (RFC 9112 section 6.1)."""
    if b"transfer-encoding" not in headers:
        return False
    if version < (1, 1):
        raise MessageError("Transfer-Encoding in HTTP/1.0")
    if b"content-length" in headers:
        raise MessageError("both Content-Length and Transfer-Encoding")
    codings = [coding.lower() for coding in list_elements(headers, b"transfer-encoding")]
    if not _CODINGS.issuperset(codings):
        raise MessageError("unknown transfer coding", 501)
    if not codings or codings[-1] != b"chunked" or codings.count(b"chunked") > 1:
        raise MessageError("Transfer-Encoding does not end in one chunked")
    if len(codings) > 1:
        raise MessageError("transfer coding not implemented", 501)
    return True


def is_in_another_coding(headers: Headers, version: tuple[int, int]) -> bool:
    """Say whether the backend names only codings that nobody knows: read to the close (section 6.3, item 4).

    One that is known and not undone here stays refused: its bytes would go out without the name of their coding.
    """
    if b"transfer-encoding" not in headers or b"content-length" in headers or version < (1, 1):
        return False
    codings = [coding.lower() for coding in list_elements(headers, b"transfer-encoding")]
    return bool(codings) and _CODINGS.isdisjoint(codings)


def request_framing(headers: Headers, version: tuple[int, int]) -> Framing:
    """Find the end of a request (RFC 9112 section 6.3, items 3 to 7)."""
    if is_chunked(headers, version):
        return CHUNKED
    length = content_length(headers)
    return Framing(length) if length else NO_BODY


def response_framing(headers: Headers, version: tuple[int, int]) -> Framing:
    """Find the end of a response that may have a body (RFC 9112 section 6.3, items 3 to 8)."""
    if is_in_another_coding(headers, version):
        return UNTIL_CLOSE
    if is_chunked(headers, version):
        return CHUNKED
    length = content_length(headers)
    return UNTIL_CLOSE if length is None else Framing(length)


def connection_options(headers: Headers) -> frozenset[bytes]:
    """Return the lower-case options of Connection (RFC 9110 section 7.6.1)."""
    lines = headers.get_all(b"connection")
    if not lines:
        return _NO_OPTIONS
    if len(lines) == 1 and (usual := _USUAL_OPTIONS.get(lines[0])) is not None:
        return usual
    return frozenset(option.lower() for option in list_elements(headers, b"connection"))


def persists(options: frozenset[bytes], version: tuple[int, int]) -> bool:
    """Say whether the connection outlives the message (RFC 9112 section 9.3)."""
    if b"close" in options:
        return False
    return version >= (1, 1) or b"keep-alive" in options
