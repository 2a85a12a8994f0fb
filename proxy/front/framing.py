"""An answer's head: every field that frames it is decided here (RFC 9112 section 6), none is taken from elsewhere."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Final, NamedTuple

from proxy.message.response import has_no_content
from proxy.wire.writing import status_head

if TYPE_CHECKING:
    from proxy.message.headers import Field
    from proxy.message.response import Response

_OURS: Final = frozenset({
    b"connection", b"content-length", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade",
})  # fmt: skip
_SWITCHING: Final = 101
_NOT_MODIFIED: Final = 304


class Framed(NamedTuple):
    """A head as bytes. ``content``: a body follows, in chunks if ``chunked``; ``keep``: the connection goes on."""

    head: bytes
    content: bool
    chunked: bool
    keep: bool


class Clock:
    """The Date field's value, made once a second (RFC 9110 section 5.6.7)."""

    __slots__ = ("_second", "_value")

    def __init__(self) -> None:
        self._second = 0
        self._value = b""

    def date(self) -> bytes:
        """Return the current date."""
        now = int(time.time())
        if now != self._second:
            self._second = now
            self._value = formatdate(now, usegmt=True).encode()
        return self._value


def framed(  # noqa: PLR0913 - each a fact of its own
    response: Response, *, method: bytes, version: tuple[int, int], length: int | None, keep: bool, clock: Clock
) -> Framed:
    """Frame a final answer to a request of that method and version; ``length`` None: unknown. Raises MessageError."""
    bare = has_no_content(method, response.status)
    kept, dated, taken = _without_ours(response)
    if not dated:
        kept.append((b"Date", clock.date()))
    chunked = False
    if bare:
        kept += _stated_length(method, response.status, taken, length)
    elif length is not None:
        kept.append((b"Content-Length", b"%d" % length))
    elif version >= (1, 1):
        chunked = True
        kept += [line for line in taken if line[0].lower() == b"trailer"]
        kept.append((b"Transfer-Encoding", b"chunked"))
    else:
        keep = False  # HTTP/1.0 knows no chunks: the close is the end
    if not keep:
        kept.append((b"Connection", b"close"))
    elif version < (1, 1):
        kept.append((b"Connection", b"keep-alive"))
    return Framed(status_head(response.status, response.reason, kept), not bare, chunked, keep)


def switched(response: Response, clock: Clock) -> bytes:
    """Write the head of a 101; Upgrade is hop-by-hop, and this hop's too (RFC 9110 section 7.8)."""
    kept, dated, taken = _without_ours(response)
    if not dated:
        kept.append((b"Date", clock.date()))
    if response.status == _SWITCHING:
        kept += [line for line in taken if line[0].lower() == b"upgrade"]
        kept.append((b"Connection", b"upgrade"))
    return status_head(response.status, response.reason, kept)


def interim(response: Response) -> bytes:
    """Write the head of a 1xx but 101."""
    kept, _, _ = _without_ours(response)
    return status_head(response.status, response.reason, kept)


def _without_ours(response: Response) -> tuple[list[Field], bool, list[Field]]:
    """Return the lines that stay, whether Date is among them, and those that do not."""
    names = [name.lower() for name, _ in response.headers.lines]
    if _OURS.isdisjoint(names):
        return list(response.headers.lines), b"date" in names, []
    kept: list[Field] = []
    taken: list[Field] = []
    dated = False
    for line in response.headers.lines:
        name = line[0].lower()
        if name in _OURS:
            taken.append(line)
        else:
            kept.append(line)
            dated = dated or name == b"date"
    return kept, dated, taken


def _stated_length(method: bytes, status: int, taken: list[Field], length: int | None) -> list[Field]:
    """Return the length that a body would have had: only to HEAD and in 304 (RFC 9110 section 8.6)."""
    if method != b"HEAD" and status != _NOT_MODIFIED:
        return []
    stated = [line for line in taken if line[0].lower() == b"content-length"]
    if not stated and method == b"HEAD" and length:
        return [(b"Content-Length", b"%d" % length)]
    return stated
