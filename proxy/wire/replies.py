"""The quick reading of answers whose content has a stated length, as nearly every answer of an API has.

How to think about it: as ``plain`` does with requests. A line that was seen before, byte for byte, is not read again;
one that is new is held against the grammar of the strict reader. What is unusual (a field twice, a body framed in
another way, a connection that closes, anything malformed) is not read here at all but left to ``statuslines``, which
reads the head anew; so nothing can be accepted here that is refused there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from proxy.message.headers import Headers
from proxy.message.response import Response
from proxy.wire.plain import KEEPS, LONGEST_LINE, NAME, VALUE_OCTETS, NotPlainError

if TYPE_CHECKING:
    from proxy.message.headers import Field
    from proxy.wire.limits import WireLimits

    Line: TypeAlias = tuple[bytes, Field, tuple[bytes]]

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.1 ([2-9][0-9]{2}) ([\t -~\x80-\xff]*+)")
_DIGITS: Final = re.compile(rb"[0-9]{1,18}")
_WITHOUT_CONTENT: Final = frozenset({204, 304})

MOST_LINES: Final = 1024
"""Lines that are remembered: those of a backend's few hundred kinds of answers, at most 0.5 MB by the next bound."""

FRESH: Final = frozenset(
    {
        b"age", b"cache-groups", b"cache-tag", b"content-digest", b"content-disposition", b"content-length", b"content-md5",
        b"date", b"digest", b"etag", b"expires", b"last-modified", b"link", b"location", b"nel", b"ratelimit",
        b"ratelimit-remaining", b"ratelimit-reset", b"repr-digest", b"server-timing", b"set-cookie", b"surrogate-key",
        b"traceparent", b"tracestate", b"www-authenticate", b"x-amzn-requestid", b"x-amzn-trace-id", b"x-b3-spanid",
        b"x-b3-traceid", b"x-correlation-id", b"x-csrf-token", b"x-process-time", b"x-ratelimit-remaining",
        b"x-ratelimit-reset", b"x-request-id", b"x-response-time", b"x-runtime", b"x-trace-id", b"xkey",
    }
)  # fmt: skip
"""Fields of one answer, one resource or one user: never remembered."""

_FRAMED_OTHERWISE: Final = frozenset({b"trailer", b"transfer-encoding", b"upgrade"})


class ReplyLines(dict[bytes, "Line"]):
    """Field lines of answers, to the lower-case name, the field as it came and its value as an index has it."""

    def __missing__(self, line: bytes) -> Line:
        """Read a line. Raises NotPlainError."""
        name, colon, value = line.partition(b":")
        if not colon or value.translate(None, VALUE_OCTETS) or NAME.fullmatch(name) is None:
            raise NotPlainError
        value = value.strip(b" \t")
        low = name.lower()
        read = (low, (low if low == name else name, value), (value,))
        if low not in FRESH and len(line) <= LONGEST_LINE:
            if len(self) >= MOST_LINES:
                self.clear()
            self[line] = read
        return read


def plain_reply(head: bytes, limits: WireLimits, known: ReplyLines) -> tuple[Response, int] | None:
    """Read an answer's head, from its first byte to its empty line: the answer, and how long its content is.

    None where it is no final one of HTTP/1.1 with content of a stated length, on a connection that goes on.
    """
    lines = head[:-4].split(b"\r\n")
    found = _STATUS_LINE.fullmatch(lines[0])
    if found is None or len(lines) - 1 > limits.fields or len(head) > limits.head:
        return None
    try:
        read = [known[line] for line in lines[1:]]
    except NotPlainError:
        return None
    index: dict[bytes, tuple[bytes, ...]] = {low: value for low, _, value in read}
    length, status = index.get(b"content-length"), int(found[1])
    if (
        len(index) != len(read)
        or length is None
        or _DIGITS.fullmatch(length[0]) is None
        or status in _WITHOUT_CONTENT
        or not _FRAMED_OTHERWISE.isdisjoint(index)
        or (b"connection" in index and index[b"connection"][0] not in KEEPS)
    ):
        return None
    headers = Headers.read([field for _, field, _ in read], index)
    return Response(status, headers, found[2]), int(length[0])
