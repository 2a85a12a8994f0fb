"""What others know at the moment of a scrape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Gauges:
    """Of one process, or of all of a sidecar; None leaves the metric out. Memory in bytes, lag in seconds."""

    upstream_in_flight: int = 0
    memory_bytes: int = 0
    memory_entries: int = 0
    memory_evictions: int = 0
    purge_mirror_lag: float | None = None
    purge_selectors: int | None = None
    purge_looks: Mapping[str, int] | None = None
    redis_memory_ratio: float | None = None
    redis_evictions: int | None = None
    config_reload_ok: bool = True
    config_hash: str = ""
    workers_up: int | None = None  # None: there is but one process
    worker_restarts: int = 0
