"""The connections: at most so many, and nobody queues before a server that answers nothing.

redis-py's own pools either refuse at the bound or let everybody wait out a timeout there. Here a queue is fine as long
as it moves: a burst of 500 lookups on 50 connections is over in milliseconds. A queue that stands still for
``PATIENCE`` ticks is a hung server, and everybody in it is sent away together.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from redis.asyncio.connection import ConnectionPool

from proxy.backplane.credentials import Credentials

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio.connection import AbstractConnection

# Counted in turns of our loop and not in time alone: while this process itself is stalled, the server is not to blame.
TICK: Final = 0.005
PATIENCE: Final = 5


WARM: Final = 0.1
"""Seconds after an answer in which an open connection is taken for a sound one."""


class StalledError(Exception):
    """Every connection is in use and none has been answered for a while."""


class Pool:
    """Connections to one server. Each is taken by one exchange and given back, broken or not.

    ``stalled`` is called once when a queue stands still, before its members fail.
    """

    def __init__(
        self,
        url: str,
        max_connections: int,
        connect_timeout: float,
        health_check_interval: float,
        stalled: Callable[[], None],
    ) -> None:
        # Only for reading the URL and making connections. No socket timeout: the exchange has one deadline for all of
        # connecting, writing and reading, where redis-py would add up one for each.
        self._factory = ConnectionPool.from_url(
            url,
            protocol=2,
            socket_timeout=None,
            socket_connect_timeout=connect_timeout,
            health_check_interval=health_check_interval,
            client_name="sapwood",
        )
        self._credentials = Credentials.taken_from(self._factory.connection_kwargs)
        self._max = max_connections
        self._stalled = stalled
        self._idle: list[AbstractConnection] = []  # newest last, so that spare ones grow old and are checked
        self._answered_at: dict[AbstractConnection, float] = {}
        self._in_use: dict[AbstractConnection, int] = {}  # to the generation it was taken in
        self._waiters: deque[asyncio.Future[AbstractConnection]] = deque()
        self._generation = 0
        self._answers = 0
        self._watch: asyncio.TimerHandle | None = None

    def make(self) -> AbstractConnection:
        """Return a new connection that the pool does not know; it connects when it is used."""
        connection: AbstractConnection = self._factory.make_connection()  # type: ignore[no-untyped-call]  # redis-py types most of itself, not this
        return connection

    def use_credentials(self, url: str) -> None:
        """Log in as ``url`` says from the next connection on. Without a password at the start there is none later."""
        if self._credentials is not None:
            self._credentials.use(url)

    async def take(self) -> AbstractConnection:
        """Return a connection, perhaps not connected. Raises StalledError."""
        if self._idle:
            connection = self._idle.pop()
        elif len(self._in_use) < self._max:
            connection = self.make()
        else:
            return await self._queue()
        self._in_use[connection] = self._generation
        return connection

    def take_warm(self) -> AbstractConnection | None:
        """Return a connection that is open and needs no closer look, None where there is none to be had at once."""
        if not self._idle or not self.is_warm(self._idle[-1]):
            return None
        connection = self._idle.pop()
        self._in_use[connection] = self._generation
        return connection

    def is_warm(self, connection: AbstractConnection) -> bool:
        """Say whether it was answered on so lately, and not been closed since, that it needs no closer look.

        Closer is what redis-py does: a read that has to time out, ten times as dear.
        """
        answered_at = self._answered_at.get(connection)
        if answered_at is None or asyncio.get_running_loop().time() - answered_at >= WARM:
            return False
        reader = connection._reader  # noqa: SLF001 - nothing public tells it; a test fails if it moves
        return reader is not None and not reader.at_eof() and reader.exception() is None

    async def give(self, connection: AbstractConnection, *, answered: bool) -> None:
        """Take a connection back. ``answered``: the server replied on it, so the queue moves."""
        self._answers += answered
        if answered:
            self._answered_at[connection] = asyncio.get_running_loop().time()
        else:
            self._answered_at.pop(connection, None)
        if not self.is_of_now(connection):
            # Made before the server went away: it may be dead without knowing.
            await connection.disconnect(nowait=True)
        self._hand_on(connection)

    def give_answered(self, connection: AbstractConnection) -> None:
        """Take back a connection ``is_of_now``, on which the server replied."""
        self._answers += 1
        self._answered_at[connection] = asyncio.get_running_loop().time()
        self._hand_on(connection)

    def is_of_now(self, connection: AbstractConnection) -> bool:
        """Say whether it was taken since the server last went away."""
        return self._in_use[connection] == self._generation

    def _hand_on(self, connection: AbstractConnection) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                self._in_use[connection] = self._generation
                waiter.set_result(connection)
                return
        del self._in_use[connection]
        self._idle.append(connection)

    async def renew(self) -> None:
        """Close what is idle and have what is in use closed when it comes back."""
        self._generation += 1
        idle, self._idle = self._idle, []
        self._answered_at.clear()
        for connection in idle:
            await connection.disconnect(nowait=True)

    async def close(self) -> None:
        """Close everything; who still waits is sent away."""
        self._send_away()
        await self.renew()
        for connection in tuple(self._in_use):
            await connection.disconnect(nowait=True)

    async def _queue(self) -> AbstractConnection:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[AbstractConnection] = loop.create_future()
        self._waiters.append(waiter)
        if self._watch is None:
            self._watch = loop.call_later(TICK, self._look, loop, self._answers, 0)
        try:
            return await waiter
        except asyncio.CancelledError:
            # Race: (1) give() hands us the connection, (2) we are cancelled before we run. It must go on to the next.
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                await self.give(waiter.result(), answered=False)
            raise

    def _look(self, loop: asyncio.AbstractEventLoop, answers: int, quiet: int) -> None:
        self._watch = None
        if not any(not waiter.done() for waiter in self._waiters):
            return
        quiet = quiet + 1 if answers == self._answers else 0
        if quiet >= PATIENCE:
            self._stalled()
            self._send_away()
            return
        self._watch = loop.call_later(TICK, self._look, loop, self._answers, quiet)

    def _send_away(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        waiters, self._waiters = self._waiters, deque()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_exception(StalledError("every connection is busy and none is answered"))
