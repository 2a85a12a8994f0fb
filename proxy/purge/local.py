"""The ledger of one process (``memory://``)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from proxy.message.selectors import PURGED, Seq
from proxy.purge.marks import MICROSECONDS, Marks, Superseded
from proxy.purge.options import PurgeOptions
from proxy.purge.replicas import Replicas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from proxy.message.selectors import Standing


class LocalLedger:
    """Knows everything at once and never fails; a restart begins a new epoch, as it loses the entries too."""

    def __init__(self, options: PurgeOptions | None = None) -> None:
        self._marks = Marks((options or PurgeOptions()).max_selectors)
        self.seq = Seq(secrets.token_hex(4), 0)
        self._heard: Callable[[tuple[str, ...], Seq], None] | None = None

    def __len__(self) -> int:
        return len(self._marks)

    def listen(self, heard: Callable[[tuple[str, ...], Seq], None]) -> None:
        """Tell of each purge."""
        self._heard = heard

    async def start(self) -> None:
        """Nothing to follow."""

    async def position(self) -> Seq:
        """Return where the ledger is now."""
        return self.seq

    def standing(self, selectors: Iterable[str], s0: Seq, at: Seq) -> Standing | None:
        """Judge an entry by all purges so far, ``at`` or later."""
        if s0.epoch != self.seq.epoch or at.epoch != self.seq.epoch:
            return PURGED
        return self._marks.judge(selectors, s0.n)

    def age(self) -> float:
        """Nothing lies between this ledger and its reader."""
        return 0.0

    def known(self) -> Seq:
        """Return where the ledger is now."""
        return self.seq

    def changes(self) -> int:
        """Return a number that counts up with each purge."""
        return self.seq.n

    async def catch_up(self, at: Seq) -> None:
        """Nothing is ever unknown here."""

    async def purge(self, selectors: Sequence[str], *, soft: bool, now: float) -> Seq:
        """Purge at the later of ``now`` and just after the last purge."""
        self.seq = Seq(self.seq.epoch, max(self.seq.n + 1, int(now * MICROSECONDS)))
        self._marks.purge(selectors, self.seq.n, soft=soft)
        if self._heard is not None:
            self._heard(tuple(selectors), self.seq)
        return self.seq

    async def supersede(self, selector: str) -> Superseded:
        """Purge one selector, and say when it was purged before."""
        last = self._marks.last(selector)
        self.seq = Seq(self.seq.epoch, self.seq.n + 1)
        self._marks.purge((selector,), self.seq.n, soft=False)
        return Superseded(self.seq, last)

    async def replicas(self, purge: Seq) -> Replicas:
        """Return this process alone, which has seen whatever there was."""
        del purge
        return Replicas(live=1, confirmed=1, max_lag=0.0, age=0.0)

    async def close(self) -> None:
        """Nothing to stop."""
