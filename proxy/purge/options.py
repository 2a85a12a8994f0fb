"""What the operator says about purging."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PurgeOptions:
    """``max_selectors`` bounds the ledger; ``wait_at_most`` is how long a write's answer waits for its own purge.

    The next two bound what the admin API takes: selectors in one call, calls in one second. ``refresh_at_once`` bounds
    what a purge with ``refresh`` has in flight.
    """

    max_selectors: int = 200_000  # 12 MB in Redis, 36 MB in each mirror
    wait_at_most: float = 0.25  # a purge takes 1 ms; so this is what a dead Redis may cost a write
    max_selectors_per_call: int = 1000  # one script of 2 ms, during which Redis serves nobody else
    max_calls_per_second: int = 200  # each 1 ms of a process that has requests to serve
    refresh_at_once: int = 8  # a backend that has just been written to has clients of its own
