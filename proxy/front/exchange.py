"""One request and its answer: asks the handler, frames what it says, sends it while the client reads, and tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeGuard

from proxy.front import framing
from proxy.front.problems import nothing, refused
from proxy.front.splice import splice
from proxy.message.errors import ClientGoneError, MessageError, OriginError, SapwoodError
from proxy.wire.writing import last_chunk

if TYPE_CHECKING:
    import asyncio

    from proxy.front.connection import Connection
    from proxy.front.inbound import Inbound
    from proxy.message.body import Body, Tunnel
    from proxy.message.request import Request
    from proxy.message.response import Response
    from proxy.pipeline.reply import Answer, Rest
    from proxy.wire.events import RequestHead

MOST_DRAINED: Final = 64 * 1024  # of a body nobody wanted: cheaper to read than a new connection is to open
_ONE_WRITE: Final = 64 * 1024  # up to here a copy is cheaper than a second buffer
_CONTINUE: Final = 100
_SWITCHING: Final = 101
_FINAL: Final = 200


class Exchange:
    """One who asks the handler, for a client. ``keep``: the connection may go on after it.

    Nobody runs it while the handler looks for an answer; a task does where the answer has to be waited for, or takes
    time to be sent. ``is_late``: the answer came after the request was begun, so whoever began it has gone on.
    """

    __slots__ = (
        "_began",
        "_connection",
        "_head_sent",
        "_told",
        "answer",
        "body",
        "has_left",
        "head",
        "is_late",
        "keep",
        "request",
        "sent",
        "task",
    )

    def __init__(self, connection: Connection, head: RequestHead, request: Request, body: Inbound | None) -> None:
        self.head = head
        self.request = request
        self.body = body
        self.answer: Answer | None = None
        self.keep = False
        self.has_left = False
        self.is_late = False
        self.sent = 0
        self.task: asyncio.Task[None] | None = None
        self._connection = connection
        self._began = connection.house.loop.time()
        self._head_sent = False
        self._told = False

    # Running.

    def begin(self) -> None:
        """Ask the handler."""
        try:
            self._connection.house.handler.ask(self.request, self.body, self)
        except Exception as error:  # noqa: BLE001 - as where it is awaited
            answer = self._failed_with(error)
            if self.answer is None and self.task is None:
                self.answered(answer)
        self.is_late = True

    def answered(self, answer: Answer) -> None:
        """Send an answer whose body is here, in the turn it comes in."""
        if self.has_left:
            return
        assert isinstance(answer.body, bytes)
        self.answer = answer
        try:
            self._send(answer.response, answer.body)
            self._learn(answer)
            self._over()
        except Exception as error:  # noqa: BLE001 - whoever tells of the answer has others to tell
            self._connection.house.on_failure("exchange", error)
            self._tell(aborted=True)
            self._connection.break_off(reset=True)

    def goes_on(self, rest: Rest) -> None:
        """Wait for an answer, and send it as it comes."""
        if not self.has_left:
            house = self._connection.house
            self.task = house.background.start(self._run(rest), "exchange", house.context.copy())

    async def _run(self, rest: Rest) -> None:
        """Wait for the answer and send it. Cancelled when the client leaves."""
        try:
            answer = await rest()
        except Exception as error:  # noqa: BLE001 - whatever it is, the client is answered and the operator told
            answer = self._failed_with(error)
        self.answer = answer
        try:
            await self._deliver(answer)
        except Exception:
            self._tell(aborted=True)
            self._connection.break_off(reset=True)
            raise
        finally:
            if not isinstance(answer.body, bytes):
                await answer.body.aclose()
        self._learn(answer)
        self._over()

    def _learn(self, answer: Answer) -> None:
        """Have an answer that can be repeated remembered."""
        if answer.repeat is not None and (lane := self._connection.house.lane) is not None:
            lane.learn(self.request, answer)

    def leave(self) -> None:
        """Give up: the client has gone."""
        self.keep = False
        self.has_left = True
        self._tell(aborted=True)
        if self.body is not None:
            self.body.fail(ClientGoneError("the client left"))
        if self.task is not None:
            self.task.cancel()

    def _failed_with(self, error: Exception) -> Answer:
        """Return the answer to what the handler failed with."""
        house = self._connection.house
        if isinstance(error, OriginError):
            fields = () if error.retry_after is None else ((b"Retry-After", b"%d" % error.retry_after),)
            return refused(error.status, error.detail, self.request, house.decorate, fields)
        if isinstance(error, MessageError):
            return refused(error.status, error.detail, self.request, house.decorate)
        house.on_failure("answer", error)
        return self._failed()

    def _failed(self) -> Answer:
        return refused(500, "something went wrong here", self.request, self._connection.house.decorate)

    # Sending.

    async def _deliver(self, answer: Answer) -> None:
        response, body = answer.response, answer.body
        if isinstance(body, bytes):
            self._send(response, body)
        elif is_tunnel(body):
            await self._tunnel(response, body)
        elif is_body(body):
            await self._stream(response, body)

    def interim(self, response: Response) -> None:
        """Pass a 1xx on, where the client can understand it and is not behind with reading."""
        connection = self._connection
        if self._head_sent or self.request.version < (1, 1) or not connection.is_writable:
            return
        if response.status == _CONTINUE:
            self.say_continue()
        elif _SWITCHING < response.status < _FINAL:
            connection.write(framing.interim(response))

    def say_continue(self) -> None:
        """Ask for the body, if the client waits to be asked (RFC 9110 section 10.1.1)."""
        if self.body is not None and self.body.awaits_continue and not self._head_sent:
            self.body.awaits_continue = False
            self._connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _framed(self, response: Response, length: int | None) -> framing.Framed:
        house = self._connection.house
        framed = framing.framed(
            response,
            method=self.request.method,
            version=self.request.version,
            length=length,
            keep=self.head.keep_alive and self._connection.may_persist(self.body),
            clock=house.clock,
        )
        self._head_sent = True
        self.keep = framed.keep
        return framed

    def _send(self, response: Response, body: bytes) -> None:
        """Send a head and a whole body, in one write if that is cheap."""
        try:
            head, content, _, _ = self._framed(response, len(body))
        except MessageError as error:  # a line end in a field: nothing of it may leave
            self._connection.house.on_failure("head", error)
            self.answer = self._failed()
            assert isinstance(self.answer.body, bytes)
            body = self.answer.body
            head, content, _, _ = self._framed(self.answer.response, len(body))
        if not content or not body:
            self._write(head)
        elif len(body) <= _ONE_WRITE:
            self._write(head + body)
        else:
            self._write(head)
            self._write(body)

    async def _stream(self, response: Response, body: Body) -> None:
        """Send a head, then the body as it comes; what breaks then can only be told by breaking off."""
        try:
            head, content, chunked, _ = self._framed(response, body.length)
        except MessageError:
            await body.aclose()
            self._send(response, b"")
            return
        self._write(head)
        if not content:
            return
        left = body.length
        try:
            left = await self._pump(body, chunked=chunked)
        except SapwoodError:
            left = 1
        except Exception as error:  # noqa: BLE001 - as with the head
            self._connection.house.on_failure("body", error)
            left = 1
        if left:
            self._tell(aborted=True)
            self._connection.break_off(reset=not chunked and body.length is None)

    async def _pump(self, body: Body, *, chunked: bool) -> int:
        """Send the content and return what is missing of the stated length."""
        connection = self._connection
        left = body.length
        while data := await body.read():
            if chunked:
                size = b"%x\r\n" % len(data)
                self._write(size + data + b"\r\n" if len(data) <= _ONE_WRITE else size)
                if len(data) > _ONE_WRITE:
                    self._write(data)
                    self._write(b"\r\n")
            else:
                self._write(data)
                if left is not None:
                    left -= len(data)
                    if left < 0:
                        return left
            if not connection.is_writable:
                await connection.writable()
        if chunked:
            self._write(last_chunk(body.trailers))
        return left or 0

    async def _tunnel(self, response: Response, tunnel: Tunnel) -> None:
        house = self._connection.house
        if house.tunnels >= house.options.tunnels:
            detail = "too many tunnels"
            self.answer = refused(503, detail, self.request, house.decorate, ((b"Retry-After", b"1"),))
            assert isinstance(self.answer.body, bytes)
            self._send(self.answer.response, self.answer.body)
            return
        house.tunnels += 1
        try:
            self._head_sent = True
            self._write(framing.switched(response, house.clock))
            self.sent += await splice(self._connection, tunnel)
        finally:
            house.tunnels -= 1

    def _write(self, data: bytes) -> None:
        self.sent += len(data)
        self._connection.write(data)

    # Telling.

    def _over(self) -> None:
        self._tell(aborted=False)
        self._connection.answered(self)

    def _tell(self, *, aborted: bool) -> None:
        """Tell what became of the request, once."""
        if self._told:
            return
        self._told = True
        house = self._connection.house
        answer = self.answer if self.answer is not None else nothing()
        seconds = house.loop.time() - self._began
        try:
            house.handler.finished(self.request, answer, seconds=seconds, sent_bytes=self.sent, aborted=aborted)
        except Exception as error:  # noqa: BLE001 - it was answered all the same
            house.on_failure("finished", error)


def is_tunnel(body: Any) -> TypeGuard[Tunnel]:
    """Say whether it is a tunnel: only into one can be written."""
    return hasattr(body, "write")


def is_body(body: Any) -> TypeGuard[Body]:
    """Say whether it is a body: only one states a length."""
    return hasattr(body, "length")
