"""One flight per key: many ask, one fetch is made.

How to think about it: a *flight* belongs to nobody who asked. Its crew works in the background; passengers come and go.
It comes to a *landing*, once the response's head has been judged:

- ``Shared``  the response may be kept: everybody may read it, as far as its Vary and the purges allow
- ``Handed``  it may not: the one who started the flight takes over the stream, all others go on alone, at once
- ``Failed``  the backend did not answer; everybody is told

Most flights need no task: what a miss has to do is done when the answer comes, and only the save is waited for.

A flight stays on the board until it is over, so that between a landing and the save nobody starts another.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias

from proxy.message.errors import OriginError
from proxy.message.values import value

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from proxy.background import Background
    from proxy.fetch.origin import Reply
    from proxy.fetch.spool import Spool
    from proxy.fetch.whole import Content
    from proxy.message.body import Body
    from proxy.message.response import Response
    from proxy.message.stored import StoredResponse


LATELY: Final = 5.0
"""Seconds for which the end of a flight is remembered, and up to twice that: longer than any lookup may take."""

MOST_NOTED: Final = 20_000
"""Ends that are remembered in half of that time: more flights than a process can fly in it, at 150 bytes each."""


@value(frozen=True, slots=True)
class Shared:
    """A response that may be kept. ``draft`` is it without its body; ``response`` the head as the backend sent it.

    ``how``: fetched from the backend; revalidated (a 304 freshened it, and ``draft`` has its body); found in the store
    by the second look (likewise). ``answered`` is the status the backend gave. ``saving``: it will be in the store.
    """

    draft: StoredResponse
    response: Response
    answered: int
    spool: Spool | Content
    how: Literal["fetched", "revalidated", "found"]
    saving: bool

    @property
    def is_whole(self) -> bool:
        """Say whether all of the body is here."""
        return self.spool.is_whole


@value(frozen=True, slots=True)
class Handed:
    """A response for one client only, and why; ``answered`` is the status the backend gave."""

    reply: Reply
    reason: str
    answered: int


@value(frozen=True, slots=True)
class Failed:
    """No usable answer from the backend."""

    error: OriginError


Landing = Shared | Handed | Failed
Fly: TypeAlias = "Callable[[Flight], Coroutine[Any, Any, None]]"
SetOut: TypeAlias = "Callable[[Flight], Callable[[], None] | None]"


class Leader(Protocol):
    """The one who started a flight, and is told without waiting."""

    @property
    def has_left(self) -> bool:
        """Say whether nobody is there any more."""
        ...

    def landed(self, flight: Flight, landing: Landing) -> None:
        """Take the landing, and what was set aside with it. Must not raise."""
        ...


class Flight:
    """One fetch under way. ``landing`` is None until it has landed; ``over`` is called once, when nothing is left to do."""

    def __init__(self, key: str, over: Callable[[Flight], None]) -> None:
        self.key = key
        self.landing: Landing | None = None
        self.followers = 0
        self.leader_body: Body | None = None
        self._leader: Leader | None = None
        self._has_leader = False
        self._over: Callable[[Flight], None] | None = over
        self._waiting: list[asyncio.Future[Landing]] = []

    @property
    def is_over(self) -> bool:
        """Say whether all that it fetched is here, and it is only being saved."""
        return isinstance(self.landing, Shared) and self.landing.saving and self.landing.is_whole

    @property
    def has_leader(self) -> bool:
        """Say whether the one who started it still wants to know."""
        return self._has_leader and (self._leader is None or not self._leader.has_left)

    def starts_for(self, leader: Leader | None) -> None:
        """Belong to a leader; None: to one that will call ``lead``."""
        self._has_leader = True
        self._leader = leader

    @property
    def has_ended(self) -> bool:
        """Say whether nothing is left to do for it."""
        return self._over is None

    def land(self, landing: Landing) -> None:
        """Tell everybody. The leader's reader is made here, so that no chunk can pass it by."""
        assert self.landing is None, "a flight lands once"
        if self.has_leader and isinstance(landing, Shared):
            self.leader_body = landing.spool.reader()
        self.landing = landing
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(landing)
        leader, self._leader = self._leader, None
        if leader is not None:
            self._has_leader = not leader.has_left
            if self._has_leader:  # in its own turn: what it does next is not to be done on top of this
                asyncio.get_running_loop().call_soon(leader.landed, self, landing)

    def end(self) -> None:
        """Be over. Whoever still waits, because it crashed or was given up, is told that it failed. Idempotent."""
        over, self._over = self._over, None
        if over is None:
            return
        over(self)
        if self.landing is None:
            self.land(Failed(OriginError("the request to the backend was given up")))

    async def lead(self) -> Landing:
        """Wait as the one who started the flight. Leaving early cancels nothing that others may use."""
        try:
            return await self._landed()
        except asyncio.CancelledError:
            await self._leader_left()
            raise

    async def follow(self) -> Landing:
        """Wait as one of those who came later."""
        self.followers += 1
        try:
            return await self._landed()
        finally:
            self.followers -= 1

    async def _landed(self) -> Landing:
        if self.landing is not None:
            return self.landing
        # One for each who waits: who leaves cancels what it waits for.
        waiter: asyncio.Future[Landing] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        return await waiter

    async def _leader_left(self) -> None:
        self._has_leader = False
        # The landing and the leader's hang-up fell into one turn of the loop: what was set aside is given up.
        if self.leader_body is not None:
            await self.leader_body.aclose()
        if isinstance(self.landing, Handed):
            await self.landing.reply.body.aclose()


class Flights:
    """The board of all flights under way in this process."""

    def __init__(self, background: Background, *, waiters: int) -> None:
        self._background = background
        self._waiters = waiters
        self._board: dict[str, Flight] = {}
        self._ended: set[str] = set()
        self._ended_before: set[str] = set()
        self._turned_at = 0.0

    def __len__(self) -> int:
        return len(self._board)

    def under_way(self, key: str) -> Flight | None:
        """Return the flight for that key, if there is one."""
        return self._board.get(key)

    def ended_lately(self, key: str) -> bool:
        """Say whether a flight for that key may have ended within the last ``LATELY`` seconds.

        Race: (1) a lookup finds nothing, (2) the flight under way saves and ends, (3) who looked starts another. So who
        looked that long before or less looks once more.
        """
        return key in self._ended or key in self._ended_before

    def is_full(self, flight: Flight) -> bool:
        """Say whether it has as many followers as ``limits.waiters`` allows."""
        return flight.followers >= self._waiters

    def start(self, key: str, fly: Fly, *, leader: Leader | bool, set_out: SetOut | None = None) -> Flight:
        """Put a flight on the board, in the place of one whose landing was refused; ``fly`` must land it.

        ``leader``: who is told of the landing; True: who will call ``lead``; False: nobody.
        ``set_out`` does without a task what can be done so: it lands and ends the flight, or goes on with a task; it
        returns how to give it up, or None where nothing was done, and then ``fly`` flies.
        """
        flight = self._board[key] = Flight(key, self._over)
        self._begin(flight, fly, set_out, leader=leader)
        return flight

    def start_alone(self, key: str, fly: Fly, *, leader: Leader | bool, set_out: SetOut | None = None) -> Flight:
        """Start a flight that nobody can join."""
        flight = Flight(key, self._over)
        self._begin(flight, fly, set_out, leader=leader)
        return flight

    def go_on(self, flight: Flight, flying: Coroutine[Any, Any, None]) -> None:
        """Do what is left of a flight in a task, with which it ends."""
        task = self._background.start(self._fly(flight, flying), name="flight")
        task.add_done_callback(lambda _: _never_begun(flight, flying))
        self._background.release(flight)

    def _begin(self, flight: Flight, fly: Fly, set_out: SetOut | None, *, leader: Leader | bool) -> None:
        if leader is not False:
            flight.starts_for(None if leader is True else leader)
        try:
            give_up = None if set_out is None else set_out(flight)
        except Exception as error:  # noqa: BLE001 - as where its task crashes
            self._background.failed("flight", error)
            flight.end()
            return
        if give_up is None:
            self.go_on(flight, fly(flight))
        elif not flight.has_ended:
            self._background.hold(flight, give_up)

    async def _fly(self, flight: Flight, flying: Coroutine[Any, Any, None]) -> None:
        try:
            await flying
        finally:  # also where it crashed, or the drain cancelled it
            flight.end()

    def _over(self, flight: Flight) -> None:
        self._background.release(flight)
        if self._board.get(flight.key) is flight:
            del self._board[flight.key]
            self._note(flight.key)

    def _note(self, key: str) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._turned_at >= LATELY or len(self._ended) >= MOST_NOTED:
            self._ended_before, self._ended, self._turned_at = self._ended, set(), now
        self._ended.add(key)


def _never_begun(flight: Flight, flying: Coroutine[Any, Any, None]) -> None:
    """End what a drain has cancelled before its first step; where there was one, there is nothing left to do."""
    flying.close()
    flight.end()
