"""What happened between two looks at the counters, as the metrics of the caching strategy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from proxy.observe.events import Outcome
from proxy.observe.stats import totals_by_place
from proxy.observe.totals import NONE_YET, Totals, percent

if TYPE_CHECKING:
    from proxy.observe.counters import Counters
    from proxy.observe.stats import RedisFacts

Unit = Literal["Percent", "Count", "Milliseconds", "Seconds"]
"""As CloudWatch spells them."""


@dataclass(frozen=True, slots=True)
class Look:
    """The sums at one moment. ``hit_seconds``: how long all hits together took. ``redis`` is None without an answer."""

    totals: Totals
    hit_seconds: float = 0.0
    redis: RedisFacts | None = None


@dataclass(frozen=True, slots=True)
class Datum:
    """One number of one interval, which ended at ``at``, wall-clock seconds."""

    name: str
    unit: Unit
    value: float
    at: float


def look(counters: Counters, redis: RedisFacts | None) -> Look:
    """Look at the counters now."""
    hits = (Outcome.HIT_MEMORY, Outcome.HIT_REDIS)
    seconds = sum(row.timing.total for (_, _, outcome), row in counters.served.items() if outcome in hits)
    return Look(sum(totals_by_place(counters).values(), NONE_YET), seconds, redis)


def between(before: Look, after: Look, at: float) -> tuple[Datum, ...]:
    """Return the metrics of an interval; a rate of nothing, and what nobody knows, is left out rather than zero."""
    totals = after.totals - before.totals
    asked = totals.answered_from_cache + totals.asked_the_backend
    values: list[tuple[str, Unit, float | None]] = [
        ("HitRate", "Percent", totals.hit_rate if asked else None),
        ("MissRate", "Percent", percent(totals.asked_the_backend, asked) if asked else None),
        ("ErrorRate", "Percent", percent(totals.errors, totals.requests) if totals.requests else None),
        ("TotalRequests", "Count", totals.requests),
        ("CacheHits", "Count", totals.answered_from_cache),
        ("CacheMisses", "Count", totals.asked_the_backend),
        ("Errors", "Count", totals.errors),
        ("Latency", "Milliseconds", _milliseconds(after.hit_seconds - before.hit_seconds, totals.hits)),
        ("BackendSecondsSaved", "Seconds", round(totals.seconds_saved, 3)),
        ("MemoryUsage", "Percent", _memory(after.redis)),
        ("Evictions", "Count", _evictions(before.redis, after.redis)),
    ]
    return tuple(Datum(name, unit, float(value), at) for name, unit, value in values if value is not None)


def _milliseconds(seconds: float, hits: int) -> float | None:
    return round(1000 * seconds / hits, 3) if hits else None


def _memory(redis: RedisFacts | None) -> float | None:
    return None if redis is None or redis.memory_ratio is None else round(100 * redis.memory_ratio, 2)


def _evictions(before: RedisFacts | None, after: RedisFacts | None) -> float | None:
    # A server that was restarted counts from zero again.
    return None if before is None or after is None else max(0, after.evicted_keys - before.evicted_keys)
