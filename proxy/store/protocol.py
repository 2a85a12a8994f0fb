"""What every store can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.message.selectors import Seq
    from proxy.message.stored import CacheKey, StoredResponse, Uncacheable, VaryRecord


@dataclass(frozen=True, slots=True)
class Found:
    """What lies under one key, read at one time.

    ``seq`` is the ledger's position; None while there is no ledger, and then nothing may be stored or used.
    """

    seq: Seq | None
    vary: VaryRecord | None = None
    entry: StoredResponse | Uncacheable | None = None


class Store(Protocol):
    """Keeps entries until their time ends. Every method raises StoreError and nothing else."""

    @property
    def name(self) -> Literal["memory", "redis"]:
        """Where entries are kept."""
        ...

    async def load(self, key: CacheKey) -> Found:
        """Read the base entry, the vary record and the ledger's position, in one round trip."""
        ...

    async def load_variant(self, key: CacheKey) -> StoredResponse | Uncacheable | None:
        """Read the entry of one variant."""
        ...

    async def save(
        self,
        key: CacheKey,
        entry: StoredResponse | Uncacheable,
        *,
        ttl: float,
        vary: tuple[CacheKey, VaryRecord] | None = None,
        evict: Sequence[str] = (),
    ) -> int:
        """Keep an entry for ``ttl`` seconds and return the bytes it takes; 0: not kept, as it is larger than the store.

        With it, in one round trip: the resource's vary record, which lives at least as long, and the entries of
        ``evict``, digests, removed.
        """
        ...

    async def drop(self, *digests: str) -> None:
        """Remove the entries of these digests; vary records stay."""
        ...

    async def close(self) -> None:
        """Let go of what is held. Idempotent."""
        ...
