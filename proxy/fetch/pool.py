"""The backend's connections: reused last in, first out, never more than allowed, each watched while it rests."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Final

from proxy.fetch.begun import Begun
from proxy.fetch.connection import Connection
from proxy.fetch.exchange import Exchange
from proxy.fetch.places import Places
from proxy.message.errors import OriginError
from proxy.wire.replies import ReplyLines
from proxy.wire.responses import ResponseReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.fetch.options import OriginOptions
    from proxy.fetch.origin import Outgoing, Reply
    from proxy.fetch.places import Place
    from proxy.message.response import Response

_KEPT_FROM_UPLOADS: Final = 4
"""One place in so many is for requests that are all here; one sender's slowness costs at most the rest."""

_IDEMPOTENT: Final = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"})  # RFC 9110 section 9.2.2


class Pool:
    """The Origin over sockets.

    A request takes a place, then a connection; the place bounds both, so that what rests and what works together
    are never more than ``max_connections``. Tunnels and event streams belong to their clients and count in neither.
    """

    def __init__(self, options: OriginOptions) -> None:
        self._options = options
        self._address = options.address
        self._tls = _tls_context() if self._address.tls else None
        most = min(options.max_concurrent, options.max_connections)
        self._places = Places(most)
        # Whoever sends a body slowly must not keep everybody else from the backend.
        self._uploads = Places(max(1, most - most // _KEPT_FROM_UPLOADS))
        self._resting: list[Connection] = []
        self._all: set[Connection] = set()
        self._known = ReplyLines()
        self._is_closed = False

    @property
    def in_flight(self) -> int:
        """Requests that count toward ``max_concurrent`` now."""
        return self._places.taken

    @property
    def limit(self) -> int:
        """How many requests may count at once."""
        return self._places.limit

    @property
    def waiting(self) -> int:
        """Requests that wait for a place."""
        return self._places.waiting

    @property
    def connections(self) -> int:
        """Connections that are open or being closed, those of tunnels and event streams too."""
        return len(self._all)

    async def send(self, request: Outgoing, interim: Callable[[Response], None] | None = None) -> Reply:
        """Send a request and return the reply at its head, as ``Origin.send``."""
        if not request.is_upload:
            return await self._send(request, interim)
        upload = await self._uploads.take(self._options.queue_timeout)
        try:
            return await self._send(request, interim)
        finally:
            upload.give_back()

    async def _send(self, request: Outgoing, interim: Callable[[Response], None] | None) -> Reply:
        place = self._places.take_at_once() or await self._places.take(self._options.queue_timeout)
        try:
            reused = self._wake_one()
            if reused is not None:
                exchange = self._exchange(reused, place, interim)
                try:
                    return await exchange.run(request)
                except OriginError:
                    if not _may_repeat(request, exchange):
                        raise
            return await self._exchange(await self._connect(), place, interim).run(request)
        except BaseException:
            place.give_back()
            raise

    def begin(
        self,
        request: Outgoing,
        heard: Callable[[Reply | OriginError | None], None],
        interim: Callable[[Response], None] | None = None,
    ) -> Begun | None:
        """Send a request at once where a place is free and a connection rests, as ``Origin.begin``."""
        if request.body is not None or request.method not in _IDEMPOTENT or not self._resting:
            return None
        place = self._places.take_at_once()
        if place is None:
            return None
        connection = self._wake_one()
        if connection is None:
            place.give_back()
            return None
        begun = Begun(self._exchange(connection, place, interim), place, heard)
        begun.start(request)
        return begun

    async def close(self) -> None:
        """Cut every connection and return when all are gone; whoever waits for one gets OriginError."""
        self._is_closed = True
        self._resting.clear()
        self._places.close()
        self._uploads.close()
        connections = tuple(self._all)
        for connection in connections:
            connection.cut()
        await asyncio.gather(*(connection.gone for connection in connections))

    def _wake_one(self) -> Connection | None:
        """Take the connection that rests for the shortest time: the others may then rest long enough to end."""
        while self._resting:
            connection = self._resting.pop()
            if connection.is_open:
                return connection
        return None

    def _exchange(self, connection: Connection, place: Place, interim: Callable[[Response], None] | None) -> Exchange:
        return Exchange(connection, place, self._options, interim, self._take_back)

    def _take_back(self, connection: Connection, reusable: bool) -> None:  # noqa: FBT001  (a callback's one word)
        if reusable and connection.is_open and not self._is_closed:
            connection.rest(self._options.idle_timeout)
            self._resting.append(connection)
        else:
            connection.close()

    def _forget(self, connection: Connection) -> None:
        """Note that a connection is gone, perhaps while it rested."""
        self._all.discard(connection)
        if connection in self._resting:
            self._resting.remove(connection)

    def _new(self) -> Connection:
        return Connection(ResponseReader(self._options.wire, self._known), self._forget)

    async def _connect(self) -> Connection:
        loop, address = asyncio.get_running_loop(), self._address
        try:
            async with asyncio.timeout(self._options.connect_timeout):
                if address.path:
                    _, connection = await loop.create_unix_connection(self._new, address.path)
                else:
                    _, connection = await loop.create_connection(self._new, address.host, address.port, ssl=self._tls)
        except TimeoutError as error:
            raise OriginError("the backend did not accept a connection in time", 504) from error
        except OSError as error:
            raise OriginError("the backend cannot be reached", 502) from error
        # Registered here and not when it is made: uvloop makes a connection whose asker was cancelled, closes it, and
        # never tells it that it is lost.
        if not connection.is_open:
            raise OriginError("the backend closed the connection", 502)
        self._all.add(connection)
        if self._is_closed:
            connection.close()
            raise OriginError("the proxy is shutting down", 503)
        return connection


def _may_repeat(request: Outgoing, exchange: Exchange) -> bool:
    """Say whether it may be sent once more (RFC 9110 section 9.2.2, RFC 9112 section 9.3.1).

    Only if the backend closed a connection that had rested, as it may at any time, without a byte of an answer;
    only if sending twice means what sending once does; and only while we still have all that was to be sent.
    """
    return exchange.was_dropped and request.method in _IDEMPOTENT and not exchange.has_begun_body


def _tls_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
