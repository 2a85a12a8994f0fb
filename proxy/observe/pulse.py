"""The counters' sums at one moment: small enough to be taken each second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from proxy.observe.counters import BOUNDS
from proxy.observe.events import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from proxy.observe.counters import Counters

FROM_CACHE: Final = frozenset({Outcome.HIT_MEMORY, Outcome.HIT_REDIS, Outcome.STALE})
"""Answers for which nobody waited for the backend."""

FETCHED: Final = frozenset({Outcome.MISS, Outcome.COLLAPSED, Outcome.REVALIDATED})
"""Answers of cached routes for which the backend was waited for."""

_NOTHING: Final = (0,) * (len(BOUNDS) + 1)


@dataclass(frozen=True, slots=True)
class Pulse:
    """All but the last three only grow.

    ``outcomes``: requests by outcome. ``cached`` and ``fetched``: how long they took, counts in the buckets of
    ``BOUNDS``. Seconds that the backend was spared. In flight toward it now; the hot tier's bytes and entries now.
    """

    outcomes: Mapping[str, int]
    cached: tuple[int, ...] = _NOTHING
    fetched: tuple[int, ...] = _NOTHING
    seconds_saved: float = 0.0
    in_flight: int = 0
    memory_bytes: int = 0
    memory_entries: int = 0


def pulse_of(counters: Counters, *, in_flight: int = 0, memory_bytes: int = 0, memory_entries: int = 0) -> Pulse:
    """Return the sums over all routes."""
    outcomes = dict.fromkeys((outcome.value for outcome in Outcome), 0)
    saved = 0.0
    for (_, _, outcome), row in counters.served.items():
        outcomes[outcome.value] += sum(row.classes)
        saved += row.saved
    return Pulse(
        outcomes=outcomes,
        cached=_buckets(counters, FROM_CACHE),
        fetched=_buckets(counters, FETCHED),
        seconds_saved=saved,
        in_flight=in_flight,
        memory_bytes=memory_bytes,
        memory_entries=memory_entries,
    )


def _buckets(counters: Counters, outcomes: frozenset[Outcome]) -> tuple[int, ...]:
    return _added(row.timing.counts for (_, _, outcome), row in counters.served.items() if outcome in outcomes)


def _added(rows: Iterable[Iterable[int]]) -> tuple[int, ...]:
    return tuple(map(sum, zip(_NOTHING, *rows, strict=True)))
