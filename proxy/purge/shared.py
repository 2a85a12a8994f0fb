"""The ledger in Redis, for all replicas."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Any, Final

from proxy.background import Background
from proxy.message.errors import StoreError
from proxy.message.selectors import octets_of
from proxy.observe.events import Purged, TaskFailed
from proxy.purge.mirror import Followed, Mirror
from proxy.purge.pending import Pending
from proxy.purge.records import seq_of, snapshot_of, tail_of
from proxy.purge.scripts import POSITION, PURGE, SNAPSHOT, TAIL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from proxy.backplane.client import Backplane
    from proxy.backplane.scripts import Script
    from proxy.message.selectors import Seq, Standing
    from proxy.observe.events import Observer
    from proxy.purge.mirror import Lost
    from proxy.purge.options import PurgeOptions
    from proxy.purge.pending import Parcel

# A mirror that is further behind, or a purge that is larger, costs a read of the whole ledger.
_LOG_LENGTH: Final = 1024
_LOGGED_SELECTORS: Final = 10_000


class SharedLedger:
    """Purges by one script call; judges by a mirror that is compared with the ledger at every lookup.

    ``poll``: seconds between two looks at the ledger where no lookup looks before.
    """

    def __init__(
        self, backplane: Backplane, service: str, options: PurgeOptions, observer: Observer, poll: float = 0.1
    ) -> None:
        self._backplane = backplane
        self._options = options
        self._observer = observer
        self._poll = poll
        prefix = b"cache:purge:{%s}:" % service.encode()
        self.seq_key = prefix + b"seq"
        """What every lookup reads together with its entry."""
        self._keys = (self.seq_key, prefix + b"selectors", prefix + b"log")
        self._tasks = Background(lambda name, error: observer.tell(TaskFailed(name, error)))
        self._mirror = Mirror(options.max_selectors)
        self._pending = Pending()
        self._overdue = False  # some of what is pending was sent in vain; the rest may still be on its way
        self._flight: asyncio.Task[StoreError | None] | None = None
        self._asked_at: float | None = None

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
        names = tuple(selectors)
        standing = self._mirror.standing(names, s0, at)
        return None if standing is None else self._pending.worsen(standing, names)

    async def catch_up(self, at: Seq) -> None:
        """Read the log until ``at``; whoever comes meanwhile shares the read."""
        # The read under way may have been sent before ``at`` came to be; the second one is younger than this call.
        for _ in range(2):
            if self._mirror.has_seen(at):
                return
            if (failure := await asyncio.shield(self._look())) is not None:
                raise StoreError(str(failure)) from failure
        if self._mirror.seq is not None and self._mirror.seq.epoch != at.epoch:
            self._mirror.leave_behind(at.epoch)

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

    async def close(self) -> None:
        """Stop following; send once more what is pending, and say what could not be sent."""
        await self._tasks.drain(0)
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
        bounds = (self._mirror.known, self._options.max_selectors, _LOG_LENGTH, _LOGGED_SELECTORS)
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
        asked_at = asyncio.get_running_loop().time()
        try:
            await self._bring_up_to_date()
        except StoreError as error:
            return error
        self._asked_at = asked_at
        return None

    async def _bring_up_to_date(self) -> None:
        mirror = self._mirror
        if mirror.seq is not None:
            known = mirror.known
            tail = tail_of(await self._run("ledger", TAIL, mirror.seq.n))
            if mirror.follow(tail, known) is Followed.UP_TO_DATE:
                return
        # A second reading sees what the first one made us tell; a third would have to meet another failover.
        for _ in range(3):
            known = mirror.known
            # A full ledger takes 0.3 s to read through: not here, where requests are served.
            snapshot = await asyncio.to_thread(snapshot_of, await self._run("ledger", SNAPSHOT))
            lost = mirror.lost(snapshot, known)
            if not lost:
                mirror.reload(snapshot)
                return
            await self._heal(lost)
            mirror.go_back_to(snapshot.seq.epoch)
        raise StoreError("the ledger keeps losing what it is told")

    async def _heal(self, lost: Lost) -> None:
        """Purge again what the ledger has lost, by a failover to a replica that had not heard of it."""
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
