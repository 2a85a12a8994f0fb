"""One flight per key: many ask, one fetch is made.

How to think about it: a *flight* belongs to nobody who asked. Its crew is a background task; passengers come and go.
The task ends in a *landing*, once the response's head has been judged:

- ``Shared``  the response may be kept: everybody may read it, as far as its Vary and the purges allow
- ``Handed``  it may not: the one who started the flight takes over the stream, all others go on alone, at once
- ``Failed``  the backend did not answer; everybody is told

A flight stays on the board until its task has ended, so that between a landing and the save nobody starts another.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Literal

from proxy.message.errors import OriginError
from proxy.message.values import value

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from proxy.background import Background
    from proxy.fetch.origin import Reply
    from proxy.fetch.spool import Spool, SpoolReader
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
    spool: Spool
    how: Literal["fetched", "revalidated", "found"]
    saving: bool

    @property
    def is_whole(self) -> bool:
        """Say whether all of the body is here."""
        return self.spool.complete.done() and self.spool.complete.result()


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


class Flight:
    """One fetch under way."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.landed: asyncio.Future[Landing] = asyncio.get_running_loop().create_future()
        self.followers = 0
        self.leader_body: SpoolReader | None = None
        self.has_leader = False

    @property
    def is_over(self) -> bool:
        """Say whether all that it fetched is here, and it is only being saved."""
        if not self.landed.done():
            return False
        landing = self.landed.result()
        return isinstance(landing, Shared) and landing.saving and landing.is_whole

    def land(self, landing: Landing) -> None:
        """Tell everybody. The leader's reader is made here, so that no chunk can pass it by."""
        if self.has_leader and isinstance(landing, Shared):
            self.leader_body = landing.spool.reader()
        self.landed.set_result(landing)

    async def lead(self) -> Landing:
        """Wait as the one who started the flight. Leaving early cancels nothing that others may use."""
        try:
            return await asyncio.shield(self.landed)
        except asyncio.CancelledError:
            await self._leader_left()
            raise

    async def follow(self) -> Landing:
        """Wait as one of those who came later."""
        self.followers += 1
        try:
            return await asyncio.shield(self.landed)
        finally:
            self.followers -= 1

    async def _leader_left(self) -> None:
        self.has_leader = False
        if not self.landed.done():
            return
        # The landing and the leader's hang-up fell into one turn of the loop: what was set aside is given up.
        if self.leader_body is not None:
            await self.leader_body.aclose()
        landing = self.landed.result()
        if isinstance(landing, Handed):
            await landing.reply.body.aclose()


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

    def start(self, key: str, fly: Callable[[Flight], Coroutine[None, None, None]], *, leader: bool) -> Flight:
        """Put a flight on the board, in the place of one whose landing was refused; ``fly`` must land it."""
        flight = self.start_alone(key, fly, leader=leader)
        self._board[key] = flight
        return flight

    def start_alone(self, key: str, fly: Callable[[Flight], Coroutine[None, None, None]], *, leader: bool) -> Flight:
        """Start a flight that nobody can join."""
        flight = Flight(key)
        flight.has_leader = leader
        self._background.start(self._fly(flight, fly), name="flight")
        return flight

    async def _fly(self, flight: Flight, fly: Callable[[Flight], Coroutine[None, None, None]]) -> None:
        try:
            await fly(flight)
        finally:
            if self._board.get(flight.key) is flight:
                del self._board[flight.key]
                self._note(flight.key)
            if not flight.landed.done():  # it crashed, or the drain cancelled it: nobody is left waiting
                flight.land(Failed(OriginError("the request to the backend was given up")))

    def _note(self, key: str) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._turned_at >= LATELY or len(self._ended) >= MOST_NOTED:
            self._ended_before, self._ended, self._turned_at = self._ended, set(), now
        self._ended.add(key)
