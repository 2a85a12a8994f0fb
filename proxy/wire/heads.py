"""One whole head to its field lines, by llhttp.

A parser that is only ever fed whole heads keeps nothing between two of them, so a few are shared by all connections
and an idle connection owns none. One that was told of a body, a close or an upgrade waits for it and is thrown away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import httptools

from proxy.message.errors import MessageError

if TYPE_CHECKING:
    from proxy.message.headers import Field


class _Splitter:
    """llhttp's protocol object: collects field lines."""

    __slots__ = ("_clean", "_lines", "_parser")

    def __init__(self, kind: type[httptools.HttpRequestParser | httptools.HttpResponseParser]) -> None:
        self._parser = kind(self)
        self._lines: list[Field] = []
        self._clean = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self._lines.append((name, value))

    def on_message_complete(self) -> None:
        # Asked here, for afterwards llhttp has forgotten the message but still waits for the close.
        self._clean = self._parser.should_keep_alive()

    def split(self, head: bytes) -> tuple[list[Field], bool]:
        """Return the field lines and whether this splitter may be used again. Raises MessageError."""
        lines: list[Field] = []
        self._lines = lines
        self._clean = False
        try:
            self._parser.feed_data(head)
        except httptools.HttpParserUpgrade:  # a parser error by class, none by meaning
            return lines, False
        except httptools.HttpParserError as error:
            raise MessageError(f"malformed head: {error}") from error
        return lines, self._clean


_SPARE: Final[list[_Splitter]] = []
_MOST_SPARE: Final = 4  # one is in use at a time, but for threads


def _stripped(head: bytes, lines: list[Field]) -> list[Field]:
    """Take trailing white space off the values, which llhttp leaves there (RFC 9112 section 5.1)."""
    if b" \r\n" in head or b"\t\r\n" in head:
        return [(name, value.rstrip(b" \t")) for name, value in lines]
    return lines


def request_fields(head: bytes) -> list[Field]:
    """Split a request head, from its first byte to its empty line. Raises MessageError (400)."""
    splitter = _SPARE.pop() if _SPARE else _Splitter(httptools.HttpRequestParser)
    lines, clean = splitter.split(head)
    if clean and len(_SPARE) < _MOST_SPARE:
        _SPARE.append(splitter)
    return _stripped(head, lines)


def response_fields(head: bytes) -> list[Field]:
    """Split a response head. Raises MessageError."""
    # Nearly every response has a body, so its parser is never clean again.
    lines, _ = _Splitter(httptools.HttpResponseParser).split(head)
    return _stripped(head, lines)
