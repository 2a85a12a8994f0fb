"""In this process, within a byte budget: the least recently used goes first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from proxy.message.stored import VaryRecord
from proxy.store.protocol import Found
from proxy.store.sizes import size_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxy.message.stored import CacheKey, StoredResponse, Uncacheable
    from proxy.purge.ledger import Ledger
    from proxy.store.options import StoreOptions

_RESPONSE: Final = "response:"
_VARY: Final = "vary:"


@dataclass(frozen=True, slots=True)
class _Kept:
    material: bytes
    value: StoredResponse | Uncacheable | VaryRecord
    ends: float
    size: int


class MemoryStore:
    """Entries as they are, never copied. ``now`` gives the seconds by which their time ends."""

    name: Literal["memory"] = "memory"

    def __init__(self, ledger: Ledger, options: StoreOptions, *, now: Callable[[], float]) -> None:
        self._ledger = ledger
        self._budget = options.memory_size
        self.now = now
        self._kept: dict[str, _Kept] = {}  # least recently used first
        self.size = 0
        self.evictions = 0

    def __len__(self) -> int:
        return len(self._kept)

    async def load(self, key: CacheKey, *, shared: bool = False) -> Found:
        """Read the base entry, the vary record and the ledger's position."""
        del shared  # nobody shares this
        return Found(await self._ledger.position(), self.vary(key), self.entry(key), "memory")

    async def load_variant(self, key: CacheKey, base: Found) -> Found:
        """Read one entry."""
        return replace(base, entry=self.entry(key))

    def entry(self, key: CacheKey) -> StoredResponse | Uncacheable | None:
        """Return one entry."""
        entry = self._get(_RESPONSE, key)
        return None if isinstance(entry, VaryRecord) else entry

    def vary(self, key: CacheKey) -> VaryRecord | None:
        """Return one vary record."""
        vary = self._get(_VARY, key)
        return vary if isinstance(vary, VaryRecord) else None

    def hold_entry(self, key: CacheKey, entry: StoredResponse | Uncacheable | None, ttl: float) -> None:
        """Keep one entry for ``ttl`` seconds as far as there is room, or none in its place."""
        self._hold(_RESPONSE, key, entry, ttl)

    def hold_vary(self, key: CacheKey, record: VaryRecord | None, ttl: float) -> None:
        """Keep one vary record for ``ttl`` seconds, or none in its place."""
        self._hold(_VARY, key, record, ttl)

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
        size = self._put(_RESPONSE, key, entry, ends)
        if vary is not None and size:
            base, record = vary
            known = self._kept.get(_VARY + base.digest)
            self._put(_VARY, base, record, ends if known is None else max(ends, known.ends))
        return size

    async def drop(self, *digests: str) -> None:
        """Remove these entries."""
        for digest in digests:
            self._remove(_RESPONSE + digest)

    async def close(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self.size = 0

    def _hold(
        self, kind: str, key: CacheKey, value: StoredResponse | Uncacheable | VaryRecord | None, ttl: float
    ) -> None:
        if value is None:
            self._remove(kind + key.digest)
        else:
            self._put(kind, key, value, self.now() + ttl)

    def _get(self, kind: str, key: CacheKey) -> StoredResponse | Uncacheable | VaryRecord | None:
        kept = self._kept.pop(kind + key.digest, None)
        if kept is None:
            return None
        if kept.ends <= self.now():
            self.size -= kept.size
            return None
        self._kept[kind + key.digest] = kept  # at the end: just used
        return kept.value if kept.material == key.material else None

    def _put(self, kind: str, key: CacheKey, value: StoredResponse | Uncacheable | VaryRecord, ends: float) -> int:
        self._remove(kind + key.digest)
        size = size_of(key, value)
        if size > self._budget or ends <= self.now():
            return 0
        self._kept[kind + key.digest] = _Kept(key.material, value, ends, size)
        self.size += size
        while self.size > self._budget:
            self._remove(next(iter(self._kept)))
            self.evictions += 1
        return size

    def _remove(self, place: str) -> None:
        kept = self._kept.pop(place, None)
        if kept is not None:
            self.size -= kept.size
