"""Where a body ends: the counting.

Each counter takes what it can from ``data`` at ``start`` and returns the position after it; what it leaves is fed
again, in front of the next bytes. All content of one read becomes one Data, however many chunks it came in.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Protocol

from proxy.message.errors import MessageError
from proxy.wire.events import Data, End
from proxy.wire.trailers import read_trailers

if TYPE_CHECKING:
    from proxy.wire.framing import Framing
    from proxy.wire.limits import WireLimits

_CHUNK_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[\t -~\x80-\xff]*)?")
_LONGEST_LINE: Final = 1024  # nobody knows a use for extensions; long ones are somebody trying
_MOST_EXTENSIONS: Final = 16 * 1024  # per body, so that tiny chunks cannot carry more framing than sense (as hyper)
_WHOLE: Final = End()


class Counter(Protocol):
    """Knows where one body ends."""

    complete: bool

    def take(self, data: bytes, start: int, events: list[Any]) -> int:
        """Append Data and End to ``events`` and return the position after what was used. Raises MessageError."""
        ...


class Counted:
    """A body of a stated length (RFC 9112 section 6.2)."""

    __slots__ = ("_left", "complete")

    def __init__(self, length: int) -> None:
        self._left = length
        self.complete = False

    def take(self, data: bytes, start: int, events: list[Any]) -> int:
        """Take up to the stated length."""
        part = data[start : start + self._left]
        if part:
            self._left -= len(part)
            events.append(Data(part))
        if not self._left:
            self.complete = True
            events.append(_WHOLE)
        return start + len(part)


class UntilClose:
    """A response that ends with its connection (RFC 9112 section 6.3, item 8)."""

    __slots__ = ("complete",)

    def __init__(self) -> None:
        self.complete = False

    def take(self, data: bytes, start: int, events: list[Any]) -> int:
        """Take everything."""
        if start < len(data):
            events.append(Data(data[start:]))
        return len(data)


class Chunked:
    """A body in chunks (RFC 9112 section 7.1)."""

    __slots__ = ("_after_data", "_extensions", "_left", "_limits", "_trailers", "complete")

    def __init__(self, limits: WireLimits) -> None:
        self._limits = limits
        self._left = 0
        self._after_data = False
        self._trailers = False
        self._extensions = 0
        self.complete = False

    def take(self, data: bytes, start: int, events: list[Any]) -> int:
        """Take as many chunks as there are, whole or in part, and the trailer section if it is there."""
        parts: list[bytes] = []
        at = start
        try:
            while not self._trailers:
                before = at
                at = self._step(data, at, parts)
                if at == before:
                    break
        finally:  # content before a broken chunk was content
            if parts:
                events.append(Data(b"".join(parts)))
        if self._trailers:
            found = read_trailers(data, at, self._limits)
            if found is not None:
                trailers, at = found
                self.complete = True
                events.append(End(trailers) if trailers else _WHOLE)
        return at

    def _step(self, data: bytes, at: int, parts: list[bytes]) -> int:
        """Read the next content, the line end behind it, or a chunk line; no progress means more is needed."""
        if self._left:
            part = data[at : at + self._left]
            if part:
                parts.append(part)
                self._left -= len(part)
                self._after_data = not self._left
            return at + len(part)
        if self._after_data:
            return self._line_end(data, at)
        return self._chunk_line(data, at)

    def _line_end(self, data: bytes, at: int) -> int:
        """Read the CRLF that ends a chunk's data."""
        if data.startswith(b"\r\n", at):
            self._after_data = False
            return at + 2
        if data[at : at + 2] not in {b"", b"\r"}:
            raise MessageError("chunk data not ended by CRLF")
        return at

    def _chunk_line(self, data: bytes, at: int) -> int:
        """Read size and extensions, which are dropped (RFC 9112 section 7.1.1)."""
        end = data.find(b"\r\n", at, at + _LONGEST_LINE)
        if end < 0:
            if len(data) - at >= _LONGEST_LINE or b"\n" in data[at:]:
                raise MessageError("malformed chunk line")
            return at
        found = _CHUNK_LINE.fullmatch(data, at, end)
        if found is None:
            raise MessageError("malformed chunk line")
        self._extensions += end - found.end(1)
        if self._extensions > _MOST_EXTENSIONS:
            raise MessageError("too many chunk extensions")
        self._left = int(found[1], 16)
        self._trailers = not self._left
        return end + 2


def counter_for(framing: Framing, limits: WireLimits) -> Counter:
    """Return a fresh counter for a body of that framing."""
    if framing.chunked:
        return Chunked(limits)
    if framing.length is None:
        return UntilClose()
    return Counted(framing.length)
