"""The reader of a client's connection: bytes in, requests out, in order, until one is refused."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from proxy.message.errors import MessageError
from proxy.wire.bodies import counter_for
from proxy.wire.events import End, Refused
from proxy.wire.framing import Framing
from proxy.wire.headsearch import HeadSearch
from proxy.wire.strictness import check_unfinished, read_head

if TYPE_CHECKING:
    from proxy.wire.bodies import Counter
    from proxy.wire.events import RequestEvent, RequestHead
    from proxy.wire.limits import WireLimits
    from proxy.wire.plain import FieldLines

_ANY_NUMBER: Final = sys.maxsize
_WHOLE: Final = End()


class RequestReader:
    """Sans-I/O. ``feed`` never raises: what is no request comes out as ``Refused``, after all that came before it.

    ``known`` are field lines that readers share, so that each is read once. After ``Refused``, or the end of a request that closes the connection, further bytes are dropped. After an Upgrade
    head (or CONNECT) they gather in ``leftover``: a tunnel takes them, or ``resume`` reads them as requests.
    """

    __slots__ = ("_body", "_buffer", "_head", "_known", "_last", "_limits", "closed", "leftover", "upgrading")

    def __init__(self, limits: WireLimits, known: FieldLines | None = None) -> None:
        self._limits = limits
        self._known = known
        self._buffer = b""
        self._head = HeadSearch(check_unfinished, limits)
        self._body: Counter | None = None
        self._last = False
        self.closed = False
        self.upgrading = False
        self.leftover = b""

    @property
    def held(self) -> int:
        """Bytes that were fed and did not come out yet."""
        return len(self._buffer) + len(self.leftover)

    @property
    def in_head(self) -> bool:
        """Say whether a head has begun and not ended (or waits because of ``heads``)."""
        return bool(self._buffer) and self._body is None

    @property
    def is_between(self) -> bool:
        """Say whether the next byte to come is a request's first."""
        return not (self._buffer or self._body is not None or self.closed or self.upgrading)

    def feed(self, data: bytes, heads: int = _ANY_NUMBER) -> list[RequestEvent]:
        """Read on; stop before the head after the next ``heads``, which then waits for another call."""
        events: list[RequestEvent] = []
        if self.closed:
            return events
        if self.upgrading:
            self.leftover += data
            return events
        self._buffer = self._buffer + data if self._buffer else data
        try:
            self._read(events, heads)
        except MessageError as error:
            events.append(Refused(error))
            self._close()
        return events

    def resume(self, heads: int = _ANY_NUMBER) -> list[RequestEvent]:
        """Read ``leftover`` as requests: the upgrade was not accepted."""
        data, self.leftover, self.upgrading = self.leftover, b"", False
        if self._last:
            self._close()
        return self.feed(data, heads)

    def _close(self) -> None:
        self.closed = True
        self._buffer = b""

    def _read(self, events: list[RequestEvent], heads: int) -> None:
        data, at = self._buffer, 0
        while not (self.closed or self.upgrading):
            if self._body is not None:
                at = self._body.take(data, at, events)
                if not self._body.complete:
                    break
                self._ended()
                continue
            while data.startswith(b"\r\n", at):  # empty lines before a request line (RFC 9112 section 2.2)
                at += 2
            end = self._head.end(data, at) if heads and at < len(data) else -1
            if end < 0:
                break
            heads -= 1
            self._began(read_head(data[at:end], self._limits, self._known), events)
            at = end
        self._keep(data[at:])

    def _began(self, head: RequestHead, events: list[RequestEvent]) -> None:
        events.append(head)
        self._last = not head.keep_alive
        if head.length == 0:
            events.append(_WHOLE)
            self.upgrading = head.upgrade
            self._ended()
        else:
            self._body = counter_for(Framing(head.length, head.chunked), self._limits)

    def _ended(self) -> None:
        self._body = None
        if self._last and not self.upgrading:
            self._close()

    def _keep(self, rest: bytes) -> None:
        """Put aside what was not used."""
        if self.upgrading:
            self.leftover, self._buffer = rest, b""
        elif not self.closed:
            self._buffer = rest
