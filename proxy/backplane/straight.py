"""One exchange without a task: on a connection that was answered on a moment ago, and has nothing else to read.

redis-py connects, logs in and reads what is rare; its reading of one reply takes as many steps as the whole way of a hit
has. So for one exchange the connection's transport speaks to a ``Straight``, and then to redis-py's protocol again.
Whatever goes wrong ends the exchange at once; the connection is then to be closed, for its reply may yet come.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, cast

from hiredis import Reader
from redis.exceptions import ConnectionError as BrokenError
from redis.exceptions import InvalidResponse, RedisError, ResponseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio.connection import AbstractConnection

_MORE: Final = object()


class Straight(asyncio.Protocol):
    """Sends octets and reads ``count`` replies within so many seconds.

    ``ended`` is called once, not from within ``begin``: with the replies, ResponseErrors among them, or with what went
    wrong, a TimeoutError, OSError or RedisError. It must not raise.
    """

    __slots__ = ("_before", "_count", "_ended", "_reader", "_replies", "_timer", "_transport")

    def __init__(
        self, connection: AbstractConnection, count: int, ended: Callable[[list[Any] | Exception], None]
    ) -> None:
        writer, parser = cast("Any", connection)._writer, cast("Any", connection)._parser  # noqa: SLF001 - nothing public hands over what is open; a test fails if it moves
        self._transport: asyncio.Transport = writer.transport
        self._before = cast("asyncio.Protocol", self._transport.get_protocol())
        self._count = count
        self._ended: Callable[[list[Any] | Exception], None] | None = ended
        self._reader = Reader(replyError=parser.parse_error, protocolError=InvalidResponse, notEnoughData=_MORE)
        self._replies: list[Any] = []
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, octets: bytes, seconds: float) -> None:
        """Send."""
        self._timer = asyncio.get_running_loop().call_later(seconds, self.end, TimeoutError())
        self._transport.set_protocol(self)
        self._transport.write(octets)

    def end(self, outcome: list[Any] | Exception) -> None:
        """Say what came of it, unless that was said."""
        ended, self._ended = self._ended, None
        if ended is None:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._transport.set_protocol(self._before)
        ended(outcome)

    def data_received(self, data: bytes) -> None:
        """Read what came; more than was asked for is nobody's."""
        replies = self._replies
        try:
            self._reader.feed(data)
            while len(replies) < self._count and (reply := self._reader.gets()) is not _MORE:
                if isinstance(reply, RedisError) and not isinstance(reply, ResponseError):
                    raise reply  # it is not the command that the server means
                replies.append(reply)
        except RedisError as error:
            self.end(error)
            return
        if len(replies) == self._count:
            self.end(BrokenError("more replies than commands") if self._reader.has_data() else replies)

    def eof_received(self) -> bool | None:
        """Give up: the server has closed it."""
        lost = self._before.eof_received()
        self.end(BrokenError("the server closed the connection"))
        return lost

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up: it broke, or was closed."""
        self._before.connection_lost(exc)
        self.end(exc if isinstance(exc, OSError) else BrokenError("the connection was lost"))

    def pause_writing(self) -> None:
        """As redis-py's protocol wants to know."""
        self._before.pause_writing()

    def resume_writing(self) -> None:
        """As redis-py's protocol wants to know."""
        self._before.resume_writing()
