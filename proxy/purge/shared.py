"""The ledger in Redis, for all replicas."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from proxy.background import Background
from proxy.message.errors import StoreError
from proxy.message.selectors import octets_of
from proxy.observe.events import Purged, TaskFailed
from proxy.purge.calls import Calls
from proxy.purge.following import Following
from proxy.purge.mirror import Mirror
from proxy.purge.pending import Pending
from proxy.purge.replicas import counted, followers
from proxy.purge.shuttle import Shuttle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from proxy.backplane.client import Backplane
    from proxy.message.selectors import Seq, Standing
    from proxy.observe.events import Observer
    from proxy.purge.marks import Superseded
    from proxy.purge.options import PurgeOptions
    from proxy.purge.pending import Parcel
    from proxy.purge.records import Logged
    from proxy.purge.replicas import Follower, Replicas

POLL: Final = 0.1
"""Seconds between two looks. Less than half of memory.max_lag's default, so that hot hits need not ask."""

SHORTEST_POLL: Final = 0.01
"""A look costs both sides 0.1 ms: at most a hundredth of a core."""

ROLLS_APART: Final = 0.01
"""Seconds between two readings of who follows, however many wait for their purge to be confirmed."""


class SharedLedger:
    """Purges by one script call; judges by a mirror that is compared with the ledger at every lookup.

    ``max_lag``: seconds for which hot hits of this process trust its mirror, announced with each look. ``poll``: seconds
    between two looks at the ledger where no lookup looks before; twice in ``max_lag`` if that is shorter.
    """

    def __init__(  # noqa: PLR0913 - two of them by name
        self,
        backplane: Backplane,
        service: str,
        options: PurgeOptions,
        observer: Observer,
        poll: float = POLL,
        *,
        max_lag: float = 0.0,
    ) -> None:
        self.service = service
        self._backplane = backplane
        self._observer = observer
        self._poll = max(SHORTEST_POLL, min(poll, max_lag / 2)) if max_lag else poll
        self._calls = Calls(backplane, service, options.max_selectors, max_lag)
        self.seq_key = self._calls.keys[0]
        """What every lookup reads together with its entry."""
        self._tasks = Background(lambda name, error: observer.tell(TaskFailed(name, error)))
        self._mirror = Mirror(options.max_selectors)
        self._pending = Pending()
        self._forgotten = 0  # changes of what was pending in vain
        self._overdue = False  # some of what is pending was sent in vain; the rest may still be on its way
        self._following = Following(self._calls, self._mirror, backplane, self._tasks)
        self.looks = self._following.looks
        self._rolls = Shuttle(self._tasks, self._calls.roll, apart=ROLLS_APART)

    def __len__(self) -> int:
        return len(self._mirror)

    @property
    def pending(self) -> int:
        """How many selectors wait for their purge to be acknowledged."""
        return len(self._pending)

    def listen(self, heard: Callable[[tuple[str, ...], Seq], None]) -> None:
        """Tell of each purge once, whoever made it, as this process learns of it; a lost ledger tells nothing."""
        self._mirror.heard = heard

    def age(self) -> float | None:
        """Return the seconds since the sending of the last read that was answered; None before the first."""
        return self._following.age()

    def known(self) -> Seq | None:
        """Return the position up to which this process knows every purge; None before the first read."""
        return self._mirror.seq

    def changes(self) -> int:
        """Return a number that counts up with whatever may change a judgement; below 0 while nothing may be judged."""
        if self._following.breaks != self._backplane.breaks:  # ``may_be_another_ledger``, on the way of every hot hit
            return -1
        return self._mirror.changes + self._pending.changes + self._forgotten

    async def start(self) -> None:
        """Read the ledger and follow it from now on."""
        await asyncio.shield(self._following.look())
        self._tasks.start(self._follow(), "purge log")

    async def position(self) -> Seq:
        """Return where the ledger is now."""
        return await self._calls.position()

    def standing(self, selectors: Iterable[str], s0: Seq, at: Seq) -> Standing | None:
        """Judge an entry by what the mirror knows and by what is still pending."""
        if self._following.may_be_another_ledger and not self._backplane.is_open:
            return None
        names = tuple(selectors)
        standing = self._mirror.standing(names, s0, at)
        return None if standing is None else self._pending.worsen(standing, names)

    async def catch_up(self, at: Seq) -> None:
        """Read the log until ``at``; whoever comes meanwhile shares the read."""
        await self._following.catch_up(at)

    async def purge(self, selectors: Sequence[str], *, soft: bool, now: float) -> Seq:
        """Purge at the server's time, or just after the last purge; keep it until it is acknowledged."""
        names = tuple(filter(_can_be_carried, dict.fromkeys(selectors)))
        if not names:
            return await self.position()
        parcel = self._pending.add(names, soft=soft, now=now)
        acknowledged = False
        try:
            seq = await self._deliver(parcel)
            acknowledged = True
        finally:
            self._overdue |= not acknowledged
        return seq

    async def supersede(self, selector: str) -> Superseded:
        """Purge one selector, and say when it was purged before; not kept where the ledger did not acknowledge it."""
        return await self._following.supersede(selector)

    async def replicas(self, purge: Seq) -> Replicas:
        """Ask who follows the ledger, and who has seen this purge."""
        # Not an answer to a question sent before this call: a process that began to follow since is not in it.
        roll = await self._rolls.ride()
        # Race: (1) a purge is acknowledged, (2) a server without it is promoted that cannot tell itself from the old
        # one, (3) another purge takes it beyond (1), (4) a replica says that it has come so far. It has not seen (1).
        if self._following.may_be_another_ledger and (failure := await asyncio.shield(self._following.look())):
            raise StoreError(str(failure)) from failure
        healed = self._following.healed
        if healed is not None and healed.epoch == purge.epoch and healed.n > purge.n:
            purge = healed
        seen = self._mirror.has_seen(purge)
        return counted(roll, purge, self._calls.identity, self._calls.max_lag, seen_here=seen)

    async def followers(self) -> tuple[Follower, ...]:
        """Ask who follows the ledger. Raises StoreError."""
        return followers(await self._rolls.ride(), self._calls.identity)

    async def recent(self, most: int) -> tuple[Logged, ...]:
        """Return the last purges of whatever process, newest first. Raises StoreError."""
        return await self._calls.recent(most)

    async def close(self) -> None:
        """Stop following, and leave the list of replicas; send once more what is pending, say what could not be sent."""
        await self._tasks.drain(0)
        if self.age() is not None and not self._backplane.is_open:
            self._following.distrust()
            with contextlib.suppress(StoreError):  # the backplane has told; its time on the list ends by itself
                await self._calls.leave()
        if len(self._pending):
            await self._deliver_late()
        if len(self._pending):
            self._tell(self._pending.all(), failure="not acknowledged before the end")
            self._forgotten += self._pending.changes + 1
            self._pending = Pending()

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self._poll)
            if self._backplane.is_open:
                continue
            if self._overdue and len(self._pending):
                await self._deliver_late()
            await asyncio.shield(self._following.look())

    async def _deliver_late(self) -> None:
        parcel, self._overdue = self._pending.all(), False
        try:
            seq = await self._deliver(parcel)
        except StoreError:
            self._overdue = True  # the backplane has told
            return
        self._tell(parcel, str(seq))

    async def _deliver(self, parcel: Parcel) -> Seq:
        seq = await self._following.purge(parcel.soft, soft=True) if parcel.soft else None
        if parcel.hard or seq is None:
            seq = await self._following.purge(parcel.hard, soft=False)
        # No await since the reply: the mirror has the marks before the pending ones go.
        self._pending.acknowledge(parcel)
        return seq

    def _tell(self, parcel: Parcel, seq: str = "", failure: str = "") -> None:
        for names, mode in ((parcel.hard, "hard"), (parcel.soft, "soft")):
            if names:
                self._observer.tell(Purged("retry", mode, names, seq, failure=failure))


def _can_be_carried(selector: str) -> bool:
    """Say whether an entry's selector can be this text: a lone surrogate, as JSON may have it, comes from no octets."""
    try:
        octets_of(selector)
    except UnicodeEncodeError:
        return False
    return True
