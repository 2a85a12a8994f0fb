"""One request on one connection, from its head to the last byte of its reply; the reply's Body too.

How to think about it: three things may end an exchange, and ``_finish`` is the only place where they meet.

- The reply is complete. The connection goes back at once, however slowly the client reads what is here.
- Something broke: the connection, the reply, the request's body, the backend's time. It is closed.
- Whoever reads gave up. It is closed: draining an unwanted body costs more than a new connection.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final, assert_never

from proxy.fetch.framing import framed
from proxy.fetch.inflow import Inflow
from proxy.fetch.origin import Reply, is_event_stream
from proxy.fetch.outflow import Outflow
from proxy.fetch.tunnel import BackendTunnel
from proxy.fetch.whole import Whole
from proxy.message.errors import MessageError, OriginError
from proxy.message.headers import EMPTY, Headers
from proxy.wire.events import BrokenResponseError, Data, End, Head, Interim, Switched
from proxy.wire.writing import request_head

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxy.fetch.connection import Connection
    from proxy.fetch.options import OriginOptions
    from proxy.fetch.origin import Outgoing
    from proxy.fetch.places import Place
    from proxy.message.response import Response
    from proxy.wire.events import ResponseEvent

_CONTINUE: Final = 100
_REDIRECTION: Final = 300
_BAD_GATEWAY: Final = 502


class Exchange:
    """A receiver of one connection. ``give_back(connection, reusable)`` is called exactly once.

    ``was_dropped``: the connection went without a byte of an answer.
    """

    def __init__(
        self,
        connection: Connection,
        place: Place,
        options: OriginOptions,
        interim: Callable[[Response], None] | None,
        give_back: Callable[[Connection, bool], None],
    ) -> None:
        self.length: int | None = None
        self.trailers: Headers = EMPTY
        self.overrun = False
        self.was_dropped = False
        self._connection = connection
        self._place = place
        self._options = options
        self._interim = interim
        self._give_back = give_back
        self._inflow = Inflow(connection)
        self._heard: Callable[[Reply | BaseException], None] | None = None
        self._reply: Reply | None = None
        self._outflow: Outflow | None = None
        self._sending: asyncio.Task[None] | None = None
        self._tunnel: BackendTunnel | None = None
        self._has_content = True
        self._counts = True
        self._is_answered = False
        self._is_over = False

    @property
    def has_begun_body(self) -> bool:
        """Say whether anything of the request's body was pulled."""
        return self._outflow is not None and self._outflow.begun

    async def run(self, request: Outgoing) -> Reply:
        """Send the request and return the reply at its head. Whatever it raises, the connection is given back."""
        replied: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        try:
            self.start(request, lambda outcome: _settle(replied, outcome))
            reply = await replied
            if self._sending is not None and self._sending.cancelling():
                await asyncio.wait((self._sending,))  # its owner may read the rest of the body from here on
        except BaseException:
            self.close()
            if self._tunnel is not None:
                await self._tunnel.aclose()
            raise
        return self.with_all(reply)

    def start(self, request: Outgoing, heard: Callable[[Reply | BaseException], None]) -> None:
        """Send the request; ``heard`` is called once, with the reply at its head or with what kept it from coming."""
        connection = self._connection
        connection.begin(self)
        self._heard = heard
        connection.reader.expect(request.method, upgrade=request.upgrade)
        connection.patience.allow(self._options.timeout)
        connection.write(request_head(request.method, request.target, framed(request, self._options.host)))
        if request.body is not None:
            self._outflow = Outflow(connection, request.body, expect_continue=request.expect_continue)
            self._sending = asyncio.get_running_loop().create_task(self._outflow.send(), name="request body")
            self._sending.add_done_callback(self._sending_ended)

    def with_all(self, reply: Reply) -> Reply:
        """Add the content, where it came along with the head: nearly every answer of an API does."""
        if reply.whole is not None or not self._is_over or self.length is None or self.overrun or len(self.trailers):
            return reply
        whole = self._inflow.whole()
        return reply if whole is None or len(whole) != self.length else replace(reply, whole=whole)

    # The reply's Body.

    async def read(self) -> bytes:
        """Return what has come; raises MessageError or OriginError where the reply broke off."""
        return await self._inflow.take()

    async def aclose(self) -> None:
        """Give up the rest; a connection that still carries some is closed. Never waits."""
        self.close()

    def close(self) -> None:
        """Give up at once, as ``aclose``; before there is a reply, nobody hears of it any more."""
        self._heard = None
        if not self._is_over:
            self._inflow.drop(OriginError("the reply was closed"))
            self._finish(reusable=False)

    # The connection's receiver.

    def received(self, data: bytes) -> None:
        """Read what came."""
        if self._is_over:
            return
        if self._is_answered:  # before that, the time for the whole head runs on
            self._connection.patience.touch()
        elif self._outflow is None and (whole := self._connection.reader.whole(data)) is not None:
            self._on_whole(*whole)
            return
        try:
            events: Sequence[ResponseEvent] = self._connection.reader.feed(data)
        except BrokenResponseError as broken:
            self._understand(broken.events)
            self._break_off(broken)
        else:
            self._understand(events)
            self._tell()

    def ended(self) -> bool:
        """End a reply that ends with its connection (RFC 9112 section 6.3); anything else broke off."""
        try:
            self._understand(self._connection.reader.feed_eof())
            self._tell()
        except BrokenResponseError as broken:
            self._understand(broken.events)
            self.was_dropped = not self._connection.heard
            self._break_off(broken)
        return False

    def lost(self) -> None:
        """Break off: had the reply been complete, nobody would tell us any more."""
        self.was_dropped = not self._connection.heard
        self._break_off(MessageError("the backend closed the connection before its answer was complete", _BAD_GATEWAY))

    def expired(self) -> None:
        """Break off a reply that takes too long."""
        self._break_off(OriginError("the backend did not answer in time", 504))

    # How it goes on.

    def _understand(self, events: Sequence[ResponseEvent]) -> None:
        for event in events:
            if self._is_over:
                return
            match event:
                case Interim(response=response):
                    self._on_interim(response)
                case Head():
                    self._on_head(event)
                case Data(data=data):
                    self._inflow.put(data)
                case End():
                    self._on_end(event)
                case Switched(response=response):
                    self._on_switched(response)
                case _:
                    assert_never(event)

    def _on_interim(self, response: Response) -> None:
        if response.status == _CONTINUE:
            # The front says its own 100 when we pull the body, which is what follows now.
            if self._outflow is not None:
                self._outflow.permit()
        elif self._interim is not None:
            self._interim(response)

    def _on_whole(self, response: Response, content: bytes) -> None:
        """Take a reply that came in one piece: nobody has to follow it."""
        self.length = len(content)
        self._is_answered = True
        self._reply = Reply(response, Whole(content), whole=content)
        self._finish(reusable=self._connection.reader.keep_alive)
        self._tell()

    def _on_head(self, head: Head) -> None:
        self.length = head.length if head.has_body else 0
        self._has_content = head.has_body
        self._connection.patience.allow(self._options.idle_timeout)
        if is_event_stream(head.response):
            self._counts = False
            self._place.give_back()
        if self._outflow is not None and _refuses_body(head.response, self._outflow):
            self._stop_sending()
        self._answered(Reply(head.response, self))

    def _on_end(self, end: End) -> None:
        self.trailers = end.trailers
        self.overrun = end.overrun and self._has_content
        self._inflow.end()
        sent = self._outflow is None or (self._outflow.complete and not self._outflow.sent_trailers)
        # One that had left the count would come back as one too many.
        self._finish(reusable=sent and self._counts and not end.overrun and self._connection.reader.keep_alive)

    def _on_switched(self, response: Response) -> None:
        self._place.give_back()
        self.length = 0
        self._inflow.end()
        self._tunnel = BackendTunnel(self._connection, self._connection.reader.leftover, self._options.idle_timeout)
        self._answered(Reply(response, self, self._tunnel))

    def _answered(self, reply: Reply) -> None:
        self._is_answered = True
        self._interim = None
        self._reply = reply

    def _tell(self) -> None:
        """Let whoever waits have the reply, once all that came with its head is read."""
        heard, reply = self._heard, self._reply
        if heard is not None and reply is not None:
            # What holds the reply is let go: it holds this, and nobody should have to look for rings.
            self._heard = self._reply = None
            heard(reply)

    def _break_off(self, failure: BaseException) -> None:
        if self._is_over:
            self._tell()
            return
        self._inflow.fail(failure)
        self._finish(reusable=False)
        self._tell()
        if self._heard is not None:
            heard, self._heard = self._heard, None
            heard(_blamed(failure))

    def _finish(self, *, reusable: bool) -> None:
        """Give the connection back, and the place once there is a reply: until then it is the sender's, who may repeat."""
        self._is_over = True
        self._stop_sending()
        if self._is_answered:
            self._place.give_back()
        self._give_back(self._connection, reusable)

    # The request's body.

    def _sending_ended(self, sending: asyncio.Task[None]) -> None:
        if not sending.cancelled() and (failure := sending.exception()) is not None:
            self._break_off(failure)

    def _stop_sending(self) -> None:
        if self._sending is not None:
            self._sending.cancel()


def _settle(replied: asyncio.Future[Reply], outcome: Reply | BaseException) -> None:
    if replied.done():  # cancelled in the same turn of the loop: ``run`` gives up as soon as it wakes
        return
    if isinstance(outcome, BaseException):
        replied.set_exception(outcome)
    else:
        replied.set_result(outcome)


def _blamed(failure: BaseException) -> BaseException:
    """Say of a reply without a complete head what its reader says of one with: it is the backend's fault."""
    if isinstance(failure, MessageError) and failure.status == _BAD_GATEWAY:
        return OriginError(failure.detail, _BAD_GATEWAY)
    return failure


def _refuses_body(response: Response, outflow: Outflow) -> bool:
    """Say whether a final head that came early wants no more of the body (RFC 9112 section 9.5, RFC 9110 section 10.1.1).

    A success may be an answer that flows while the body does; before 100 (Continue) it is none.
    """
    return response.status >= _REDIRECTION or outflow.is_waiting
