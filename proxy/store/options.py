"""What the operator says about stored responses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """Sizes in bytes, times in seconds.

    ``memory_size`` is the budget of ``memory://``, or of the hot tier in front of a shared store; 0: no hot tier.
    ``max_lag`` is how old this process's knowledge of purges may be for a hot hit. ``on_store_failure`` says what hot
    entries are good for while the shared store is away: ``stale`` where they may be, or nothing.
    """

    max_body: int = 8 * 1024 * 1024  # one value that Redis still moves in a few ms
    compress_above: int = 1024  # below it, zstd saves less than a packet
    memory_size: int = 64 * 1024 * 1024
    max_lag: float = 0.25  # the log is read ten times a second; so a loop that is busy for a moment still hits
    on_store_failure: Literal["stale", "pass"] = "stale"
