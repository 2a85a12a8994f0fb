"""What a sidecar keeps: in this process alone, or in Redis, where all replicas share it. One choice, made once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from proxy.popularity.own import OwnRanking
from proxy.popularity.shared import SharedRanking
from proxy.popularity.sharedwindows import SharedWindows
from proxy.popularity.windows import OwnWindows
from proxy.purge.local import LocalLedger
from proxy.purge.shared import SharedLedger
from proxy.store.memory import MemoryStore
from proxy.store.tiered import TieredStore
from proxy.warming.archive import OwnArchive, SharedArchive
from proxy.warming.turns import OwnTurns, SharedTurns

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.backplane.client import Backplane
    from proxy.backplane.options import BackplaneOptions
    from proxy.observe.events import Observer
    from proxy.settings import Settings
    from proxy.store.redis import RedisStore


@dataclass(frozen=True, slots=True)
class Keeping:
    """Each in one of its two kinds. ``backplane`` is what those in Redis are reached by, None for ``memory://``."""

    backplane: Backplane | None
    ledger: LocalLedger | SharedLedger
    store: MemoryStore | RedisStore | TieredStore
    ranking: OwnRanking | SharedRanking
    windows: OwnWindows | SharedWindows
    archive: OwnArchive | SharedArchive
    turns: OwnTurns | SharedTurns


def kept_by(settings: Settings, store_url: str | None, wall: Callable[[], float], observer: Observer) -> Keeping:
    """Return what is kept where the settings say. ``store_url`` replaces the configured one."""
    options = settings.backplane
    if options is None:
        return _here(settings, wall)
    return _in_redis(settings, replace(options, url=store_url or options.url), wall, observer)


def _here(settings: Settings, wall: Callable[[], float]) -> Keeping:
    ledger = LocalLedger(settings.purge)
    store = MemoryStore(ledger, settings.store, now=wall)
    return Keeping(None, ledger, store, OwnRanking(settings.zone), OwnWindows(), OwnArchive(), OwnTurns())


def _in_redis(settings: Settings, options: BackplaneOptions, wall: Callable[[], float], observer: Observer) -> Keeping:
    from proxy.backplane.client import Backplane  # noqa: PLC0415 - redis takes its time, and is not always needed

    backplane, service = Backplane(options, observer), settings.service
    trusted = settings.store.max_lag if settings.store.memory_size else 0.0
    ledger = SharedLedger(backplane, service, settings.purge, observer, max_lag=trusted)
    return Keeping(
        backplane=backplane,
        ledger=ledger,
        store=_tiers(settings, backplane, ledger, wall),
        ranking=SharedRanking(backplane, service, settings.zone),
        windows=SharedWindows(backplane, service),
        archive=SharedArchive(backplane, service),
        turns=SharedTurns(backplane, service),
    )


def _tiers(
    settings: Settings, backplane: Backplane, ledger: SharedLedger, wall: Callable[[], float]
) -> RedisStore | TieredStore:
    """Return Redis, behind memory where the configuration gives it some."""
    from proxy.store.redis import RedisStore  # noqa: PLC0415 - as above

    said = settings.store
    redis = RedisStore(backplane, ledger, said)
    if not said.memory_size:
        return redis
    return TieredStore(MemoryStore(ledger, said, now=wall), redis, ledger, said.max_lag, said.on_store_failure)
