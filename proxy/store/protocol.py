"""What every store can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from proxy.message.values import value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxy.message.selectors import Seq
    from proxy.message.stored import CacheKey, StoredResponse, Uncacheable, VaryRecord

    Told = Callable[["Found | Exception"], None]


Tier = Literal["memory", "redis"]


@value(frozen=True, slots=True)
class Found:
    """What lies under one key, read at one time, and in which tier it lay.

    ``seq`` is the ledger's position; None while there is no ledger, and then nothing may be stored or used.
    ``blind_for``: the store is away, and for so many seconds nobody here has heard of purges; None: it answers.
    """

    seq: Seq | None
    vary: VaryRecord | None = None
    entry: StoredResponse | Uncacheable | None = None
    tier: Tier = "redis"
    blind_for: float | None = None


def never() -> bool:
    """Say no."""
    return False


class Store(Protocol):
    """Keeps entries until their time ends. Every method raises StoreError and nothing else."""

    @property
    def name(self) -> Tier:
        """Where entries are kept in the end, for all who share them."""
        ...

    async def load(self, key: CacheKey, *, shared: bool = False) -> Found:
        """Read the base entry, the vary record and the ledger's position, in one round trip at most.

        ``shared``: as all replicas see it, never a copy in this process.
        """
        ...

    async def load_variant(self, key: CacheKey, base: Found) -> Found:
        """Read the entry of one variant: what was found for its base, with this entry in place of that one."""
        ...

    def ask(self, key: CacheKey, told: Told) -> None:
        """Read as ``load`` does, without a task of the caller's.

        ``told`` is called once, perhaps at once, with what was found or with the error that ``load`` would raise.
        """
        ...

    def ask_variant(self, key: CacheKey, base: Found, told: Told) -> None:
        """Read as ``load_variant`` does; otherwise as ``ask``."""
        ...

    async def save(  # noqa: PLR0913 - four of them by name
        self,
        key: CacheKey,
        entry: StoredResponse | Uncacheable,
        *,
        ttl: float,
        vary: tuple[CacheKey, VaryRecord] | None = None,
        evict: Sequence[str] = (),
        is_for_all: Callable[[], bool] = never,
    ) -> int:
        """Keep an entry for ``ttl`` seconds and return the bytes it takes; 0: not kept, as it is larger than the store.

        With it, in one round trip: the resource's vary record, which lives at least as long, and the entries of
        ``evict``, digests, removed. ``is_for_all`` says, when somebody wants to know, whether nothing in it is one
        user's: only from such is anything learned that other entries lean on.
        """
        ...

    async def drop(self, *digests: str) -> None:
        """Remove the entries of these digests; vary records stay."""
        ...

    async def close(self) -> None:
        """Let go of what is held. Idempotent."""
        ...
