"""Following the ledger: the looks that keep a mirror true, how old it is, and whether it may be judged by at all."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.message.errors import StoreError
from proxy.purge.marks import Superseded
from proxy.purge.mirror import Followed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.background import Background
    from proxy.backplane.client import Backplane
    from proxy.message.selectors import Seq
    from proxy.purge.calls import Calls
    from proxy.purge.mirror import Lost, Mirror


@dataclass(slots=True)
class Looks:
    """How often the mirror was brought up to date, and what that took: each number only grows.

    ``caught_up``: for a lookup that had read a position beyond the mirror's. ``reconnected``: the first answer after a
    connection broke. ``reloaded``: the whole ledger was read. ``healed``: the ledger was told what it had lost.
    """

    answered: int = 0
    failed: int = 0
    caught_up: int = 0
    reconnected: int = 0
    reloaded: int = 0
    healed: int = 0


class Following:
    """Brings a mirror up to date, one look at a time, whoever asks for it."""

    def __init__(self, calls: Calls, mirror: Mirror, backplane: Backplane, tasks: Background) -> None:
        self._calls = calls
        self._mirror = mirror
        self._backplane = backplane
        self._tasks = tasks
        self._flight: asyncio.Task[StoreError | None] | None = None
        self._asked_at: float | None = None
        self.breaks: int | None = backplane.breaks  # those before the last answered look; None: look before you judge
        self._doubts = 0
        self.looks = Looks()
        self.healed: Seq | None = None
        """Where the ledger was last told what it had lost."""

    def age(self) -> float | None:
        """Return the seconds since the sending of the last look that was answered; None before the first."""
        return None if self._asked_at is None else asyncio.get_running_loop().time() - self._asked_at

    @property
    def may_be_another_ledger(self) -> bool:
        """Say whether a connection broke since the last look, or a purge came to lie in another epoch.

        Race: (1) a purge by another process is acknowledged, (2) its server dies, (3) one without it is promoted, and
        its position, read with an entry, is one that this mirror has seen. Only a look finds out whose position that is.
        """
        return self.breaks != self._backplane.breaks

    async def catch_up(self, at: Seq) -> None:
        """Read the log until ``at``; whoever comes meanwhile shares the read."""
        # The read under way may have been sent before ``at`` came to be; the second one is younger than this call. And
        # it may be that one that finds its connection broken.
        for _ in range(3):
            if self._mirror.has_seen(at) and not self.may_be_another_ledger:
                return
            self.looks.caught_up += 1
            if (failure := await asyncio.shield(self.look())) is not None:
                raise StoreError(str(failure)) from failure
        if self._mirror.seq is not None and self._mirror.seq.epoch != at.epoch:
            self._mirror.leave_behind(at.epoch)

    def look(self) -> asyncio.Task[StoreError | None]:
        """Start a look, or join the one under way; a failure is its result, because those who wait may all leave."""
        if self._flight is None or self._flight.done():
            self._flight = self._tasks.start(self._read(), "purge mirror")
        return self._flight

    async def purge(self, names: Sequence[str], *, soft: bool) -> Seq:
        """Purge, and take it over."""
        seq, before = await self._calls.purge(names, self._mirror.known, soft=soft)
        self._learn(names, seq, before, soft=soft)
        return seq

    async def supersede(self, name: str) -> Superseded:
        """Purge one selector, take it over, and say when it was purged before."""
        seq, before, last = await self._calls.supersede(name, self._mirror.known)
        self._learn((name,), seq, before, soft=False)
        return Superseded(seq, last)

    def _learn(self, names: Sequence[str], seq: Seq, before: int, *, soft: bool) -> None:
        self._mirror.learn(names, seq, before, soft=soft)
        if self._mirror.seq is not None and self._mirror.seq.epoch != seq.epoch:
            # The mirror is of a ledger that is lost, and did not learn: by it nothing may be judged any more.
            self.distrust()

    def distrust(self) -> None:
        """Judge nothing until the next look."""
        self._asked_at = self.breaks = None
        self._doubts += 1

    async def _read(self) -> StoreError | None:
        asked_at, breaks, doubts = asyncio.get_running_loop().time(), self._backplane.breaks, self._doubts
        try:
            await self._bring_up_to_date()
        except StoreError as error:
            self.looks.failed += 1
            return error
        self.looks.answered += 1
        self.looks.reconnected += breaks != self.breaks
        if doubts == self._doubts:  # else it may have been answered by what was lost meanwhile
            self._asked_at, self.breaks = asked_at, breaks
        return None

    async def _bring_up_to_date(self) -> None:
        mirror = self._mirror
        if mirror.seq is not None:
            known = mirror.known
            tail = await self._calls.tail(mirror.seq)
            if mirror.follow(tail, known) is Followed.UP_TO_DATE:
                return
        # A second reading sees what the first one made us tell; a third would have to meet another failover.
        for _ in range(3):
            known = mirror.known
            snapshot = await self._calls.snapshot(mirror.seq)
            self.looks.reloaded += 1
            lost = mirror.lost(snapshot, known)
            if not lost:
                mirror.reload(snapshot)
                return
            await self._heal(lost)
            mirror.go_back_to(snapshot.seq.epoch)
        raise StoreError("the ledger keeps losing what it is told")

    async def _heal(self, lost: Lost) -> None:
        """Purge again what the ledger has lost, by a failover to a replica that had not heard of it."""
        self.looks.healed += 1
        for names, soft in ((lost.soft, True), (lost.hard, False)):
            if names or not soft:
                self.healed = await self.purge(names, soft=soft)
