"""What the operator says about stored responses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

LARGEST_DICTIONARY: Final = 1024 * 1024
"""Bytes of a dictionary that a replica takes from another, whatever it would train itself."""


@dataclass(frozen=True, slots=True)
class DictionaryOptions:
    """What bodies have in common: ``size`` of a dictionary, 0 for none, and of the ``samples`` it is trained on, in bytes.

    In all replicas together one is trained at most every so many seconds.
    """

    size: int = 128 * 1024  # from here on pages of 20 KB gain 1 % for each doubling; zstd's own tool makes 110 KiB
    samples: int = 4 * 1024 * 1024  # 50 ms of CPU; with five times as many nothing is gained
    every: float = 3600.0


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
    dictionary: DictionaryOptions = DictionaryOptions()
