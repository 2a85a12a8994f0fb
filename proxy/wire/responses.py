"""The reader of a backend's connection: bytes in, one response at a time out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.message.errors import MessageError
from proxy.message.headers import EMPTY
from proxy.message.response import has_no_content
from proxy.wire.bodies import Counted, UntilClose, counter_for
from proxy.wire.events import BrokenResponseError, End, Head, Interim, Switched
from proxy.wire.framing import UNTIL_CLOSE, connection_options, content_length, persists, response_framing
from proxy.wire.headsearch import HeadSearch
from proxy.wire.replies import ReplyLines, plain_reply
from proxy.wire.statuslines import check_unfinished, read_head

if TYPE_CHECKING:
    from proxy.message.headers import Headers
    from proxy.message.response import Response
    from proxy.wire.bodies import Counter
    from proxy.wire.events import ResponseEvent
    from proxy.wire.limits import WireLimits

_MOST_INTERIM: Final = 32  # before one final response; each costs us a write, an endless row would never time out
_WHOLE: Final = End()
_SWITCHING: Final = 101
_FINAL: Final = 200
_NO_CONTENT: Final = 204
_SHORTEST: Final = len(b"HTTP/1.1 200 \r\n\r\n")
_WITH_CONTENT: Final = frozenset({b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"})
"""Methods whose answers may have content, whatever their status but 204 and 304."""


class ResponseReader:
    """Sans-I/O. ``expect`` before each request on the connection, then ``feed`` until End or Switched.

    ``keep_alive``, valid after End: the connection may carry another request. ``idle``: nothing is outstanding, and
    bytes that come now belong to no request: drop the connection. After Switched, bytes gather in ``leftover``.
    ``known``: lines that readers of the same backend share.
    """

    __slots__ = (
        "_body",
        "_buffer",
        "_head",
        "_interim",
        "_known",
        "_limits",
        "_method",
        "_upgrade",
        "keep_alive",
        "leftover",
        "switched",
    )

    def __init__(self, limits: WireLimits, known: ReplyLines | None = None) -> None:
        self._limits = limits
        self._known = ReplyLines() if known is None else known
        self._buffer = b""
        self._head = HeadSearch(check_unfinished, limits)
        self._interim = 0
        self._body: Counter | None = None
        self._method: bytes | None = None
        self._upgrade = False
        self.keep_alive = True
        self.switched = False
        self.leftover = b""

    @property
    def idle(self) -> bool:
        """Say whether no response is outstanding."""
        return self._method is None

    def expect(self, method: bytes, *, upgrade: bool = False) -> None:
        """Get ready for the response to a request of that method, which did or did not ask for an upgrade."""
        assert self.idle, "responses are read one at a time"
        self._method = method
        self._upgrade = upgrade
        self._interim = 0

    def whole(self, data: bytes) -> tuple[Response, bytes] | None:
        """Return the final response, and its content, where the first read has all of both and nothing of it is unusual.

        None: nothing was read, ``feed`` it.
        """
        if self._method not in _WITH_CONTENT or self._body is not None or self._buffer:
            return None
        end = data.find(b"\r\n\r\n") + 4
        plain = plain_reply(data[:end], self._limits, self._known) if end > _SHORTEST else None
        if plain is None or len(data) - end != plain[1]:
            return None
        self._method = None
        self.keep_alive = True
        return plain[0], data[end:]

    def feed(self, data: bytes) -> list[ResponseEvent]:
        """Read on. Raises BrokenResponseError, a MessageError of status 502."""
        events: list[ResponseEvent] = []
        if self.switched:
            self.leftover += data
            return events
        if not data:
            return events
        if self._method is None:
            self.keep_alive = False
            raise BrokenResponseError("bytes that belong to no request")
        self._buffer = self._buffer + data if self._buffer else data
        try:
            self._read(self._method, events)
        except MessageError as error:
            self.keep_alive = False
            raise BrokenResponseError(error.detail, events) from error
        return events

    def feed_eof(self) -> list[ResponseEvent]:
        """Take the end of the stream. Raises BrokenResponseError if it came too soon."""
        self.keep_alive = False
        if self.idle or self.switched:
            return []
        if not isinstance(self._body, UntilClose):
            raise BrokenResponseError(
                "the response ended early" if self._body or self._buffer else "closed without a response"
            )
        self._method = self._body = None
        return [_WHOLE]

    def _read(self, method: bytes, events: list[ResponseEvent]) -> None:
        data, at = self._buffer, 0
        while self._method is not None and not self.switched:
            if self._body is not None:
                at = self._body.take(data, at, events)
                if not self._body.complete:
                    break
                self._method = self._body = None
                continue
            end = self._head.end(data, at)
            if end < 0:
                break
            self._head_came(method, data[at:end], events)
            at = end
        self._keep(data[at:], events)

    def _head_came(self, method: bytes, head: bytes, events: list[ResponseEvent]) -> None:
        """Read a head, quickly where it is as most are."""
        plain = plain_reply(head, self._limits, self._known) if method in _WITH_CONTENT else None
        if plain is None:
            self._began(method, read_head(head, self._limits), events)
            return
        response, length = plain
        self.keep_alive = True
        events.append(Head(response, length, has_body=length != 0))
        self._body = Counted(length)

    def _began(self, method: bytes, response: Response, events: list[ResponseEvent]) -> None:
        """Tell what kind of head it is, in the order of RFC 9112 section 6.3."""
        status, headers, version = response.status, response.headers, response.version
        if status == _SWITCHING or (method == b"CONNECT" and _FINAL <= status < _FINAL + 100):
            if not self._upgrade and method != b"CONNECT":
                raise MessageError("101 that no request asked for")
            self.switched = True
            events.append(Switched(response))
            return
        if status < _FINAL:
            self._interim += 1
            if self._interim > _MOST_INTERIM:
                raise MessageError("too many interim responses")
            events.append(Interim(response))
            return
        self.keep_alive = persists(connection_options(headers), version)
        if has_no_content(method, status):
            self.keep_alive = self.keep_alive and not _announces_forbidden_content(status, headers)
            events += (Head(response, _length_of_another(headers), has_body=False), _WHOLE)
            self._method = None
            return
        framing = response_framing(headers, version)
        self.keep_alive = self.keep_alive and framing != UNTIL_CLOSE
        events.append(Head(response, framing.length, has_body=framing.length != 0))
        self._body = counter_for(framing, self._limits)

    def _keep(self, rest: bytes, events: list[ResponseEvent]) -> None:
        """Put aside what was not used; after the end there should be nothing."""
        self._buffer = rest
        if self.switched:
            self.leftover, self._buffer = rest, b""
        elif self._method is None and rest:
            self._buffer, self.keep_alive = b"", False
            last = events[-1]
            events[-1] = End(last.trailers if isinstance(last, End) else EMPTY, overrun=True)


def _announces_forbidden_content(status: int, headers: Headers) -> bool:
    """Say whether a 204 is framed like content (RFC 9110 section 8.6 forbids it): what is yet to come is no answer."""
    return status == _NO_CONTENT and (
        b"transfer-encoding" in headers or headers.get(b"content-length") not in {None, b"0"}
    )


def _length_of_another(headers: Headers) -> int | None:
    """Return the length that GET would have stated (RFC 9110 section 8.6), None where it is no number."""
    try:
        return content_length(headers)
    except MessageError:
        return None
