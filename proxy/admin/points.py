"""What the plots show: one point per second, made of the counters' sums at several moments. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from proxy.observe.counters import BOUNDS
from proxy.observe.events import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from proxy.observe.pulse import Pulse

WINDOW: Final = 10.0
"""Seconds over which hit rate and latency are reckoned: one second's few requests would make them jump."""

_GROUPS: Final = {
    "hit": (Outcome.HIT_MEMORY, Outcome.HIT_REDIS),
    "stale": (Outcome.STALE,),
    "fetched": (Outcome.MISS, Outcome.COLLAPSED, Outcome.REVALIDATED),
    "bypass": (Outcome.BYPASS,),
    "failed": (Outcome.ERROR, Outcome.REFUSED),
}
_USED_AGAIN: Final = (Outcome.HIT_MEMORY, Outcome.HIT_REDIS, Outcome.STALE, Outcome.REVALIDATED)
_ASKED: Final = (Outcome.MISS, Outcome.COLLAPSED)


@dataclass(frozen=True, slots=True)
class Sample:
    """The sums at a moment: ``at`` in monotonic, ``wall`` in wall-clock seconds."""

    at: float
    wall: float
    pulse: Pulse


def point_of(samples: Sequence[Sample]) -> dict[str, Any]:
    """Return the point at the last of two or more samples, which are in order.

    ``t`` in wall-clock seconds; answers per second by how they came about, since the sample before; backend seconds
    saved per second; over ``WINDOW``: the hit rate in percent and quantiles in milliseconds, null where nothing was
    answered.
    """
    last, before = samples[-1], samples[-2]
    first = next(sample for sample in samples if last.at - sample.at <= WINDOW or sample is before)
    elapsed = max(last.at - before.at, 1e-3)
    rates = {name: round(_grown(before, last, group) / elapsed, 2) for name, group in _GROUPS.items()}
    used, asked = _grown(first, last, _USED_AGAIN), _grown(first, last, _ASKED)
    cached = _counts(first.pulse.cached, last.pulse.cached)
    fetched = _counts(first.pulse.fetched, last.pulse.fetched)
    saved = max(0.0, last.pulse.seconds_saved - before.pulse.seconds_saved)
    return {
        "t": round(last.wall, 3),
        **rates,
        "saved": round(saved / elapsed, 3),
        "hit_rate": round(100 * used / (used + asked), 2) if used + asked else None,
        "cached_p50": _milliseconds(cached, 0.5),
        "cached_p95": _milliseconds(cached, 0.95),
        "fetched_p50": _milliseconds(fetched, 0.5),
        "fetched_p95": _milliseconds(fetched, 0.95),
        "in_flight": last.pulse.in_flight,
    }


def _grown(before: Sample, after: Sample, outcomes: Iterable[Outcome]) -> int:
    # A process of several that ended takes its counts along: that is no negative rate.
    return max(0, sum(after.pulse.outcomes.get(name, 0) - before.pulse.outcomes.get(name, 0) for name in outcomes))


def _counts(before: Sequence[int], after: Sequence[int]) -> list[int]:
    return [max(0, b - a) for a, b in zip(before, after, strict=True)]


def _milliseconds(counts: Sequence[int], share: float) -> float | None:
    seconds = quantile(counts, share)
    return None if seconds is None else round(seconds * 1000, 3)


def quantile(counts: Sequence[int], share: float) -> float | None:
    """Estimate below which time ``share`` of the answers lie, in seconds; None of nothing.

    Within a bucket they are taken to be spread evenly. Beyond the last bound nothing is known but that bound.
    """
    wanted = share * sum(counts)
    if not wanted:
        return None
    below = 0
    for index, count in enumerate(counts[:-1]):
        if below + count >= wanted:
            lower = BOUNDS[index - 1] if index else 0.0
            return lower + (BOUNDS[index] - lower) * (wanted - below) / count
        below += count
    return BOUNDS[-1]
