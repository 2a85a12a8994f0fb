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

_FIELD: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]++):[ \t]*+([\t -~\x80-\xff]*+)")

MOST_LINES: Final = 4096
"""Lines that are remembered: those of a few hundred kinds of clients, at most 2 MB by the next bound."""

LONGEST_LINE: Final = 256
"""Bytes of a line worth remembering: a User-Agent has about 120."""

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


class NotPlainError(Exception):
    """A line that is not worth a quick reading, or not a field line at all."""


class FieldLines(dict[bytes, tuple[bytes, bytes]]):
    """Field lines without their line end, to lower-case name and value; a new one is read when it is asked for."""

    __slots__ = ()

    def __missing__(self, line: bytes) -> tuple[bytes, bytes]:
        """Read a line. Raises NotPlainError."""
        found = _FIELD.fullmatch(line)
        if found is None:
            raise NotPlainError
        name, value = found[1].lower(), found[2].rstrip(b" \t")
        if b"_" in name:  # which some backends read as "-": what that means is decided with care
            raise NotPlainError
        pair = (name, value)
        if len(line) <= LONGEST_LINE and name not in FRESH:
            if len(self) >= MOST_LINES:
                self.clear()
            self[line] = pair
        return pair


def fields_of(lines: list[bytes], known: FieldLines) -> dict[bytes, bytes] | None:
    """Return the fields of a head's lines (the request line first), None where one is unusual or comes twice."""
    rest = iter(lines)
    next(rest)
    try:
        fields = dict(map(known.__getitem__, rest))
    except NotPlainError:
        return None
    return fields if len(fields) == len(lines) - 1 else None
