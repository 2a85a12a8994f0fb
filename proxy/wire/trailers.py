"""Fields after a body, kept apart from those before it, and those that must not come there (RFC 9110 section 6.5.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from proxy.message.errors import MessageError
from proxy.message.headers import EMPTY, Headers

if TYPE_CHECKING:
    from proxy.message.headers import Field
    from proxy.wire.limits import WireLimits

# One field line; the same for heads and trailers. No space before the colon, no fold, no control byte but tab.
FIELD_LINE: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[\t -~\x80-\xff]*+\r\n"
BARE_LF: Final = re.compile(rb"(?<!\r)\n")
_SECTION: Final = re.compile(rb"(?:" + FIELD_LINE + rb")*+\r\n")

# Who merges a trailer into the head would let it change framing, routing, rights or caching after the fact.
FORBIDDEN: Final = frozenset({
    # framing and connection
    b"connection", b"content-length", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade",
    # routing
    b"host", b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-port", b"x-forwarded-proto", b"x-real-ip",
    # request modifiers and conditions
    b"cache-control", b"expect", b"if-match", b"if-modified-since", b"if-none-match", b"if-range", b"if-unmodified-since",
    b"max-forwards", b"pragma", b"range",
    # rights
    b"authorization", b"cookie", b"proxy-authenticate", b"proxy-authorization", b"set-cookie", b"www-authenticate",
    # response control
    b"age", b"cdn-cache-control", b"date", b"expires", b"location", b"retry-after", b"surrogate-control", b"vary", b"warning",
    # how the content is to be read
    b"content-encoding", b"content-range", b"content-type",
})  # fmt: skip


def read_trailers(data: bytes, start: int, limits: WireLimits) -> tuple[Headers, int] | None:
    """Return the trailer fields and the position after them, None if more is needed. Raises MessageError (400, 431)."""
    if data.startswith(b"\r\n", start):
        return EMPTY, start + 2
    end = data.find(b"\r\n\r\n", start)
    size = (len(data) if end < 0 else end + 4) - start
    if size > limits.head:
        raise MessageError("trailer section too large", 431)
    if end < 0:
        if BARE_LF.search(data, start):
            raise MessageError("bare line feed in a trailer section")
        return None
    section = data[start : end + 4]
    if _SECTION.fullmatch(section) is None:
        raise MessageError("malformed trailer field")
    fields = split_lines(section[:-2])
    if len(fields) > limits.fields:
        raise MessageError("too many trailer fields", 431)
    return Headers(field for field in fields if field[0].lower() not in FORBIDDEN), end + 4


def split_lines(block: bytes) -> list[Field]:
    """Split lines that each matched ``FIELD_LINE``."""
    parts = (line.partition(b":") for line in block.split(b"\r\n")[:-1])
    return [(name, value.strip(b" \t")) for name, _, value in parts]
