"""The ledger's scripts as calls: values go in, values come out."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Any, Final

from proxy.message.selectors import octets_of
from proxy.purge.marks import KEPT_FOR, MICROSECONDS
from proxy.purge.records import log_of, roll_of, seq_of, snapshot_of, tail_of
from proxy.purge.replicas import MOST, kept_for
from proxy.purge.scripts import POSITION, PURGE, REPLICAS, SNAPSHOT, TAIL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.backplane.client import Backplane
    from proxy.backplane.scripts import Script
    from proxy.message.selectors import Seq
    from proxy.purge.records import Logged, Roll, Snapshot, Tail

# A mirror that is further behind, or a purge that is larger, costs a read of the whole ledger.
_LOG_LENGTH: Final = 1024
_LOGGED_SELECTORS: Final = 10_000


class Calls:
    """One process's calls to one service's ledger. Every one raises StoreError and nothing else."""

    def __init__(self, backplane: Backplane, service: str, max_selectors: int, max_lag: float) -> None:
        self._backplane = backplane
        self._max_selectors = max_selectors
        self.max_lag = max_lag
        self.identity = secrets.token_hex(8)
        """This process among the replicas."""
        prefix = b"cache:purge:{%s}:" % service.encode()
        self.keys = tuple(prefix + name for name in (b"seq", b"selectors", b"log", b"replicas"))

    async def position(self) -> Seq:
        """Return where the ledger is."""
        return seq_of(await self._run("seq", POSITION))

    async def tail(self, mirrored: Seq) -> Tail:
        """Return what was purged beyond what is mirrored, and announce that so much is."""
        return tail_of(await self._run("ledger", TAIL, *self._announcement(mirrored), mirrored.n))

    async def snapshot(self, mirrored: Seq | None) -> Snapshot:
        """Return the whole ledger."""
        reply = await self._run("ledger", SNAPSHOT, *self._announcement(mirrored))
        return await asyncio.to_thread(snapshot_of, reply)  # 0.3 s if it is full: not here, where requests are served

    async def purge(self, names: Sequence[str], known: int, *, soft: bool) -> tuple[Seq, int]:
        """Purge at a position beyond ``known``; return it, and the position before."""
        bounds = (known, self._max_selectors, _LOG_LENGTH, _LOGGED_SELECTORS, KEPT_FOR)
        reply = await self._run("purge", PURGE, b"s" if soft else b"h", *bounds, *map(octets_of, names))
        return seq_of(reply), int(reply[2])

    async def supersede(self, name: str, known: int) -> tuple[Seq, int, int]:
        """Purge one selector; return the position, the one before, and where it was last purged before or forgotten."""
        bounds = (known, self._max_selectors, _LOG_LENGTH, _LOGGED_SELECTORS, KEPT_FOR)
        reply = await self._run("purge", PURGE, b"h", *bounds, octets_of(name))
        return seq_of(reply), int(reply[2]), int(reply[3])

    async def roll(self) -> Roll:
        """Return who follows the ledger."""
        return roll_of(await self._run("replicas", REPLICAS))

    async def recent(self, most: int) -> tuple[Logged, ...]:
        """Return the last purges of whatever process, newest first."""
        reply = await self._backplane.run("log", b"XREVRANGE", self.keys[2], b"+", b"-", b"COUNT", most)
        return log_of(reply)

    async def leave(self) -> None:
        """Take this process off the list of replicas."""
        await self._backplane.run("replicas", b"HDEL", self.keys[3], self.identity)

    def _announcement(self, mirrored: Seq | None) -> tuple[str | int, ...]:
        """Say who follows; what the answer brings is taken over only when it is here, so the next call says so."""
        lag, keep = int(self.max_lag * MICROSECONDS), int(kept_for(self.max_lag) * MICROSECONDS)
        return self.identity, "-" if mirrored is None else str(mirrored), lag, keep, MOST

    async def _run(self, operation: str, script: Script, *args: bytes | str | int) -> list[Any]:
        reply: list[Any] = await self._backplane.script(operation, script, self.keys, (secrets.token_hex(4), *args))
        return reply
