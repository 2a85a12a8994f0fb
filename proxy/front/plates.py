"""An answer made ready to be sent again: its bytes, with gaps for what changes.

Age, the seconds left in Cache-Status and Date change once a second and are filled in anew then; the request's id each
time. A plate is made by the same functions that write every other answer, from an answer in which those four are marks.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from proxy.front.framing import Clock, framed
from proxy.message.headers import Headers
from proxy.observe.counters import class_index
from proxy.policy.freshness import current_age, remaining

if TYPE_CHECKING:
    from proxy.message.request import Request
    from proxy.message.response import Response
    from proxy.pipeline.probe import Repeat
    from proxy.pipeline.reply import Answer

# No field value has a control byte but tab: the readers on both sides refuse it.
_AGE: Final = b"\x01age\x01"
_TTL: Final = b"\x01ttl\x01"
_ID: Final = b"\x01id\x01"
_DATE: Final = b"\x01date\x01"
_TTL_PARAMETER: Final = b"; hit; ttl="

APART: Final = 16 * 1024
"""Bytes of a body from which one more buffer is cheaper than a copy."""

OVERHEAD: Final = 1200
"""Bytes of a plate beside what it holds, with its place among the others."""


class Marked(Clock):
    """A clock that says the mark instead of the date."""

    __slots__ = ()

    def date(self) -> bytes:
        """Return the mark."""
        return _DATE


class Plate:
    """One answer to one kind of request, as bytes to send.

    Until wall-clock time ``filled_until`` it is ``before``, the request's id where ``wants_id``, ``after``, and then
    ``rest``: a body too large to be copied each time. ``place``: its status among ``counters.CLASSES``.
    """

    __slots__ = (
        "_body", "_clock", "_parts", "after", "before", "filled_until", "place", "repeat", "rest", "status", "wants_id",
    )  # fmt: skip

    def __init__(self, repeat: Repeat, response: Response, parts: tuple[bytes, ...], body: bytes, clock: Clock) -> None:
        self.repeat = repeat
        self.status = response.status
        self.place = class_index(response.status)
        self.wants_id = _ID in parts
        self.before = self.after = b""
        self.rest = body if len(body) >= APART else b""
        self.filled_until = 0.0
        self._parts = parts
        self._body = b"" if self.rest else body
        self._clock = clock

    @property
    def size(self) -> int:
        """Bytes that it holds beside the entry's own."""
        return OVERHEAD + 2 * sum(map(len, self._parts)) + len(self._body)

    def fill(self, now: float) -> None:
        """Fill the gaps as of that time, all but the id."""
        stored = self.repeat.stored
        age, left = current_age(stored, now), remaining(stored, now)
        values = {_AGE: b"%d" % age, _TTL: b"%d" % math.floor(left), _DATE: self._clock.date()}
        text = b"".join([values.get(part, part) for part in self._parts])
        self.before, _, after = text.partition(_ID)
        self.after = after + self._body
        changes = [math.floor(age) + 1 - age, left - math.floor(left)]
        if _DATE in self._parts:
            changes.append(math.floor(now) + 1 - now)
        self.filled_until = now + min(changes)


def plate_for(repeat: Repeat, request: Request, answer: Answer, clock: Clock) -> Plate | None:
    """Make a plate of an answer that the handler has given; None where its gaps cannot be told from its text."""
    body = answer.body
    response = _marked(answer.response)
    if response is None or not isinstance(body, bytes):
        return None
    marked = framed(
        response, method=request.method, version=request.version, length=len(body), keep=True, clock=Marked()
    )
    parts = _split(marked.head)
    if parts is None:
        return None
    return Plate(repeat, answer.response, parts, body if marked.content else b"", clock)


def _marked(response: Response) -> Response | None:
    """Put the marks in place of what changes; None where it is not found just once."""
    lines = list(response.headers.lines)
    names = [name.lower() for name, _ in lines]
    if names.count(b"age") != 1 or b"cache-status" not in names or names.count(b"x-request-id") > 1:
        return None
    lines[names.index(b"age")] = (b"Age", _AGE)
    last = len(names) - 1 - names[::-1].index(b"cache-status")
    status, value = lines[last]
    before, found, after = value.partition(_TTL_PARAMETER)
    if not found or b";" in after:
        return None
    lines[last] = (status, before + found + _TTL)
    if b"x-request-id" in names[last:]:  # written by us, behind our Cache-Status; another's is the stored one
        lines[names.index(b"x-request-id")] = (b"X-Request-ID", _ID)
    return replace(response, headers=Headers(lines))


def _split(head: bytes) -> tuple[bytes, ...] | None:
    """Return the text between the marks, and the marks; None if one of them stands there more than once."""
    parts = [head]
    for mark in (_AGE, _TTL, _ID, _DATE):
        if head.count(mark) > 1:
            return None
        split: list[bytes] = []
        for part in parts:
            before, found, after = part.partition(mark)
            split += [before, mark, after] if found else [part]
        parts = split
    return tuple(parts) if head.count(b"\x01") == 2 * (len(parts) // 2) else None
