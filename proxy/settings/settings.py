"""Everything a service is built from: the rooms' own options, and what belongs to no room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from proxy.settings.network import without_password

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from proxy.admin.options import AdminOptions
    from proxy.backplane.options import BackplaneOptions
    from proxy.fetch.options import FlightOptions, OriginOptions
    from proxy.front.options import FrontOptions
    from proxy.observe.options import CloudWatchOptions, LogOptions
    from proxy.policy.rules import RuleBook
    from proxy.purge.options import PurgeOptions
    from proxy.settings.cases import Case
    from proxy.settings.mistakes import Caution
    from proxy.settings.written import Written
    from proxy.store.options import StoreOptions
    from proxy.warming.schedule import ScheduledPurge
    from proxy.warming.warmers import Warmer


@dataclass(frozen=True, slots=True)
class Settings:
    """A configuration without a mistake. Times are seconds, sizes bytes.

    ``ttl_from`` gives for each route the path of the setting that its ttl comes from. ``backplane`` is None for ``memory://``. ``variants`` and ``tags`` bound what is kept per resource and per entry.
    ``shown`` is the running configuration as plain data, defaults filled in, secrets hidden; ``fingerprint`` its
    digest. Service, switch and generation are in ``book`` as well, since every decision needs them. ``secret_files`` are
    the paths of mounted secrets that were read.
    """

    service: str
    enabled: bool
    book: RuleBook
    zone: ZoneInfo
    scheduled: tuple[ScheduledPurge, ...]
    warmers: tuple[Warmer, ...]
    front: FrontOptions
    origin: OriginOptions
    flights: FlightOptions
    backplane: BackplaneOptions | None
    store: StoreOptions
    purge: PurgeOptions
    admin: AdminOptions
    log: LogOptions
    cloudwatch: CloudWatchOptions | None
    drain_timeout: float
    variants: int
    tags: int
    workers: int
    written: Written
    warnings: tuple[Caution, ...]
    tests: tuple[Case, ...]
    ttl_from: Mapping[str, str]
    shown: Mapping[str, Any]
    fingerprint: str
    secret_files: tuple[str, ...] = ()


def needs_restart(old: Settings, new: Settings) -> list[str]:
    """Name the settings that changed and that a reload cannot swap: sockets, processes, and what all keys begin with."""
    pairs = {
        "listen": (old.front.listen, new.front.listen),
        "probes": (old.admin.probes_listen, new.admin.probes_listen),
        "admin.listen": (old.admin.listen, new.admin.listen),
        "workers": (old.workers, new.workers),
        "store.url": (_store_url(old), _store_url(new)),
        "service": (old.service, new.service),
    }
    return [name for name, (before, after) in pairs.items() if before != after]


def _store_url(settings: Settings) -> str:
    # Another password is for the next connection, and no other store.
    return without_password(settings.backplane.url) if settings.backplane else "memory://"
