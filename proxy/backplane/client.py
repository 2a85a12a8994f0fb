"""One exchange at a time: commands, pipelines, scripts; every failure becomes a ``StoreError``."""

from __future__ import annotations

import asyncio
import time
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Final, TypeVar

from redis.exceptions import NoScriptError, RedisError, ResponseError

from proxy.background import Background
from proxy.backplane import talk
from proxy.backplane.breaker import Breaker
from proxy.backplane.pool import Pool, StalledError
from proxy.backplane.server import facts_of
from proxy.backplane.straight import Straight
from proxy.message.errors import StoreError
from proxy.observe.events import StoreAnswered, TaskFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from redis.asyncio.connection import AbstractConnection

    from proxy.backplane.options import BackplaneOptions
    from proxy.backplane.scripts import Script
    from proxy.backplane.talk import Command
    from proxy.observe.events import Observer

    Told = Callable[[list[Any] | StoreError], None]

T = TypeVar("T")

_WEIGHT: Final = 0.1  # of the newest exchange in the average latency


class Backplane:
    """Redis, for all who need it. Every method raises StoreError and nothing else.

    Each exchange is told to ``observer`` as ``StoreAnswered``; ``failure`` is one of ``breaker`` (not even tried),
    ``busy`` (no connection free, none answered), ``timeout``, ``connection``, ``reply`` (an error reply, such as
    OOM: the server is well, so the breaker stays closed), ``cancelled``. Replies are bytes, as RESP2 has them.
    """

    def __init__(self, options: BackplaneOptions, observer: Observer) -> None:
        self._options = options
        self._observer = observer
        self.tasks = Background(lambda name, error: observer.tell(TaskFailed(name, error)))
        self._breaker = Breaker(self._probe, observer.tell, self.tasks)
        self._pool = Pool(
            options.url,
            options.max_connections,
            options.connect_timeout,
            options.health_check_interval,
            lambda: self._breaker.trip("busy"),
        )
        self._closed = False
        self.latency: float | None = None
        self.breaks = 0
        """How many connections broke: after one, whoever answers may be another server."""

    @property
    def is_open(self) -> bool:
        """Say whether calls fail at once, because the server last failed."""
        return self._breaker.is_open

    def use_credentials(self, url: str) -> None:
        """Log in as ``url`` says from the next connection on; those that are open stay as they are."""
        self._pool.use_credentials(url)

    async def run(self, operation: str, *command: bytes | str | float) -> Any:
        """Send one command and return its reply. ``operation`` names it to the observer."""
        replies = await self.pipeline(operation, (command,))
        return replies[0]

    async def pipeline(self, operation: str, commands: Sequence[Command]) -> list[Any]:
        """Send all commands in one round trip and return their replies, in order; an error among them is raised."""
        return await self._call(operation, lambda connection: talk.exchange(connection, commands))

    async def attempt(self, operation: str, commands: Sequence[Command]) -> list[Any]:
        """Send all commands in one round trip and return their replies, in order; error replies are among them."""
        return await self._call(
            operation, lambda connection: talk.exchange(connection, commands), errors_are_answers=True
        )

    def begin(self, operation: str, commands: Sequence[Command], told: Told, *, errors_are_answers: bool) -> None:
        """Send all commands in one round trip: ``told`` gets their replies, or why there are none, in a later turn.

        Without a task where a connection is open that was answered on a moment ago. ``told`` must not raise.
        """
        connection = None if self._breaker.is_open or self._closed else self._pool.take_warm()
        if connection is None:
            calling = self.tasks.start(self._asked(operation, commands, errors_are_answers), operation)
            calling.add_done_callback(lambda _: told(_outcome(calling)))
            return
        started, context = time.perf_counter(), copy_context()

        def ended(outcome: list[Any] | Exception) -> None:
            self.tasks.release(straight)
            if not errors_are_answers and isinstance(outcome, list):
                outcome = next((reply for reply in outcome if isinstance(reply, ResponseError)), outcome)
            # Whoever is told of the exchange may want to know on whose behalf it was made.
            context.run(self._ended, operation, connection, started, outcome, told)

        straight = Straight(connection, len(commands), ended)
        self.tasks.hold(straight, lambda: straight.end(StoreError("the store's answer was given up")))
        straight.begin(b"".join(map(talk.packed, commands)), self._options.timeout)

    async def _asked(
        self,
        operation: str,
        commands: Sequence[Command],
        errors_are_answers: bool,  # noqa: FBT001 - as begin has it
    ) -> list[Any] | StoreError:
        try:
            return await (self.attempt if errors_are_answers else self.pipeline)(operation, commands)
        except StoreError as error:
            return error

    def _ended(
        self,
        operation: str,
        connection: AbstractConnection,
        started: float,
        outcome: list[Any] | Exception,
        told: Told,
    ) -> None:
        """Give a connection back, and tell what came of its exchange."""
        is_answered = not isinstance(outcome, Exception) or isinstance(outcome, ResponseError)
        if is_answered and self._pool.is_of_now(connection):
            self._pool.give_answered(connection)
        elif not self._closed:
            self.tasks.start(self._give(connection, answered=is_answered), "store connection")
        seconds, failure = time.perf_counter() - started, ""
        if isinstance(outcome, Exception):
            failure, outcome = self._failed(outcome)
        else:
            self._measure(seconds)
        self._observer.tell(StoreAnswered(operation, seconds, failure))
        told(outcome)

    async def script(
        self, operation: str, script: Script, keys: Sequence[bytes], args: Sequence[bytes | str | int]
    ) -> Any:
        """Run a Lua script and return its reply; its text travels only when the server does not know it."""
        rest = (len(keys), *keys, *args)

        async def evaluate(connection: AbstractConnection) -> list[Any]:
            replies = await talk.exchange(connection, ((b"EVALSHA", script.digest, *rest),))
            if isinstance(replies[0], NoScriptError):
                replies = await talk.exchange(connection, ((b"EVAL", script.source, *rest),))
            return replies

        replies = await self._call(operation, evaluate)
        return replies[0]

    async def info(self) -> dict[str, str | int | float]:
        """Return what health and statistics show of the server, and ``latency_ms`` of asking for it."""
        started = time.perf_counter()
        reply = await self.run("info", b"INFO")
        return {"latency_ms": round((time.perf_counter() - started) * 1000, 2), **facts_of(reply)}

    @property
    def observer(self) -> Observer:
        """Who is told, for those who have more to tell than how Redis answered."""
        return self._observer

    def tell(self, operation: str, failure: str) -> None:
        """Tell the observer of a failure that is in what was answered, not in the answering."""
        self._observer.tell(StoreAnswered(operation, 0.0, failure))

    async def close(self) -> None:
        """Close all connections; every later call fails. Idempotent."""
        self._closed = True
        await self.tasks.drain(0)
        await self._pool.close()

    async def _call(
        self,
        operation: str,
        exchange: Callable[[AbstractConnection], Awaitable[list[Any]]],
        *,
        errors_are_answers: bool = False,
    ) -> list[Any]:
        if self._breaker.is_open or self._closed:
            self._observer.tell(StoreAnswered(operation, 0.0, "breaker"))
            raise StoreError("the store is closed" if self._closed else "the store did not answer lately")
        started = time.perf_counter()
        failure = "cancelled"
        try:
            async with asyncio.timeout(self._options.timeout):
                replies = await self._on_a_connection(exchange)
            for reply in replies:
                if isinstance(reply, ResponseError) and not errors_are_answers:
                    raise reply
        except (TimeoutError, StalledError, RedisError, OSError) as error:
            failure, told = self._failed(error)
            raise told from error
        else:
            failure = ""
            self._measure(time.perf_counter() - started)
            return replies
        finally:
            self._observer.tell(StoreAnswered(operation, time.perf_counter() - started, failure))

    def _failed(self, error: Exception) -> tuple[str, StoreError]:
        """Say what an exchange failed with, after opening the breaker where the server is to blame."""
        if isinstance(error, StoreError):
            return "cancelled", error
        if isinstance(error, ResponseError):
            return "reply", StoreError(f"the store refused: {error}")
        if isinstance(error, StalledError):
            return "busy", StoreError(str(error))
        self.breaks += 1
        if isinstance(error, TimeoutError) and not isinstance(error, RedisError):
            self._breaker.trip("timeout")
            return "timeout", StoreError(f"the store did not answer within {self._options.timeout:g} s")
        self._breaker.trip("connection")
        return "connection", StoreError(f"the store cannot be reached: {error}")

    async def _on_a_connection(self, exchange: Callable[[AbstractConnection], Awaitable[T]]) -> T:
        connection = await self._pool.take()
        answered = False
        try:
            if not self._pool.is_warm(connection) and await talk.ready(connection):
                self.breaks += 1
            result = await exchange(connection)
            answered = True
            return result
        finally:
            await self._give(connection, answered=answered)

    async def _give(self, connection: AbstractConnection, *, answered: bool) -> None:
        if not answered:
            # A reply may still be on its way: nobody else may read it as theirs.
            await connection.disconnect(nowait=True)
        await self._pool.give(connection, answered=answered)

    async def _probe(self) -> None:
        """Ask for a sign of life on a new connection. Raises ConnectionError."""
        await self._pool.renew()
        connection = self._pool.make()
        try:
            async with asyncio.timeout(self._options.timeout):
                await talk.ready(connection)
                (reply,) = await talk.exchange(connection, ((b"PING",),))
        except (RedisError, OSError) as error:
            raise ConnectionError("no sign of life") from error
        finally:
            await connection.disconnect(nowait=True)
        if isinstance(reply, ResponseError):
            raise ConnectionError("an error instead of a sign of life") from reply

    def _measure(self, seconds: float) -> None:
        self.latency = seconds if self.latency is None else self.latency + _WEIGHT * (seconds - self.latency)


def _outcome(calling: asyncio.Task[list[Any] | StoreError]) -> list[Any] | StoreError:
    if calling.cancelled():
        return StoreError("the store's answer was given up")
    error = calling.exception()
    return calling.result() if error is None else StoreError(f"the store could not be asked: {error}")
