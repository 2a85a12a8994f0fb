"""What the store has for a request, and what the ledger says of it.

The vary record, the base entry and the ledger's position are read together. A vary record wins: the variant's own
entry costs a second read. A store that fails counts as nothing found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.message.errors import StoreError
from proxy.message.selectors import IN_FORCE, Seq, Standing
from proxy.message.stored import CacheKey, StoredResponse, Uncacheable, VaryRecord
from proxy.policy import keys, vary

if TYPE_CHECKING:
    from proxy.pipeline.parts import Parts
    from proxy.pipeline.visit import Visit


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found. ``place`` is where an entry for this request is kept, as far as is known now.

    ``seq`` None: the ledger could not be read, and nothing fetched on this look may be stored.
    """

    place: CacheKey
    entry: StoredResponse | Uncacheable | None = None
    standing: Standing = IN_FORCE
    seq: Seq | None = None
    vary: VaryRecord | None = None
    failed: bool = False

    @property
    def is_vary_miss(self) -> bool:
        """Say whether other variants are known, but not this one."""
        return self.vary is not None and self.entry is None


async def look(parts: Parts, visit: Visit) -> Looked:
    """Read what is known for a request. Never raises: a failing store is ``failed``."""
    key = visit.key
    place = key.cache
    try:
        found = await parts.store.load(key.cache)
        entry = found.entry
        if found.vary is not None:
            place = keys.variant(key, vary.selecting(found.vary.fields, visit.asked))
            entry = await parts.store.load_variant(place)
        if isinstance(entry, StoredResponse) and not vary.fits(entry.vary, visit.asked):
            entry = None
        standing = IN_FORCE
        if isinstance(entry, StoredResponse):
            if found.seq is None:
                return Looked(place, failed=True)
            standing = await stand(parts, entry, found.seq)
    except StoreError:
        return Looked(place, failed=True)
    return Looked(place, entry, standing, found.seq, found.vary)


async def stand(parts: Parts, entry: StoredResponse, at: Seq) -> Standing:
    """Judge an entry by all purges up to ``at``; raises StoreError where the ledger cannot be read that far."""
    standing = parts.ledger.standing(entry.selectors, entry.seq, at)
    if standing is None:
        await parts.ledger.catch_up(at)
        standing = parts.ledger.standing(entry.selectors, entry.seq, at)
    if standing is None:
        raise StoreError("the ledger's mirror could not be brought up to date")
    return standing
