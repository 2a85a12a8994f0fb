"""What the admin listener may do with a service."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from proxy.admin.health import HealthFacts
from proxy.message.errors import StoreError
from proxy.observe.events import Purged
from proxy.observe.gauges import Gauges
from proxy.pipeline.unasked import fetch_again
from proxy.purge.shared import SharedLedger
from proxy.service import overview
from proxy.service.entries import entries_of
from proxy.service.handover import hand_over
from proxy.service.redisfacts import asked
from proxy.settings.explain import explain
from proxy.store.memory import MemoryStore
from proxy.store.tiered import TieredStore
from proxy.warming.warming import BusyError, Order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.admin.warming import WarmOrder
    from proxy.fetch.spool import Budget
    from proxy.message.selectors import Seq
    from proxy.observe.metrics import Metrics
    from proxy.observe.options import LogOptions
    from proxy.observe.pulse import Pulse
    from proxy.observe.stats import RedisFacts
    from proxy.pipeline.handover import Offer, Verdict
    from proxy.policy.rules import RuleBook
    from proxy.popularity.counts import Estimate
    from proxy.purge.options import PurgeOptions
    from proxy.purge.replicas import Replicas
    from proxy.service.running import Service
    from proxy.settings.mistakes import Mistake

REDIS_ASKED_EVERY: Final = 10.0
"""Seconds between two questions to Redis that only scrapes give rise to."""


class Steering:
    """The admin listener's Control over one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._metrics: Metrics | None = None
        self._redis: RedisFacts | None = None
        self._redis_asked_at = -math.inf

    @property
    def book(self) -> RuleBook:
        """The running rules."""
        return self._service.house.parts.book

    async def purge(self, selectors: Sequence[str], *, soft: bool, request_id: str) -> Seq:
        """Purge, and tell it whichever way it went. Raises StoreError."""
        house, mode = self._service.house, "soft" if soft else "hard"
        try:
            seq = await house.ledger.purge(selectors, soft=soft, now=house.parts.wall())
        except StoreError as error:
            house.observer.tell(Purged("api", mode, tuple(selectors), "", request_id, failure=str(error)))
            raise
        house.observer.tell(Purged("api", mode, tuple(selectors), str(seq), request_id))
        return seq

    async def would_hit(self, selectors: Sequence[str]) -> Estimate:
        """Estimate what a purge would hit."""
        return self._service.house.parts.popularity.hit_by(selectors)

    async def refresh(self, selectors: Sequence[str], most: int) -> int:
        """Begin to fetch again the most read that a purge has hit; return how many."""
        house = self._service.house
        recipes = house.parts.popularity.most_read(selectors, most)
        fetch_again(house.pipeline, recipes)
        return len(recipes)

    async def position(self) -> Seq:
        """Return the ledger's position. Raises StoreError."""
        return await self._service.house.ledger.position()

    @property
    def purge_limits(self) -> PurgeOptions:
        """What one call may purge, and how many calls a second are taken."""
        return self._service.settings.purge

    async def replicas(self, seq: Seq) -> Replicas:
        """Ask how far a purge has come. Raises StoreError."""
        return await self._service.house.ledger.replicas(seq)

    async def reload(self) -> Sequence[Mistake]:
        """Take the configuration anew, or return why not."""
        return await self._service.reload()

    def config(self) -> dict[str, Any]:
        """Return the running configuration, secrets hidden, and its hash."""
        settings = self._service.settings
        return {"hash": settings.fingerprint, "config": dict(settings.shown)}

    async def health(self) -> HealthFacts:
        """Ask the store for a sign of life."""
        service, house = self._service, self._service.house
        latency: float | None = 0.0
        if house.backplane is not None:
            began = time.perf_counter()
            try:
                await house.backplane.run("ping", b"PING")
                latency = time.perf_counter() - began
            except StoreError:
                latency = None
        return HealthFacts(
            ready=service.is_ready,
            store_kind=house.store.name,
            store_latency=latency,
            breaker_open=house.backplane is not None and house.backplane.is_open,
            upstream_answers=house.counters.upstream_answers,
            config_reload_ok=service.reload_ok,
            hit_rate=house.stats.hit_rate,
            enabled=service.settings.enabled,
            store_refuses=house.counters.store.refuses,
        )

    async def stats(self) -> dict[str, Any]:
        """Return the statistics of all replicas and of this one; what Redis says of itself is null while it is silent."""
        house = self._service.house
        await self._ask_redis()
        others = await house.sharing.others()
        enabled = self._service.settings.enabled
        document = house.stats.document(enabled=enabled, redis=self._redis, others=others.shares)
        return {**document, "replicas": others.document(), "warming": await house.warming.totals()}

    async def pulse(self) -> Pulse:
        """Return the counters' sums and what is held right now."""
        return overview.pulse_of(self._service.house)

    async def recent_purges(self) -> Sequence[dict[str, Any]]:
        """Return the last purges of all replicas. Raises StoreError."""
        return await overview.recent_purges(self._service.house)

    async def followers(self) -> Sequence[dict[str, Any]]:
        """Return who follows the ledger. Raises StoreError."""
        return await overview.followers(self._service.house)

    async def reset_stats(self) -> None:
        """Begin the statistics again at zero, at all replicas."""
        await self._service.house.sharing.reset()

    async def entries(self, url: str) -> Sequence[dict[str, Any]]:
        """Return what is stored for a URL. Raises ValueError, StoreError."""
        return await entries_of(self._service.house.parts, self._service.settings, url)

    async def hand_over(self, url: str, offer: Offer) -> Verdict:
        """Store a response that the backend hands over. Raises ValueError, StoreError."""
        return await hand_over(self._service.house.parts, self._service.settings, url, offer)

    @property
    def max_body(self) -> int:
        """Return how many bytes a stored body may have."""
        return self._service.settings.store.max_body

    @property
    def budget(self) -> Budget:
        """The bytes that bodies on their way into the store may take together."""
        return self._service.house.parts.budget

    def explain(self, method: str, url: str, headers: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """Say what the running rules do with a request. Raises ValueError."""
        return explain(self._service.settings, method, url, headers).as_dict()

    @property
    def warmers(self) -> Sequence[str]:
        """The names of the running warmers."""
        return tuple(warmer.name for warmer in self._service.house.warming.warmers)

    async def warm(self, order: WarmOrder) -> dict[str, Any] | None:
        """Begin to warm. Raises ValueError."""
        warming = self._service.house.warming
        chosen = tuple(warmer for warmer in warming.warmers if warmer.name in order.names)
        try:
            return warming.order(Order(chosen, order.urls, order.limit)).as_dict()
        except BusyError:
            return None

    async def warming(self) -> dict[str, Any]:
        """Return every warmer with its last run, and the last jobs."""
        return await self._service.house.warming.document()

    @property
    def log_options(self) -> LogOptions:
        """What is logged now."""
        return self._service.house.logs.options

    async def use_log(self, options: LogOptions) -> None:
        """Log so until the next reload."""
        self._service.house.logs.change(options)

    def alive(self) -> bool:
        """Say that the loop turns: nobody could have called this otherwise."""
        return asyncio.get_running_loop().is_running()

    def ready(self) -> bool:
        """Say whether the traffic listener is open and not draining."""
        return self._service.is_ready

    async def metrics(self) -> tuple[bytes, str]:
        """Return the metrics and their content type."""
        if self._metrics is None:
            from proxy.observe.metrics import Metrics  # noqa: PLC0415 - a start does not need it

            self._metrics = Metrics(self._service.house.counters, self.gauges)
        return self._metrics.render()

    async def _ask_redis(self) -> None:
        self._redis_asked_at = time.monotonic()
        self._redis = await asked(self._service.house.backplane)

    def gauges(self) -> Gauges:
        """Return what a scrape shows besides the counters; never waits."""
        service, house = self._service, self._service.house
        is_due = time.monotonic() - self._redis_asked_at >= REDIS_ASKED_EVERY
        if service.place is None and house.backplane is not None and is_due:
            # A scrape must not wait for Redis: it gets what the one before it asked for.
            house.background.start(self._ask_redis(), name="redis facts")
        tier = house.store.memory if isinstance(house.store, TieredStore) else house.store
        memory = tier if isinstance(tier, MemoryStore) else None
        return Gauges(
            upstream_in_flight=house.origin.in_flight,
            memory_bytes=memory.size if memory is not None else 0,
            memory_entries=len(memory) if memory is not None else 0,
            memory_evictions=memory.evictions if memory is not None else 0,
            purge_mirror_lag=house.ledger.age() if isinstance(house.ledger, SharedLedger) else None,
            purge_selectors=len(house.ledger),
            purge_looks=asdict(house.ledger.looks) if isinstance(house.ledger, SharedLedger) else None,
            redis_memory_ratio=self._redis.memory_ratio if self._redis is not None else None,
            redis_evictions=self._redis.evicted_keys if self._redis is not None else None,
            config_reload_ok=service.reload_ok,
            config_hash=service.settings.fingerprint,
            workers_up=service.crew.up if service.crew is not None else None,
            worker_restarts=service.crew.restarts if service.crew is not None else 0,
        )
