"""Medians and quartiles, of runs and of what two servers' runs of the same round say of each other."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some numbers, with the quarter below and the quarter above it."""

    low: float
    median: float
    high: float


def spread(values: Sequence[float]) -> Spread | None:
    """Return median and quartiles, interpolated between the numbers; None of none."""
    if not values:
        return None
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(low, median, high)


def ratios(ours: Sequence[float | None], theirs: Sequence[float | None]) -> Spread | None:
    """Compare round by round, where both measured something: drifts of the machine cancel out."""
    pairs = zip(ours, theirs, strict=False)
    return spread([one / other for one, other in pairs if one is not None and other])


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share (0 to 1) of all, of which there must be some, does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]
