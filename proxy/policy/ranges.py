"""Parts of a stored 200 (RFC 9110 section 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from proxy.message import dates
from proxy.message.headers import split_list
from proxy.policy.validation import same_strongly

if TYPE_CHECKING:
    from proxy.message.headers import Headers
    from proxy.message.request import Request

MOST_PARTS: Final = 8  # more, or any that overlap, cost more than the whole (RFC 9110 section 17.15)
CLOCK_STEP: Final = 1.0  # a date is a strong validator when nothing changed for this long before it was sent

_SPEC: Final = re.compile(rb"([0-9]*)-([0-9]*)")
_BEYOND: Final = 10**18  # further than any body reaches

# Of the content sent, not of the representation: no longer true of a part.
_OF_THE_WHOLE: Final = frozenset({b"content-digest", b"content-length", b"content-md5", b"content-range"})


@dataclass(frozen=True, slots=True)
class Whole:
    """Answer as if there were no Range."""


@dataclass(frozen=True, slots=True)
class Unsatisfiable:
    """Answer 416."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Answer 206 with these first and last positions, in the order they were asked for."""

    spans: tuple[tuple[int, int], ...]


def select(request: Request, headers: Headers, size: int, *, now: float) -> Whole | Unsatisfiable | Parts:
    """Say which parts of a stored 200 of ``size`` bytes a request wants (RFC 9110 section 14.2)."""
    values = request.headers.get_all(b"range")
    if request.method != b"GET" or len(values) != 1 or size == 0 or not _if_range_holds(request.headers, headers, now):
        return Whole()
    specs = _specs(values[0])
    if not specs:
        return Whole()
    spans = tuple(span for spec in specs if (span := _span(*spec, size)) is not None)
    if not spans:
        return Unsatisfiable()
    return Whole() if _overlap(spans) else Parts(spans)


def _if_range_holds(asked: Headers, headers: Headers, now: float) -> bool:
    """RFC 9110 section 13.1.5: a tag by strong comparison, a date by being exactly the stored one."""
    condition = asked.get(b"if-range")
    if condition is None:
        return True
    if b'"' in condition:
        return same_strongly(condition, headers.get(b"etag") or b"")
    return condition == headers.get(b"last-modified") and _is_strong_date(headers, now)


def _is_strong_date(headers: Headers, now: float) -> bool:
    """RFC 9110 section 8.8.2.2."""
    modified = dates.parse(headers.get(b"last-modified") or b"", now)
    date = dates.parse(headers.get(b"date") or b"", now)
    return modified is not None and date is not None and date - modified >= CLOCK_STEP


def _specs(value: bytes) -> list[tuple[int | None, int | None]]:
    """Return (first, last), (first, None) or (None, length of the end) of each; nothing if any is invalid (14.1.1), or too many."""
    unit, equals, ranges = value.partition(b"=")
    if not equals or unit.lower() != b"bytes":
        return []
    elements = split_list(ranges)
    if len(elements) > MOST_PARTS:  # asked first: a head has room for thousands
        return []
    matches = [_SPEC.fullmatch(spec) for spec in elements]
    specs = [(_position(match[1]), _position(match[2])) for match in matches if match is not None]
    return specs if len(specs) == len(matches) and all(_is_valid(*spec) for spec in specs) else []


def _position(digits: bytes) -> int | None:
    if not digits:
        return None
    significant = digits.lstrip(b"0")
    return int(significant or b"0") if len(significant) < len(str(_BEYOND)) else _BEYOND


def _is_valid(first: int | None, last: int | None) -> bool:
    if first is None:
        return last is not None
    return last is None or first <= last


def _span(first: int | None, last: int | None, size: int) -> tuple[int, int] | None:
    """Return the positions within ``size`` bytes, None if there is none (section 14.1.2)."""
    if first is None:
        return (max(0, size - last), size - 1) if last else None
    return (first, size - 1 if last is None else min(last, size - 1)) if first < size else None


def _overlap(spans: tuple[tuple[int, int], ...]) -> bool:
    ordered = sorted(spans)
    return any(before[1] >= after[0] for before, after in pairwise(ordered))


def partial(headers: Headers, body: bytes, parts: Parts, boundary: bytes) -> tuple[int, Headers, bytes]:
    """Render a 206 (section 15.3.7): one part as it is, several as multipart/byteranges (section 14.6).

    ``boundary`` is up to 70 token characters that occur nowhere in ``body``.
    """
    size = len(body)
    kept = headers.without(_OF_THE_WHOLE)
    if len(parts.spans) == 1:
        first, last = parts.spans[0]
        content = body[first : last + 1]
        fields = kept.plus([(b"Content-Range", _content_range(first, last, size))])
    else:
        content = _multipart(headers.get(b"content-type"), body, parts, boundary)
        fields = kept.with_field(b"Content-Type", b"multipart/byteranges; boundary=" + boundary)
    return 206, fields.plus([(b"Content-Length", b"%d" % len(content))]), content


def _content_range(first: int, last: int, size: int) -> bytes:
    return b"bytes %d-%d/%d" % (first, last, size)


def _multipart(media_type: bytes | None, body: bytes, parts: Parts, boundary: bytes) -> bytes:
    kind = b"" if media_type is None else b"Content-Type: " + media_type + b"\r\n"
    pieces = [
        b"\r\n--%s\r\n%sContent-Range: %s\r\n\r\n%s"
        % (boundary, kind, _content_range(first, last, len(body)), body[first : last + 1])
        for first, last in parts.spans
    ]
    return b"".join([*pieces, b"\r\n--%s--\r\n" % boundary])


_OF_ANY_ANSWER: Final = frozenset({b"date", b"vary", b"cache-status", b"x-cache-status", b"x-request-id"})


def unsatisfiable(headers: Headers, size: int) -> tuple[int, Headers, bytes]:
    """Render a 416, which says how long the representation is (section 15.5.17); of a 200's fields, what is not its own."""
    kept = headers.keeping(lambda name: name in _OF_ANY_ANSWER or name.startswith(b"access-control-"))
    return 416, kept.plus([(b"Content-Range", b"bytes */%d" % size), (b"Content-Length", b"0")]), b""
