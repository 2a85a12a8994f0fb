"""What the operator says about stored responses."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """Sizes in bytes. ``memory_size`` is the budget of ``memory://``, 0 with a shared store."""

    max_body: int = 8 * 1024 * 1024  # one value that Redis still moves in a few ms
    compress_above: int = 1024  # below it, zstd saves less than a packet
    memory_size: int = 64 * 1024 * 1024
