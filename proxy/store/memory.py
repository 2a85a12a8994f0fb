"""In this process, within a byte budget; ``s3fifo`` says what goes first, ``sizes`` what it takes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from proxy.message.stored import VaryRecord
from proxy.store.kept import Kept
from proxy.store.protocol import Found, never
from proxy.store.s3fifo import S3Fifo
from proxy.store.sizes import size_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxy.message.stored import CacheKey, StoredResponse, Uncacheable
    from proxy.purge.ledger import Ledger
    from proxy.store.kept import Rendered, Value
    from proxy.store.options import StoreOptions
    from proxy.store.protocol import Told


class MemoryStore:
    """Entries as they are, never copied. ``now`` gives the seconds by which their time ends."""

    name: Literal["memory"] = "memory"

    def __init__(self, ledger: Ledger, options: StoreOptions, *, now: Callable[[], float]) -> None:
        self._ledger = ledger
        self._budget = options.memory_size
        self.now = now
        self._responses: dict[str, Kept] = {}
        self._varies: dict[str, Kept] = {}
        self.varied = 0
        """Counts up with whatever changes what lies there as a vary record."""
        self._queues = S3Fifo(self._budget)
        self.evictions = 0

    @property
    def size(self) -> int:
        """What all of it takes, in bytes."""
        return self._queues.size

    def __len__(self) -> int:
        return len(self._queues)

    async def load(self, key: CacheKey, *, shared: bool = False) -> Found:
        """Read the base entry, the vary record and the ledger's position."""
        del shared  # nobody shares this
        return Found(await self._ledger.position(), self.vary(key), self.entry(key), "memory")

    async def load_variant(self, key: CacheKey, base: Found) -> Found:
        """Read one entry."""
        return replace(base, entry=self.entry(key))

    def ask(self, key: CacheKey, told: Told) -> None:
        """Read as ``load`` does, at once."""
        told(Found(self._ledger.known(), self.vary(key), self.entry(key), "memory"))

    def ask_variant(self, key: CacheKey, base: Found, told: Told) -> None:
        """Read as ``load_variant`` does, at once."""
        told(replace(base, entry=self.entry(key)))

    def find(self, digest: str) -> Kept | None:
        """Return what is kept as response under this digest, which is no use of it; the caller compares ``material``."""
        return self._find(self._responses, digest)

    def find_vary(self, digest: str) -> Kept | None:
        """Return what is kept as vary record under this digest; the caller compares ``material``."""
        return self._find(self._varies, digest)

    def dress(self, kept: Kept, rendered: Rendered, extra_bytes: int) -> bool:
        """Remember with a response what was made of it, ``extra_bytes`` large, in place of what was remembered before.

        False, and nothing is remembered, with what is not kept any more, or what would not fit with it.
        """
        if self._responses.get(kept.digest) is not kept:
            return False
        bare = kept.size - kept.rendered_size
        fits = bare + extra_bytes <= self._budget
        if kept.rendered is not rendered:
            kept.undress()
        kept.rendered, kept.rendered_size = (rendered, extra_bytes) if fits else (None, 0)
        self._forget(self._queues.resize(kept, bare + kept.rendered_size, self.now()))
        return fits

    def undress(self, kept: Kept) -> None:
        """Forget what was made of it."""
        bare = kept.size - kept.rendered_size
        kept.undress()
        if self._responses.get(kept.digest) is kept and kept.size != bare:
            self._forget(self._queues.resize(kept, bare, self.now()))
        kept.rendered_size = 0

    def entry(self, key: CacheKey) -> StoredResponse | Uncacheable | None:
        """Return one entry."""
        kept = self._find(self._responses, key.digest)
        if kept is None or kept.material != key.material or isinstance(kept.value, VaryRecord):
            return None
        kept.hits += 1  # all that a hit costs: what goes first is decided when there is no room
        return kept.value

    def vary(self, key: CacheKey) -> VaryRecord | None:
        """Return one vary record."""
        kept = self._find(self._varies, key.digest)
        if kept is None or kept.material != key.material or not isinstance(kept.value, VaryRecord):
            return None
        kept.hits += 1
        return kept.value

    def hold_entry(self, key: CacheKey, entry: StoredResponse | Uncacheable | None, ttl: float) -> None:
        """Keep one entry for ``ttl`` seconds as far as there is room, or none in its place."""
        self._hold(self._responses, key, entry, ttl)

    def hold_vary(self, key: CacheKey, record: VaryRecord | None, ttl: float) -> None:
        """Keep one vary record for ``ttl`` seconds, or none in its place."""
        self._hold(self._varies, key, record, ttl)

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
        """Keep an entry, and whatever goes with it; 0 if it is larger than the whole budget or has no time."""
        del is_for_all  # nothing is compressed here
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
        for kept in self._responses.values():
            kept.undress()
        self._responses.clear()
        self._varies.clear()
        self.varied += 1
        self._queues.clear()

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
        return kept

    def _put(self, room: dict[str, Kept], key: CacheKey, value: Value, ends: float) -> int:
        size, now = size_of(key, value), self.now()
        if size > self._budget or ends <= now:
            self._remove(room, key.digest)
            return 0
        kept = Kept(key.digest, key.material, value, ends, size)
        self.varied += room is self._varies
        before = room.get(key.digest)
        room[key.digest] = kept
        if before is None:
            gone = self._queues.add(kept, now)
        else:
            before.undress()
            gone = self._queues.replace(before, kept, now)
        self._forget(gone)
        return size

    def _forget(self, gone: list[Kept]) -> None:
        for kept in gone:
            room = self._varies if isinstance(kept.value, VaryRecord) else self._responses
            self.varied += room is self._varies
            del room[kept.digest]
            kept.undress()
        self.evictions += len(gone)

    def _remove(self, room: dict[str, Kept], digest: str) -> None:
        kept = room.pop(digest, None)
        if kept is not None:
            self.varied += room is self._varies
            self._queues.remove(kept)
            kept.undress()
