"""The quick reading of heads that frame nothing, for requests that are answered like the one before.

How to think about it: most lines of most heads were seen before, byte for byte, so what they mean is remembered, and
only a line that is new is read. Whatever is unusual (a field twice, a folded or malformed line, anything else) is not
read here at all but left to ``strictness``, which reads every head anew; so nothing can be accepted here that is refused
there, as long as each line is held against the same grammar. Credentials and whatever changes with each request are
never remembered.
"""

from __future__ import annotations

import re
from typing import Final

NAME: Final = re.compile(rb"[!#$%&'*+\-.^`|~0-9A-Za-z]++")  # without "_", which some backends read as "-"
VALUE_OCTETS: Final = bytes([0x09, *range(0x20, 0x7F), *range(0x80, 0x100)])

MOST_LINES: Final = 4096
"""Lines that are remembered: those of a few hundred kinds of clients, at most 2 MB by the next bound."""

LONGEST_LINE: Final = 256
"""Bytes of a line worth remembering: a User-Agent has about 120."""

MOST_NAMES: Final = 512
"""Names that are remembered, in each of their spellings: every one that is registered, at most 50 KB."""

LONGEST_NAME: Final = 64

FRESH: Final = frozenset(
    {
        b"authorization", b"b3", b"cookie", b"if-modified-since", b"if-none-match", b"proxy-authorization",
        b"traceparent", b"tracestate", b"uber-trace-id", b"x-access-token", b"x-amzn-trace-id", b"x-api-key",
        b"x-auth-token", b"x-b3-parentspanid", b"x-b3-spanid", b"x-b3-traceid", b"x-cloud-trace-context",
        b"x-correlation-id", b"x-csrf-token", b"x-forwarded-for", b"x-real-ip", b"x-request-id", b"x-xsrf-token",
    }
)  # fmt: skip
"""Fields of one request, or of one user: never remembered."""


FRAMING: Final = frozenset({b"content-length", b"expect", b"transfer-encoding", b"upgrade"})
"""Fields that say what follows a head, or what else it asks for: heads with one of them are read with care."""


KEEPS: Final = frozenset({None, b"keep-alive", b"Keep-Alive"})
"""What Connection says, if it says anything, where it names no field and the connection goes on."""


class NotPlainError(Exception):
    """A line that is not worth a quick reading, or not a field line at all."""


class FieldLines(dict[bytes, tuple[bytes, bytes]]):
    """Field lines without their line end, to lower-case name and value; a new one is read when it is asked for."""

    __slots__ = ("_names",)

    def __init__(self) -> None:
        super().__init__()
        self._names: dict[bytes, bytes] = {}

    def __missing__(self, line: bytes) -> tuple[bytes, bytes]:
        """Read a line. Raises NotPlainError."""
        name, colon, value = line.partition(b":")
        if not colon or value.translate(None, VALUE_OCTETS):
            raise NotPlainError
        low = self._names.get(name) or self._named(name)
        pair = (low, value.strip(b" \t"))
        if low not in FRESH and len(line) <= LONGEST_LINE:
            if len(self) >= MOST_LINES:
                self.clear()
            self[line] = pair
        return pair

    def _named(self, name: bytes) -> bytes:
        """Return a name in lower case, and remember it. Raises NotPlainError."""
        if NAME.fullmatch(name) is None:
            raise NotPlainError
        if len(name) <= LONGEST_NAME:
            if len(self._names) >= MOST_NAMES:
                self._names.clear()
            self._names[name] = name.lower()
        return name.lower()


def fields_of(lines: list[bytes], known: FieldLines) -> dict[bytes, bytes] | None:
    """Return the fields of a head's lines (the request line first), None where one is unusual or comes twice."""
    rest = iter(lines)
    next(rest)
    try:
        fields = dict(map(known.__getitem__, rest))
    except NotPlainError:
        return None
    return fields if len(fields) == len(lines) - 1 else None
