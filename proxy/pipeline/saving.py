"""Into the store: responses, marks, and the vary record that leads to variants."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from proxy.message.errors import StoreError
from proxy.message.stored import Uncacheable, VaryRecord
from proxy.observe.events import ResponseStored
from proxy.pipeline import readings
from proxy.policy import keys, vary
from proxy.policy.verdicts import DiscardReason

if TYPE_CHECKING:
    from proxy.message.stored import CacheKey, StoredResponse
    from proxy.pipeline.lookup import Looked
    from proxy.pipeline.parts import Parts
    from proxy.pipeline.visit import Visit

MARK_SECONDS: Final = 120.0
"""How long "do not queue for this" is believed: as Varnish's hit-for-miss, long beside a fetch, short for a mistake."""


async def save(parts: Parts, visit: Visit, looked: Looked, entry: StoredResponse, seconds: float) -> None:
    """Store one response for ``seconds``, where the ledger's position was read before its fetch.

    A failing store loses only a hit.
    """
    with contextlib.suppress(StoreError):  # the backplane has told; the response was served, only a later hit is lost
        await put(parts, visit, looked, entry, seconds)


async def put(parts: Parts, visit: Visit, looked: Looked, entry: StoredResponse, seconds: float) -> str | None:
    """Store one response as ``save`` does; return the digest of its place, None where it has none. Raises StoreError."""
    if looked.seq is None:
        return None
    if entry.expires_with_credential is not None:
        seconds = min(seconds, entry.expires_with_credential - parts.wall())
    if seconds <= 0:
        return None
    place: CacheKey = visit.key.cache
    record: VaryRecord | None = None
    evict: tuple[str, ...] = ()
    names = tuple(name for name, _ in entry.vary)
    if names or looked.vary is not None:
        known = looked.vary or VaryRecord(())
        union = tuple(sorted({*known.fields, *names}))
        if len(union) > vary.MOST_FIELDS:
            await mark(parts, looked, DiscardReason.VARY)
            return None
        place = keys.variant(visit.key, vary.selecting(union, visit.asked))
        record, evict = with_variant(known, union, place.digest, parts.options.variants)
    # Before it is saved: a hot tier has it at once, and its next reader would be taken for the first.
    readings.was_stored(parts, visit, place.digest, entry)
    size = await parts.store.save(
        place,
        entry,
        ttl=seconds,
        vary=None if record is None else (visit.key.cache, record),
        evict=evict,
        is_for_all=lambda: readings.is_for_all(visit, entry),
    )
    parts.observer.tell(ResponseStored(visit.route.name, visit.namespace, size, entry.freshness.lifetime))
    return place.digest


def with_variant(
    known: VaryRecord, union: tuple[bytes, ...], digest: str, most: int
) -> tuple[VaryRecord, tuple[str, ...]]:
    """Return the record with one more variant, and the digests that have to go.

    Variants under a smaller union cannot be found any more; beyond ``most`` the oldest goes.
    """
    if union != known.fields:
        return VaryRecord(union, (digest,)), known.variants
    variants = (*(other for other in known.variants if other != digest), digest)
    return VaryRecord(union, variants[-most:]), variants[:-most]


async def mark(parts: Parts, looked: Looked, reason: str) -> None:
    """Leave word that this place cannot be shared, so that nobody queues for it."""
    if looked.seq is None:
        return
    try:
        await parts.store.save(looked.place, Uncacheable(reason, parts.wall() + MARK_SECONDS), ttl=MARK_SECONDS)
    except StoreError:
        return  # as above: without the mark the next requests queue for one head


async def drop(parts: Parts, place: CacheKey) -> None:
    """Take an entry out of the store."""
    try:
        await parts.store.drop(place.digest)
    except StoreError:
        return  # it stays stale, and is validated again before it could be used
