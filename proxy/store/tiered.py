"""Memory in front of Redis: what is hot is answered from this process, and judged by the purges that it knows of.

How to think about it. Copies are never told to go: as everywhere, the ledger judges. What is special here is only how
old the judge's knowledge may be. It is ``ledger.age()`` seconds old; while that is below ``max_lag`` a copy is judged
as of ``ledger.known()``, without a word to Redis. So a purge by another process is outlived by less than ``max_lag``,
and not at all once this process has confirmed it. Else Redis is asked, and what it says replaces the copy.

While Redis is away a copy may still be found (``on_store_failure: stale``), and says for how long nobody has heard of
purges; whether it may be served is not decided here.
"""

from __future__ import annotations

import math
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Final, Literal

from proxy.message.errors import StoreError
from proxy.message.stored import StoredResponse, Uncacheable
from proxy.policy.freshness import current_age
from proxy.store.protocol import Found, never

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxy.message.selectors import Seq
    from proxy.message.stored import CacheKey, VaryRecord
    from proxy.purge.ledger import Ledger
    from proxy.store.memory import MemoryStore
    from proxy.store.protocol import Store, Told

    Entry = StoredResponse | Uncacheable

VARY_SECONDS: Final = 60.0
"""How long a copy of a vary record is believed. An old one can only miss a variant that Redis then has."""


class TieredStore:
    """A hot tier that trusts what its process knows of purges; whatever is kept lies in Redis too."""

    name: Literal["redis"] = "redis"

    def __init__(
        self,
        memory: MemoryStore,
        shared: Store,
        ledger: Ledger,
        max_lag: float,
        on_store_failure: Literal["stale", "pass"],
    ) -> None:
        self.memory = memory
        self._shared = shared
        self._ledger = ledger
        self._max_lag = max_lag
        self._on_store_failure = on_store_failure

    async def load(self, key: CacheKey, *, shared: bool = False) -> Found:
        """Read from memory what may be trusted, else from Redis."""
        vary, entry = self.memory.vary(key), self.memory.entry(key)
        if not shared and (vary is not None or entry is not None) and (seq := self.trusted()) is not None:
            return Found(seq, vary, entry, "memory")
        try:
            reply: Found | StoreError = await self._shared.load(key)
        except StoreError as error:
            reply = error
        return _raised(self._as_found(key, vary, entry, reply))

    async def load_variant(self, key: CacheKey, base: Found) -> Found:
        """Read one entry where its base was read; what memory lacks, from Redis."""
        entry = self.memory.entry(key)
        if base.tier == "redis":
            return _raised(self._as_variant(key, base, entry, await self._shared.load_variant(key, base)))
        if (found := self._variant_here(base, entry)) is not None:
            return _raised(found)
        return _raised(self._as_variant(key, base, entry, await self._shared.load(key)))

    def ask(self, key: CacheKey, told: Told) -> None:
        """Read as ``load`` does."""
        vary, entry = self.memory.vary(key), self.memory.entry(key)
        if (vary is not None or entry is not None) and (seq := self.trusted()) is not None:
            told(Found(seq, vary, entry, "memory"))
            return
        self._shared.ask(key, lambda reply: told(self._as_found(key, vary, entry, reply)))

    def ask_variant(self, key: CacheKey, base: Found, told: Told) -> None:
        """Read as ``load_variant`` does."""
        entry = self.memory.entry(key)
        if base.tier == "redis":
            self._shared.ask_variant(key, base, lambda reply: told(self._as_variant(key, base, entry, reply)))
        elif (found := self._variant_here(base, entry)) is not None:
            told(found)
        else:
            self._shared.ask(key, lambda reply: told(self._as_variant(key, base, entry, reply)))

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
        """Keep an entry in both; in memory also while Redis is away, for it is judged by its own position."""
        await self.memory.save(key, entry, ttl=ttl, vary=vary, evict=evict)
        return await self._shared.save(key, entry, ttl=ttl, vary=vary, evict=evict, is_for_all=is_for_all)

    async def drop(self, *digests: str) -> None:
        """Remove these entries from both."""
        await self.memory.drop(*digests)
        await self._shared.drop(*digests)

    async def close(self) -> None:
        """Let go of both."""
        await self.memory.close()
        await self._shared.close()

    def trusted_until(self) -> float:
        """Return until when, in monotonic seconds, memory may be judged by what is known now; it may be in the past."""
        age = self._ledger.age()
        return -math.inf if age is None else monotonic() - age + self._max_lag

    def trusted(self) -> Seq | None:
        """Return the position that memory may be judged by, None where what is known is too old."""
        age = self._ledger.age()
        return self._ledger.known() if age is not None and age < self._max_lag else None

    def _as_found(
        self, key: CacheKey, vary: VaryRecord | None, entry: Entry | None, reply: Found | Exception
    ) -> Found | Exception:
        """Return what was found, after Redis was asked: ``vary`` and ``entry`` lay in memory then."""
        if isinstance(reply, StoreError):
            age, known = self._ledger.age(), self._ledger.known()
            if self._on_store_failure == "pass" or age is None or known is None:
                return reply
            if vary is None and not isinstance(entry, StoredResponse):
                return reply
            return Found(known, vary, entry, "memory", blind_for=age)
        if isinstance(reply, Exception):
            return reply
        self._take_over_entry(key, entry, reply.entry)
        if self.memory.vary(key) is vary:  # as for entries
            self.memory.hold_vary(key, reply.vary, VARY_SECONDS)
        return reply

    def _variant_here(self, base: Found, entry: Entry | None) -> Found | StoreError | None:
        """Return a variant whose base lay in memory, None where Redis is to be asked."""
        if entry is not None:
            return replace(base, entry=entry)
        if base.blind_for is not None:
            return StoreError("the store did not answer, and this variant is not in memory")
        return None

    def _as_variant(
        self, key: CacheKey, base: Found, entry: Entry | None, reply: Found | Exception
    ) -> Found | Exception:
        """Return the variant that Redis was asked for: ``entry`` lay in memory then."""
        if isinstance(reply, Exception):
            return reply
        if base.tier != "redis":  # with a position of its own: by now, what memory knew may be too old
            reply = replace(reply, vary=base.vary)
        self._take_over_entry(key, entry, reply.entry)
        return reply

    def _take_over_entry(
        self, key: CacheKey, before: StoredResponse | Uncacheable | None, entry: StoredResponse | Uncacheable | None
    ) -> None:
        # Race: (1) Redis is asked, (2) a newer entry is saved in both, (3) the older answer arrives. So it only
        # replaces what lay there at (1).
        if self.memory.entry(key) is before:
            self.memory.hold_entry(key, entry, 0.0 if entry is None else self._seconds(entry))

    def _seconds(self, entry: StoredResponse | Uncacheable) -> float:
        """Return how long a copy can be of use without Redis: to its freshness's end, and stale as long as it may be."""
        now = self.memory.now()
        if isinstance(entry, Uncacheable):
            return entry.until - now
        fresh = entry.freshness
        useful = fresh.lifetime - current_age(entry, now) + max(fresh.stale_while_revalidate, fresh.stale_if_error)
        ends = entry.expires_with_credential
        return useful if ends is None else min(useful, ends - now)


def _raised(found: Found | Exception) -> Found:
    """Return what was found. Raises what was not."""
    if isinstance(found, Exception):
        raise found
    return found
