"""The protocol object that owns one client connection: queue, order, reading, time."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final, assert_never, cast

from proxy.front.exchange import MOST_DRAINED, Exchange
from proxy.front.forwarded import is_trusted
from proxy.front.framing import framed
from proxy.front.inbound import Inbound
from proxy.front.incoming import ALLOWED, refusal, request_from
from proxy.front.line import Line
from proxy.front.problems import refused
from proxy.front.waiting import Waiting
from proxy.message.errors import ClientGoneError, MessageError
from proxy.wire.events import Data, End, Refused, RequestHead
from proxy.wire.requests import RequestReader

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from proxy.front.lane import Lane
    from proxy.front.listener import Front
    from proxy.front.manners import Manner
    from proxy.message.request import Request
    from proxy.pipeline.reply import Answer
    from proxy.wire.events import RequestEvent

HIGH_WATER: Final = 64 * 1024  # bytes nobody has read yet, over which reading stops; one read may add as much again
_METHOD_NOT_ALLOWED: Final = 405


class Connection(Line):
    """One client: the requests' half of its connection."""

    __slots__ = (
        "_exchange", "_far_ended", "_full", "_is_trusted", "_manner", "_queue", "_reader", "_receiving", "_tunnel", "buffered",
    )  # fmt: skip

    def __init__(self, house: Front) -> None:
        super().__init__(house)
        self.buffered = 0  # bytes of bodies that nobody has read yet
        self._reader = RequestReader(house.options.wire, house.lines)
        self._queue: list[tuple[RequestHead | Refused, Inbound | None]] = []
        self._exchange: Exchange | None = None
        self._receiving: Inbound | None = None
        self._tunnel: Inbound | None = None
        self._manner: Manner | None = None
        self._far_ended = False  # the tunnel's other side has
        self._is_trusted = False
        self._full = False  # the reader may hold heads back until the queue is shorter

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or turn away at once where there are too many already."""
        transport = cast("asyncio.Transport", transport)  # uvloop has transports of its own kind
        self._transport = transport
        transport.set_write_buffer_limits(self.house.options.unsent)
        address = transport.get_extra_info("peername")
        self.peer = address[0] if isinstance(address, tuple) else ""
        self._is_trusted = is_trusted(self.peer, self.house.options.trusted_proxies)
        if self.house.admit(self):
            self._wait(Waiting.HEAD)
        else:
            self._say(MessageError("too many connections", 503))
            self._close()

    def data_received(self, data: bytes) -> None:
        """Read, queue and answer."""
        house = self.house
        if (  # the next byte begins a request, and its answer may go out before any other's
            house.lane is not None
            and self._exchange is None
            and not self._queue
            and self.is_writable
            and not self._deaf
            and not house.is_draining
            and self._reader.is_between
        ):
            data = self._ride(house.lane, data)
            if not data:
                return
        if self._tunnel is not None:
            self._tunnel.put(data)
        elif self._deaf:
            self._linger()
            return
        else:
            self._feed(data)
            self._pump()
        self.settle(heard=True)

    def _ride(self, lane: Lane, data: bytes) -> bytes:
        """Answer on the lane as many requests as it takes; return the rest."""
        write, began, at, manner = self._transport.write, monotonic(), 0, self._manner
        try:
            if manner is not None and lane.answer(data, manner, self.peer, write, began):
                self._waits_for_next(began)
                return b""
            while self.is_writable and (end := data.find(b"\r\n\r\n", at) + 4) > at + 4:
                head = data[at:end]
                if manner is None or not lane.answer(head, manner, self.peer, write, began):
                    manner = lane.manner_of(head, trusted=self._is_trusted)
                    if manner is None or not lane.answer(head, manner, self.peer, write, began):
                        break
                    self._manner = manner
                at = end
        except Exception as error:  # noqa: BLE001 - nothing of this request was sent: the whole way is still open
            self.house.on_failure("lane", error)
        if at:
            self._waits_for_next(began)
        return data[at:]

    def eof_received(self) -> bool:
        """Take the client's end for its leaving, as nginx does: a half-closed client looks the same."""
        if self._tunnel is not None:
            self._tunnel.end()
            return True
        self._depart()
        self._close()
        return False

    def pause_writing(self) -> None:
        """Produce nothing more, and read nothing more: its answers would only pile up."""
        self.is_writable = False
        self._unsent = self._transport.get_write_buffer_size()
        self.settle()

    def resume_writing(self) -> None:
        """Go on."""
        self.is_writable = True
        self._wake()
        self._pump()
        self.settle()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of everything."""
        del exc
        self.is_closing = self._deaf = True
        self._depart()
        self._wake()
        self._alarm.cancel()
        self.house.forget(self)

    # Requests, in order.

    def _feed(self, data: bytes) -> None:
        self._understand(self._reader.feed(data, self._room()))

    def _room(self) -> int:
        return max(self.house.options.pipelined - len(self._queue), 0)

    def _understand(self, events: Sequence[RequestEvent]) -> None:
        for event in events:
            match event:
                case RequestHead():
                    body = None
                    if event.length != 0:
                        body = Inbound(self, event.length, awaits_continue=event.expect_continue)
                    self._receiving = body
                    self._queue.append((event, body))
                case Data(data=data):
                    self._receive(data)
                case End(trailers=trailers):
                    if self._receiving is not None:
                        self._receiving.end(trailers)
                        self._receiving = None
                case Refused(error=error):
                    self._refused(event, error)
                case _:
                    assert_never(event)
        self._full = len(self._queue) >= self.house.options.pipelined

    def _receive(self, data: bytes) -> None:
        body = self._receiving
        if body is not None:
            body.put(data)
            if body.thrown > MOST_DRAINED and (self._exchange is None or self._exchange.body is not body):
                self._finish(goodbye=True)

    def _refused(self, event: Refused, error: MessageError) -> None:
        """Queue the refusal, or tell it to whoever reads the body it was found in."""
        if self._receiving is None:
            self._queue.append((event, None))
            return
        body, self._receiving = self._receiving, None
        self._deaf = True
        body.fail(error)
        if body.dropped and (self._exchange is None or self._exchange.body is not body):
            self._finish(goodbye=True)

    def _pump(self) -> None:
        """Start answers: the only place, and only when nothing is in flight and the client reads."""
        while self._queue and self._exchange is None and self.is_writable and not self.is_closing:
            head, body = self._queue.pop(0)
            if self._full and len(self._queue) <= self.house.options.pipelined // 2:
                self._feed(b"")
            if isinstance(head, RequestHead):
                self._begin(head, body)
            else:
                self._refuse(head.error)

    def _begin(self, head: RequestHead, body: Inbound | None) -> None:
        house = self.house
        self._waiting = Waiting.NOTHING
        request = request_from(head, self.peer, house.options, trusted=self._is_trusted)
        exchange = self._exchange = Exchange(self, head, request, body)
        answer = self._own_answer(request)
        if answer is not None:
            exchange.answered(answer)
        else:
            exchange.begin()

    def _own_answer(self, request: Request) -> Answer | None:
        """Answer what never reaches the handler."""
        house = self.house
        error = refusal(request, house.hosts)
        if error is None and request.upgrade and house.tunnels >= house.options.tunnels:
            error = MessageError("too many tunnels", 503)
        if error is None:
            return None
        fields = ((b"Allow", ALLOWED),) if error.status == _METHOD_NOT_ALLOWED else ()
        return refused(error.status, error.detail, request, house.decorate, fields)

    def answered(self, exchange: Exchange) -> None:
        """Go on after an answer, or end."""
        self._exchange = None
        if self.is_closing:
            return
        if self._tunnel is not None:
            self._close()
        elif not exchange.keep:
            self._finish(goodbye=exchange.head.keep_alive or self._receiving is not None)
        else:
            self._go_on(exchange)

    def _go_on(self, exchange: Exchange) -> None:
        """Take the next request."""
        if exchange.body is not None:
            exchange.body.drop()
        if exchange.head.upgrade:  # which was not accepted
            self._understand(self._reader.resume(self._room()))
        if exchange.is_late:  # else the pump is what called
            self._pump()
            self.settle()

    def may_persist(self, body: Inbound | None) -> bool:
        """Say whether the connection can go on after an answer that begins now."""
        if self.is_closing or self._deaf or (self.house.is_draining and not self._queue):
            return False
        if body is None or body.complete:
            return True
        # A client that was never told 100 may send its body or not: nobody could tell it from the next request.
        return not body.awaits_continue and (body.rest is None or body.rest <= MOST_DRAINED)

    def wanted(self, body: Inbound) -> None:
        """Take note that the handler waits for that body."""
        if self._exchange is not None and self._exchange.body is body:
            self._exchange.say_continue()
            self.settle()

    # Tunnels.

    def switch(self) -> Inbound:
        """Be HTTP no more: return the client's direction, with what came along with the request."""
        self._tunnel = Inbound(self)
        self._tunnel.put(self._reader.leftover)
        self._reader.leftover = b""
        self.settle()
        return self._tunnel

    def end_writing(self) -> None:
        """End our direction; the client gets ``keep_alive`` seconds of silence to end its own."""
        self._far_ended = True
        if not self._transport.is_closing():
            self._transport.write_eof()
        self.settle()

    # Whether to read, and what to wait for.

    def _should_read(self) -> bool:
        if self._tunnel is not None:
            return self._tunnel.size <= HIGH_WATER
        if not self.is_writable or self._full or self.buffered > HIGH_WATER or len(self._reader.leftover) > HIGH_WATER:
            return False
        # A body that was given up before its answer: whether its rest is worth reading is decided then.
        return self._receiving is None or not self._receiving.dropped or self._exchange is None

    def _now_waiting(self) -> Waiting:
        if not self.is_writable:
            return Waiting.READER
        if self._tunnel is not None:
            return Waiting.NEXT if self._far_ended else Waiting.NOTHING
        if self._receiving is not None and self._is_reading and not self._receiving.awaits_continue:
            return Waiting.BODY
        if self._exchange is not None or self._queue:
            return Waiting.NOTHING
        return Waiting.HEAD if self._reader.in_head else Waiting.NEXT

    def _stays_alive(self) -> bool:
        return self._tunnel is not None or self._waiting is Waiting.BODY

    def _stopped(self, waiting: Waiting) -> None:
        if waiting is Waiting.BODY:
            self._body_stopped()
        elif self._reader.in_head:
            self._refuse(MessageError("the request head stopped coming", 408))
        else:
            self._close()

    def _body_stopped(self) -> None:
        body, self._receiving = self._receiving, None
        self._deaf = True
        if body is not None:
            body.fail(MessageError("the request body stopped coming", 408))
        if self._exchange is None and not self._queue:
            self._close()
        else:
            self.settle()

    # Ending.

    def _say(self, error: MessageError) -> None:
        """Answer what is no request."""
        house = self.house
        answer = refused(error.status, error.detail, None, house.decorate)
        assert isinstance(answer.body, bytes)
        head = framed(
            answer.response, method=b"", version=(1, 1), length=len(answer.body), keep=False, clock=house.clock
        ).head
        self.write(head + answer.body)
        house.on_refused(error.status, error.detail, self.peer)

    def _refuse(self, error: MessageError) -> None:
        self._say(error)
        self._finish(goodbye=True)

    def _finish(self, *, goodbye: bool) -> None:
        """Take no more requests; a goodbye waits for the client's end (RFC 9112 section 9.6).

        Closing over unread bytes would reset the connection, and the client might lose the answer.
        """
        self.is_closing = self._deaf = True
        self._depart()
        if goodbye:
            self._goodbye()
        else:
            self._close()

    def _depart(self) -> None:
        """Let go of every request that has no answer yet."""
        gone = ClientGoneError("the client left")
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.leave()
        queue, self._queue = self._queue, []
        for _, body in queue:
            if body is not None:
                body.fail(gone)
        for inbound in (self._receiving, self._tunnel):
            if inbound is not None:
                inbound.fail(gone)
        self._receiving = None

    def drain(self) -> None:
        """Close if idle; else the last answer will say that it is the last."""
        busy = self._exchange is not None or self._queue or self._receiving is not None or self._reader.in_head
        if not busy and not self.is_closing:
            self._close()
