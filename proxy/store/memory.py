"""In this process, within a byte budget: the least recently used goes first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from proxy.message.stored import VaryRecord
from proxy.store.protocol import Found
from proxy.store.sizes import size_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxy.message.stored import CacheKey, StoredResponse, Uncacheable
    from proxy.purge.ledger import Ledger
    from proxy.store.options import StoreOptions

    Value = StoredResponse | Uncacheable | VaryRecord


@dataclass(slots=True, eq=False)
class Kept:
    """One thing kept. ``size`` is all that it counts for, what is ``rendered`` of it included.

    ``rendered`` belongs to whoever called ``MemoryStore.dress``, and is forgotten with the entry. Nothing here is to be
    changed by others than the store.
    """

    digest: str
    material: bytes
    value: Value
    ends: float
    size: int
    rendered: object | None = None
    rendered_size: int = 0


class MemoryStore:
    """Entries as they are, never copied. ``now`` gives the seconds by which their time ends."""

    name: Literal["memory"] = "memory"

    def __init__(self, ledger: Ledger, options: StoreOptions, *, now: Callable[[], float]) -> None:
        self._ledger = ledger
        self._budget = options.memory_size
        self.now = now
        self._responses: dict[str, Kept] = {}
        self._varies: dict[str, Kept] = {}
        self._order: dict[Kept, None] = {}  # least recently used first
        self.size = 0
        self.evictions = 0

    def __len__(self) -> int:
        return len(self._order)

    async def load(self, key: CacheKey, *, shared: bool = False) -> Found:
        """Read the base entry, the vary record and the ledger's position."""
        del shared  # nobody shares this
        return Found(await self._ledger.position(), self.vary(key), self.entry(key), "memory")

    async def load_variant(self, key: CacheKey, base: Found) -> Found:
        """Read one entry."""
        return replace(base, entry=self.entry(key))

    def find(self, digest: str) -> Kept | None:
        """Return what is kept as response under this digest; the caller compares ``material``."""
        return self._find(self._responses, digest)

    def find_vary(self, digest: str) -> Kept | None:
        """Return what is kept as vary record under this digest; the caller compares ``material``."""
        return self._find(self._varies, digest)

    def dress(self, kept: Kept, rendered: object, extra_bytes: int) -> None:
        """Remember with a response what was made of it, ``extra_bytes`` large, in place of what was remembered before.

        Nothing is remembered with what is not kept any more, or what would not fit with it.
        """
        if self._responses.get(kept.digest) is not kept:
            return
        bare = kept.size - kept.rendered_size
        if bare + extra_bytes > self._budget:
            rendered, extra_bytes = None, 0
        self.size += extra_bytes - kept.rendered_size
        kept.rendered, kept.rendered_size, kept.size = rendered, extra_bytes, bare + extra_bytes
        self._make_room()

    def entry(self, key: CacheKey) -> StoredResponse | Uncacheable | None:
        """Return one entry."""
        kept = self._find(self._responses, key.digest)
        if kept is None or kept.material != key.material or isinstance(kept.value, VaryRecord):
            return None
        return kept.value

    def vary(self, key: CacheKey) -> VaryRecord | None:
        """Return one vary record."""
        kept = self._find(self._varies, key.digest)
        if kept is None or kept.material != key.material or not isinstance(kept.value, VaryRecord):
            return None
        return kept.value

    def hold_entry(self, key: CacheKey, entry: StoredResponse | Uncacheable | None, ttl: float) -> None:
        """Keep one entry for ``ttl`` seconds as far as there is room, or none in its place."""
        self._hold(self._responses, key, entry, ttl)

    def hold_vary(self, key: CacheKey, record: VaryRecord | None, ttl: float) -> None:
        """Keep one vary record for ``ttl`` seconds, or none in its place."""
        self._hold(self._varies, key, record, ttl)

    async def save(
        self,
        key: CacheKey,
        entry: StoredResponse | Uncacheable,
        *,
        ttl: float,
        vary: tuple[CacheKey, VaryRecord] | None = None,
        evict: Sequence[str] = (),
    ) -> int:
        """Keep an entry, and whatever goes with it; 0 if it is larger than the whole budget or has no time."""
        await self.drop(*evict)
        ends = self.now() + ttl
        size = self._put(self._responses, key, entry, ends)
        if vary is not None and size:
            base, record = vary
            known = self._varies.get(base.digest)
            self._put(self._varies, base, record, ends if known is None else max(ends, known.ends))
        return size

    async def drop(self, *digests: str) -> None:
        """Remove these entries."""
        for digest in digests:
            self._remove(self._responses, digest)

    async def close(self) -> None:
        """Forget everything."""
        self._responses.clear()
        self._varies.clear()
        self._order.clear()
        self.size = 0

    def _hold(self, room: dict[str, Kept], key: CacheKey, value: Value | None, ttl: float) -> None:
        if value is None:
            self._remove(room, key.digest)
        else:
            self._put(room, key, value, self.now() + ttl)

    def _find(self, room: dict[str, Kept], digest: str) -> Kept | None:
        kept = room.get(digest)
        if kept is None:
            return None
        if kept.ends <= self.now():
            self._remove(room, digest)
            return None
        del self._order[kept]
        self._order[kept] = None  # at the end: just used
        return kept

    def _put(self, room: dict[str, Kept], key: CacheKey, value: Value, ends: float) -> int:
        self._remove(room, key.digest)
        size = size_of(key, value)
        if size > self._budget or ends <= self.now():
            return 0
        kept = Kept(key.digest, key.material, value, ends, size)
        room[key.digest] = kept
        self._order[kept] = None
        self.size += size
        self._make_room()
        return size

    def _make_room(self) -> None:
        while self.size > self._budget:
            kept = next(iter(self._order))
            self._remove(self._varies if isinstance(kept.value, VaryRecord) else self._responses, kept.digest)
            self.evictions += 1

    def _remove(self, room: dict[str, Kept], digest: str) -> None:
        kept = room.pop(digest, None)
        if kept is not None:
            del self._order[kept]
            self.size -= kept.size
            kept.rendered = None
