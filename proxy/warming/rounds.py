"""Runs that come by themselves, by the clock, after a start, after a purge: each once, whatever number of replicas.

1. What is due asks for its turn (``turns``). Whoever has it runs, and asks for it again and again while it runs, so
   that the turn lasts as long as the run does and no longer.
2. Who has not got it looks whether it was done. If the one who had it dies, the turn ends, and another one takes it.
   What the first had warmed is fresh by then, so the second does what is left.
3. Who finds its turn taken by another, because it was stopped for too long, breaks off.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from proxy.message.errors import StoreError
from proxy.warming.dues import last_due
from proxy.warming.schedule import LATE, LONGEST_SLEEP, RESTART
from proxy.warming.turns import HELD, RETRY, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from proxy.background import Background
    from proxy.warming.turns import Turns
    from proxy.warming.warmers import Warmer

TOGETHER: Final = 300
"""Seconds: replicas that start within the same five minutes warm once, for what one has warmed all have."""


@dataclass(frozen=True, slots=True)
class Round:
    """One run that is due. ``key`` and ``due`` name it among replicas; ``hit``: selectors of the purge it follows."""

    warmer: Warmer
    trigger: str
    key: str
    due: int
    hit: frozenset[str] = frozenset()


class Rounds:
    """Takes turns and has them run. ``look`` is one look at the clock; ``run`` makes one run and never raises."""

    def __init__(  # noqa: PLR0913 - two of them by name, for tests that do not wait
        self,
        turns: Turns,
        wall: Callable[[], float],
        tasks: Background,
        run: Callable[[Round], Coroutine[None, None, None]],
        *,
        held: float = HELD,
        retry: float = RETRY,
    ) -> None:
        self._turns = turns
        self._wall = wall
        self._tasks = tasks
        self._run = run
        self._renew = held / 3
        self._retry = retry
        self._warmers: tuple[Warmer, ...] = ()
        self._handled: dict[str, float] = {}
        self._waiting: list[tuple[Round, float]] = []
        self._under_way: set[str] = set()
        self._changed = asyncio.Event()

    def use(self, warmers: Sequence[Warmer], *, at_start: bool = False) -> None:
        """Take these warmers; a new one is due from now on, at a start also for what was due a minute ago."""
        now = self._wall()
        since = now - RESTART if at_start else now
        self._warmers = tuple(warmers)
        self._handled = {warmer.digest: self._handled.get(warmer.digest, since) for warmer in warmers}
        kept = {warmer.digest for warmer in warmers}
        self._waiting = [waiting for waiting in self._waiting if waiting[0].warmer.digest in kept]
        if at_start:
            due = int(now // TOGETHER * TOGETHER)
            self.add(
                Round(warmer, "startup", f"{warmer.digest}-startup", due) for warmer in warmers if warmer.on_startup
            )
        self._changed.set()

    def purged(self, quarter: int, selectors: frozenset[str]) -> None:
        """Have warmed what these purges of one quarter of a second hit."""
        self.add(
            Round(warmer, "purge", f"{warmer.digest}-purge-{quarter}", quarter, selectors)
            for warmer in self._warmers
            if warmer.on_purge
        )

    def add(self, rounds: Iterable[Round]) -> None:
        """Have these run as soon as it is their turn."""
        now = self._wall()
        self._waiting += [(one, now) for one in rounds]
        self._changed.set()

    async def watch(self) -> None:
        """Look for ever."""
        while True:
            self._changed.clear()
            wait = await self.look()
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def look(self) -> float:
        """Begin whatever is due and return the seconds until the next look."""
        waits = [await self._scheduled(warmer) for warmer in self._warmers if warmer.crons]
        for one, since in tuple(self._waiting):
            if await self._take(one) or self._wall() - since > LATE:
                self._waiting = [waiting for waiting in self._waiting if waiting[0] is not one]
            else:
                waits.append(self._retry)
        return min([*waits, LONGEST_SLEEP])

    async def _scheduled(self, warmer: Warmer) -> float:
        now = self._wall()
        late = max(LATE, 2 * warmer.deadline)
        due, coming = last_due(warmer.due_after, self._handled.get(warmer.digest, now), now, late)
        if due is not None:
            if not await self._take(Round(warmer, "schedule", warmer.digest, int(due))):
                return self._retry
            self._handled[warmer.digest] = due
        return coming - now

    async def _take(self, one: Round) -> bool:
        """Begin a round if it is ours; say whether it needs no further look."""
        if one.key in self._under_way:
            return False
        try:
            turn = await self._turns.take(one.key, one.due)
        except StoreError:
            return False  # the backplane has told
        if turn is Turn.MINE:
            self._under_way.add(one.key)
            self._tasks.start(self._carry_out(one), name=f"warm {one.warmer.name}")
        return turn is not Turn.TAKEN

    async def _carry_out(self, one: Round) -> None:
        work = self._tasks.start(self._run(one), name=f"warmer {one.warmer.name}")
        try:
            while not (await asyncio.wait({work}, timeout=self._renew))[0]:
                if not await self._is_still_ours(one):
                    return
            await self._finish(one)
        finally:
            work.cancel()
            self._under_way.discard(one.key)

    async def _is_still_ours(self, one: Round) -> bool:
        try:
            return await self._turns.take(one.key, one.due) is Turn.MINE
        except StoreError:
            return True  # nobody else can have it either, and without a store nothing is warmed

    async def _finish(self, one: Round) -> None:
        try:
            await self._turns.finish(one.key, one.due)
        except StoreError:
            return  # another one may run it again, and finds all of it fresh
