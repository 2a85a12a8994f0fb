"""What the store has for a request, and what the ledger says of it.

The vary record, the base entry and the ledger's position are read together. A vary record wins: the variant's own
entry costs a second read. A store that fails counts as nothing found; one that is away while a hot tier has a copy
leaves the look *blind*: the copy counts as softly purged at the moment since when nobody has heard of purges.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from proxy.message.errors import StoreError
from proxy.message.selectors import IN_FORCE, Seq, Standing
from proxy.message.stored import CacheKey, StoredResponse, Uncacheable, VaryRecord
from proxy.message.values import value
from proxy.observe.events import Outcome
from proxy.pipeline.reply import raising
from proxy.policy import keys, vary

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    Looking = Callable[[], Coroutine[Any, Any, "Looked"]]

    from proxy.pipeline.parts import Parts
    from proxy.pipeline.visit import Visit
    from proxy.store.protocol import Found, Tier

HIT_IN: Final[dict[Tier, Outcome]] = {"memory": Outcome.HIT_MEMORY, "redis": Outcome.HIT_REDIS}
"""What a hit counts as, by where it was found."""


@value(frozen=True, slots=True)
class Looked:
    """What was found. ``place`` is where an entry for this request is kept, as far as is known now.

    ``seq`` None: the ledger could not be read, and nothing fetched on this look may be stored. ``last_known`` is the
    entry's standing by the last known purges where the look was blind, else None.
    """

    place: CacheKey
    entry: StoredResponse | Uncacheable | None = None
    standing: Standing = IN_FORCE
    seq: Seq | None = None
    vary: VaryRecord | None = None
    failed: bool = False
    tier: Tier = "redis"
    last_known: Standing | None = None

    @property
    def is_vary_miss(self) -> bool:
        """Say whether other variants are known, but not this one."""
        return self.vary is not None and self.entry is None


async def look(parts: Parts, visit: Visit, *, shared: bool = False) -> Looked:
    """Read what is known for a request. Never raises: a failing store is ``failed``.

    ``shared``: as all replicas know it, before anything is fetched or written on the strength of it.
    """
    place = visit.key.cache
    try:
        found = await parts.store.load(place, shared=shared)
        if found.vary is not None:
            place = _variant(visit, found.vary)
            found = await parts.store.load_variant(place, found)
    except StoreError:
        return Looked(place, failed=True)
    looked = _judged(parts, visit, place, found)
    return looked if looked is not None else await _caught_up(parts, visit, place, found)


def glance(parts: Parts, visit: Visit, seen: Callable[[Looked | Looking], None]) -> None:
    """Read as ``look`` does, without a task: ``seen`` gets what it comes to, or the rest of it where one has to wait.

    It is called once, perhaps at once, and must not raise.
    """
    place = visit.key.cache

    def found(reply: Found | Exception) -> None:
        if isinstance(reply, Exception) or reply.vary is None:
            seen(_seen(parts, visit, place, reply))
            return
        variant = _variant(visit, reply.vary)
        parts.store.ask_variant(variant, reply, lambda reply: seen(_seen(parts, visit, variant, reply)))

    parts.store.ask(place, found)


def _seen(parts: Parts, visit: Visit, place: CacheKey, reply: Found | Exception) -> Looked | Looking:
    if isinstance(reply, StoreError):
        return Looked(place, failed=True)
    if isinstance(reply, Exception):
        return partial(raising, reply)
    looked = _judged(parts, visit, place, reply)
    return looked if looked is not None else partial(_caught_up, parts, visit, place, reply)


def _variant(visit: Visit, record: VaryRecord) -> CacheKey:
    """Return where the variant for a request is kept."""
    return keys.variant(visit.key, vary.selecting(record.fields, visit.asked))


async def _caught_up(parts: Parts, visit: Visit, place: CacheKey, found: Found) -> Looked:
    """Bring the ledger up to date and judge what was found."""
    assert found.seq is not None
    try:
        await parts.ledger.catch_up(found.seq)
    except StoreError:
        return Looked(place, failed=True)
    looked = _judged(parts, visit, place, found)
    return looked if looked is not None else Looked(place, failed=True)


def _judged(parts: Parts, visit: Visit, place: CacheKey, found: Found) -> Looked | None:
    """Return what a look comes to; None where the ledger is not known as far as what was found."""
    entry = found.entry
    if isinstance(entry, StoredResponse) and entry.vary and not vary.fits(entry.vary, visit.asked):
        entry = None
    standing = IN_FORCE
    if isinstance(entry, StoredResponse):
        if found.seq is None:
            return Looked(place, failed=True)
        judged = parts.ledger.standing(entry.selectors, entry.seq, found.seq)
        if judged is None:
            return None
        standing = judged
    if found.blind_for is None:
        return Looked(place, entry, standing, found.seq, found.vary, tier=found.tier)
    blind = blinded(standing, parts.wall() - found.blind_for)
    return Looked(place, entry, blind, found.seq, found.vary, tier=found.tier, last_known=standing)


def blinded(standing: Standing, since: float) -> Standing:
    """Return the standing of an entry that may have been purged at any time since that wall-clock time."""
    if standing.purged:
        return standing
    return Standing(soft_since=since if standing.soft_since is None else min(since, standing.soft_since))


async def stand(parts: Parts, entry: StoredResponse, at: Seq) -> Standing:
    """Judge an entry by all purges up to ``at``; raises StoreError where the ledger cannot be read that far."""
    standing = parts.ledger.standing(entry.selectors, entry.seq, at)
    if standing is None:
        await parts.ledger.catch_up(at)
        standing = parts.ledger.standing(entry.selectors, entry.seq, at)
    if standing is None:
        raise StoreError("the ledger's mirror could not be brought up to date")
    return standing
