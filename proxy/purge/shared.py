"""The ledger in Redis, for all replicas."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from proxy.background import Background
from proxy.message.errors import StoreError
from proxy.message.selectors import octets_of
from proxy.observe.events import Purged, TaskFailed
from proxy.purge.marks import KEPT_FOR, MICROSECONDS
from proxy.purge.mirror import Followed, Mirror
from proxy.purge.pending import Pending
from proxy.purge.records import roll_of, seq_of, snapshot_of, tail_of
from proxy.purge.replicas import MOST, counted, kept_for
from proxy.purge.scripts import POSITION, PURGE, REPLICAS, SNAPSHOT, TAIL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from proxy.backplane.client import Backplane
    from proxy.backplane.scripts import Script
    from proxy.message.selectors import Seq, Standing
    from proxy.observe.events import Observer
    from proxy.purge.mirror import Lost
    from proxy.purge.options import PurgeOptions
    from proxy.purge.pending import Parcel
    from proxy.purge.replicas import Replicas

# A mirror that is further behind, or a purge that is larger, costs a read of the whole ledger.
_LOG_LENGTH: Final = 1024
_LOGGED_SELECTORS: Final = 10_000

POLL: Final = 0.1
"""Seconds between two looks. Less than half of memory.max_lag's default, so that hot hits need not ask."""

SHORTEST_POLL: Final = 0.01
"""A look costs both sides 0.1 ms: at most a hundredth of a core."""


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
        self._backplane = backplane
        self._options = options
        self._observer = observer
        self._max_lag = max_lag
        self._poll = max(SHORTEST_POLL, min(poll, max_lag / 2)) if max_lag else poll
        self.identity = secrets.token_hex(8)
        """This process among the replicas."""
        prefix = b"cache:purge:{%s}:" % service.encode()
        self.seq_key = prefix + b"seq"
        """What every lookup reads together with its entry."""
        self._keys = (self.seq_key, prefix + b"selectors", prefix + b"log", prefix + b"replicas")
        self._tasks = Background(lambda name, error: observer.tell(TaskFailed(name, error)))
        self._mirror = Mirror(options.max_selectors)
        self._pending = Pending()
        self._overdue = False  # some of what is pending was sent in vain; the rest may still be on its way
        self._flight: asyncio.Task[StoreError | None] | None = None
        self._asked_at: float | None = None
        self._breaks = backplane.breaks  # those before the last answered look
        self.looks = Looks()

    def __len__(self) -> int:
        return len(self._mirror)

    @property
    def pending(self) -> int:
        """How many selectors wait for their purge to be acknowledged."""
        return len(self._pending)

    def age(self) -> float | None:
        """Return the seconds since the sending of the last read that was answered; None before the first."""
        return None if self._asked_at is None else asyncio.get_running_loop().time() - self._asked_at

    def known(self) -> Seq | None:
        """Return the position up to which this process knows every purge; None before the first read."""
        return self._mirror.seq

    async def start(self) -> None:
        """Read the ledger and follow it from now on."""
        await asyncio.shield(self._look())
        self._tasks.start(self._follow(), "purge log")

    async def position(self) -> Seq:
        """Return where the ledger is now."""
        return seq_of(await self._run("seq", POSITION))

    def standing(self, selectors: Iterable[str], s0: Seq, at: Seq) -> Standing | None:
        """Judge an entry by what the mirror knows and by what is still pending."""
        if self._may_be_another_server and not self._backplane.is_open:
            return None
        names = tuple(selectors)
        standing = self._mirror.standing(names, s0, at)
        return None if standing is None else self._pending.worsen(standing, names)

    async def catch_up(self, at: Seq) -> None:
        """Read the log until ``at``; whoever comes meanwhile shares the read."""
        # The read under way may have been sent before ``at`` came to be; the second one is younger than this call. And
        # it may be that one that finds its connection broken.
        for _ in range(3):
            if self._mirror.has_seen(at) and not self._may_be_another_server:
                return
            self.looks.caught_up += 1
            if (failure := await asyncio.shield(self._look())) is not None:
                raise StoreError(str(failure)) from failure
        if self._mirror.seq is not None and self._mirror.seq.epoch != at.epoch:
            self._mirror.leave_behind(at.epoch)

    @property
    def _may_be_another_server(self) -> bool:
        """Say whether a connection broke since the last look.

        Race: (1) a purge by another process is acknowledged, (2) its server dies, (3) one without it is promoted, and
        its position, read with an entry, is one that this mirror has seen. Only a look finds out whose position that is.
        """
        return self._breaks != self._backplane.breaks

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

    async def replicas(self, purge: Seq) -> Replicas:
        """Ask who follows the ledger, and who has seen this purge."""
        roll = roll_of(await self._run("replicas", REPLICAS))
        seen = self._mirror.has_seen(purge)
        return counted(roll, purge, self.identity, self._max_lag, seen_here=seen)

    async def close(self) -> None:
        """Stop following, and leave the list of replicas; send once more what is pending, say what could not be sent."""
        await self._tasks.drain(0)
        if self._asked_at is not None and not self._backplane.is_open:
            self._asked_at = None
            with contextlib.suppress(StoreError):  # the backplane has told; its time on the list ends by itself
                await self._backplane.run("replicas", b"HDEL", self._keys[3], self.identity)
        if len(self._pending):
            await self._deliver_late()
        if len(self._pending):
            self._tell(self._pending.all(), failure="not acknowledged before the end")
            self._pending = Pending()

    async def _run(self, operation: str, script: Script, *args: bytes | str | int) -> list[Any]:
        reply: list[Any] = await self._backplane.script(operation, script, self._keys, (secrets.token_hex(4), *args))
        return reply

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self._poll)
            if self._backplane.is_open:
                continue
            if self._overdue and len(self._pending):
                await self._deliver_late()
            await asyncio.shield(self._look())

    async def _deliver_late(self) -> None:
        parcel, self._overdue = self._pending.all(), False
        try:
            seq = await self._deliver(parcel)
        except StoreError:
            self._overdue = True  # the backplane has told
            return
        self._tell(parcel, str(seq))

    async def _deliver(self, parcel: Parcel) -> Seq:
        seq = await self._send(parcel.soft, soft=True) if parcel.soft else None
        if parcel.hard or seq is None:
            seq = await self._send(parcel.hard, soft=False)
        # No await since the reply: the mirror has the marks before the pending ones go.
        self._pending.acknowledge(parcel)
        return seq

    async def _send(self, names: Sequence[str], *, soft: bool) -> Seq:
        bounds = (self._mirror.known, self._options.max_selectors, _LOG_LENGTH, _LOGGED_SELECTORS, KEPT_FOR)
        reply = await self._run("purge", PURGE, b"s" if soft else b"h", *bounds, *map(octets_of, names))
        seq = seq_of(reply)
        self._mirror.learn(names, seq, int(reply[2]), soft=soft)
        return seq

    def _tell(self, parcel: Parcel, seq: str = "", failure: str = "") -> None:
        for names, mode in ((parcel.hard, "hard"), (parcel.soft, "soft")):
            if names:
                self._observer.tell(Purged("retry", mode, names, seq, failure=failure))

    def _look(self) -> asyncio.Task[StoreError | None]:
        if self._flight is None or self._flight.done():
            self._flight = self._tasks.start(self._read(), "purge mirror")
        return self._flight

    async def _read(self) -> StoreError | None:
        """Bring the mirror up to date; a failure is returned, because those who wait may all have left."""
        asked_at, breaks = asyncio.get_running_loop().time(), self._backplane.breaks
        try:
            await self._bring_up_to_date()
        except StoreError as error:
            self.looks.failed += 1
            return error
        self.looks.answered += 1
        self.looks.reconnected += breaks != self._breaks
        self._asked_at, self._breaks = asked_at, breaks
        return None

    def _announcement(self) -> tuple[str | int, ...]:
        """Say who follows; what a look's answer brings is only taken over when it is here, so the next look says so."""
        seq = self._mirror.seq
        lag, keep = int(self._max_lag * MICROSECONDS), int(kept_for(self._max_lag) * MICROSECONDS)
        return self.identity, "-" if seq is None else str(seq), lag, keep, MOST

    async def _bring_up_to_date(self) -> None:
        mirror = self._mirror
        if mirror.seq is not None:
            known = mirror.known
            tail = tail_of(await self._run("ledger", TAIL, *self._announcement(), mirror.seq.n))
            if mirror.follow(tail, known) is Followed.UP_TO_DATE:
                return
        # A second reading sees what the first one made us tell; a third would have to meet another failover.
        for _ in range(3):
            known = mirror.known
            # A full ledger takes 0.3 s to read through: not here, where requests are served.
            reply = await self._run("ledger", SNAPSHOT, *self._announcement())
            snapshot = await asyncio.to_thread(snapshot_of, reply)
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
                await self._send(names, soft=soft)


def _can_be_carried(selector: str) -> bool:
    """Say whether an entry's selector can be this text: a lone surrogate, as JSON may have it, comes from no octets."""
    try:
        octets_of(selector)
    except UnicodeEncodeError:
        return False
    return True
