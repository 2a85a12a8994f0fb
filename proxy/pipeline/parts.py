"""What the way of a request needs from the other rooms, built once by ``service``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proxy.pipeline.ahead import Tried
from proxy.popularity.counts import Popularity
from proxy.popularity.windows import OwnWindows

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.background import Background
    from proxy.fetch.flights import Flights
    from proxy.fetch.origin import Origin
    from proxy.fetch.spool import Budget
    from proxy.observe.events import Observer
    from proxy.policy.forwarding import Forwarding
    from proxy.policy.rules import RuleBook
    from proxy.popularity.windows import Windows
    from proxy.purge.ledger import Ledger
    from proxy.store.protocol import Store


@dataclass(frozen=True, slots=True)
class PipelineOptions:
    """Bounds of the way: bytes, counts, seconds."""

    max_body: int = 8 * 1024 * 1024  # store.max_body
    variants: int = 64  # limits.variants
    tags: int = 128  # limits.tags
    upstream_timeout: float = 30.0  # upstream.timeout: when a write without an answer is purged for again
    purge_wait: float = 0.25  # purge.wait_at_most
    refresh_at_once: int = 8  # purge.refresh_at_once


@dataclass(slots=True)
class Parts:
    """The other rooms. ``book`` and ``forwarding`` are swapped by a reload; a request takes each once."""

    book: RuleBook
    forwarding: Forwarding
    store: Store
    ledger: Ledger
    origin: Origin
    flights: Flights
    budget: Budget
    background: Background
    observer: Observer
    wall: Callable[[], float]
    options: PipelineOptions
    popularity: Popularity = field(default_factory=Popularity)
    windows: Windows = field(default_factory=OwnWindows)
    tried: Tried = field(default_factory=Tried)
