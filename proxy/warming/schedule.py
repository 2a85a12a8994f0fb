"""Purges by the clock: each once per service, whatever number of replicas it has.

A due time that nobody could run is run late, by at most ``LATE`` seconds; one that passed while the service was not up
at all is left out.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from proxy.background import Background
from proxy.message.errors import StoreError
from proxy.observe.events import Purged, TaskFailed
from proxy.policy import invalidation
from proxy.warming.dues import last_due
from proxy.warming.turns import RETRY, Turn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from proxy.pipeline.parts import Parts
    from proxy.policy.rules import WriteRule
    from proxy.warming.cron import Cron
    from proxy.warming.turns import Turns

LATE: Final = 600.0
"""Seconds by which a purge may be late, after an outage of the store. Later than that, the next due time will do."""

RESTART: Final = 60.0
"""Seconds: a process that starts looks so far back, for the one before it may have died at a due time."""

LONGEST_SLEEP: Final = 60.0
"""Seconds between two looks at the clock, which may be set."""


@dataclass(frozen=True, slots=True)
class ScheduledPurge:
    """What is to be purged when. ``digest`` names the schedule among all replicas that run the same rules."""

    crons: tuple[Cron, ...]
    zone: tzinfo
    rule: WriteRule
    digest: str

    def due_after(self, moment: float) -> float:
        """Return the first due time after ``moment``, both wall-clock seconds."""
        return min(cron.due_after(moment, self.zone) for cron in self.crons)


class Schedule:
    """Runs what is due. ``run_due`` is one look at the clock; between start and close it happens by itself."""

    def __init__(self, parts: Parts, turns: Turns, purges: Sequence[ScheduledPurge]) -> None:
        self._parts = parts
        self._turns = turns
        self._tasks = Background(lambda name, error: parts.observer.tell(TaskFailed(name, error)))
        self._purges = tuple(purges)
        self._handled = dict.fromkeys((purge.digest for purge in purges), parts.wall() - RESTART)
        self._changed = asyncio.Event()

    def start(self) -> None:
        """Begin to watch the clock."""
        self._tasks.start(self._run(), name="schedule")

    async def close(self) -> None:
        """Stop. What was begun is taken over by another replica. Idempotent."""
        await self._tasks.drain(0)

    def use(self, purges: Sequence[ScheduledPurge]) -> None:
        """Take other schedules; a new one is due from now on."""
        now = self._parts.wall()
        self._purges = tuple(purges)
        self._handled = {purge.digest: self._handled.get(purge.digest, now) for purge in purges}
        self._changed.set()

    async def run_due(self) -> float:
        """Run whatever is due and return the seconds until the next look."""
        waits = [await self._look(purge) for purge in self._purges]
        return min([*waits, LONGEST_SLEEP])

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            wait = await self.run_due()
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _look(self, purge: ScheduledPurge) -> float:
        """Run a schedule if it is due; return the seconds until it is to be looked at again."""
        now = self._parts.wall()
        due, coming = last_due(purge.due_after, self._handled.get(purge.digest, now), now, LATE)
        if due is None:
            return coming - now
        try:
            turn = await self._turns.take(purge.digest, int(due))
            if turn is Turn.TAKEN:
                return RETRY
            self._handled[purge.digest] = due
            if turn is Turn.MINE:
                await self._purge(purge)
                await self._turns.finish(purge.digest, int(due))
        except StoreError:
            return RETRY  # the backplane has told
        return coming - now

    async def _purge(self, purge: ScheduledPurge) -> None:
        parts, mode = self._parts, "soft" if purge.rule.soft else "hard"
        selectors = invalidation.purge_of(purge.rule, parts.book).selectors
        try:
            seq = await parts.ledger.purge(selectors, soft=purge.rule.soft, now=parts.wall())
        except StoreError as error:
            # Kept by the ledger, and sent again; if this process dies before, its turn is taken over.
            parts.observer.tell(Purged("schedule", mode, selectors, "", failure=str(error)))
            raise
        parts.observer.tell(Purged("schedule", mode, selectors, str(seq)))
