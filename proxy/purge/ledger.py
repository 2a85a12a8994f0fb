"""What every ledger can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from proxy.message.selectors import Seq, Standing
    from proxy.purge.marks import Superseded
    from proxy.purge.replicas import Replicas


class Ledger(Protocol):
    """Records purges and judges entries by them."""

    async def start(self) -> None:
        """Begin to follow the ledger. A store that is down does not make this fail."""
        ...

    async def position(self) -> Seq:
        """Return where the ledger is now, beginning one if there is none. Raises StoreError."""
        ...

    def standing(self, selectors: Iterable[str], s0: Seq, at: Seq) -> Standing | None:
        """Judge an entry that carries these selectors and S0, as of ``at``, the position read together with it.

        None: this process does not know the ledger up to ``at`` yet; ``catch_up`` and ask again. None once more
        means that the ledger went backwards in between: use nothing.
        """
        ...

    def age(self) -> float | None:
        """Return the seconds since the sending of the last read that was answered; None before the first.

        What this process knows is no older than that: a hot hit may be judged as of ``known()`` while ``age()`` is
        below ``memory.max_lag``. The clock is monotonic, so a process that was stopped finds its knowledge old.
        """
        ...

    def known(self) -> Seq | None:
        """Return the position up to which this process knows every purge; None before the first read."""
        ...

    def changes(self) -> int:
        """Return a number that counts up with whatever may change a judgement; below 0: nothing may be judged now.

        While it stays the same, ``standing`` as of ``known()`` says the same of the same entry.
        """
        ...

    async def catch_up(self, at: Seq) -> None:
        """Know the ledger up to ``at`` at least. Many callers make one read. Raises StoreError."""
        ...

    async def purge(self, selectors: Sequence[str], *, soft: bool, now: float) -> Seq:
        """Purge what carries one of these selectors and was fetched before; return the purge's position.

        Soft: it becomes stale, not gone. ``now`` is wall-clock seconds. Raises StoreError when the ledger did not
        acknowledge it; then it is kept. From the call on this process judges as if it were acknowledged, and it is
        sent again until it is, which is told as ``Purged`` of kind ``retry``.
        """
        ...

    async def supersede(self, selector: str) -> Superseded:
        """Purge one selector because something newer is handed over; say when it was purged before, in the same step.

        Raises StoreError when the ledger did not acknowledge it; then it may have happened, and is not kept.
        """
        ...

    async def replicas(self, purge: Seq) -> Replicas:
        """Ask how many processes follow the ledger and how many have seen this purge. Raises StoreError."""
        ...

    async def close(self) -> None:
        """Stop following. Purges still kept are sent once more. Idempotent."""
        ...
