"""Whether a route's lifetime fits how its entries are read.

How to think about it: hits on an entry that is wanted steadily are spread over its whole life, so their mean age is
half of the lifetime. Close to that, it is expiry that ends what is still wanted. Far below, hits come soon after the
fetch, and for most of its life the entry waits for nobody (or a purge ends it early).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FEWEST: Final = 100
"""Hits below which nothing is advised."""

READ_TO_THE_END: Final = 0.4
"""Share of the lifetime from which on the mean age at a hit says that expiry ends what is wanted."""

READ_EARLY: Final = 0.1
"""Share of the lifetime up to which a shorter one would serve nearly the same hits."""

WORTH_IT: Final = 0.02
"""Share of answers that cost a fetch below which a longer lifetime would save next to nothing."""


@dataclass(frozen=True, slots=True)
class Advice:
    """``advice``: ``raise``, ``lower``, ``keep``, or ``wait`` while too little is known."""

    advice: str
    because: str


def advise(*, hits: int, refetched: int, mean_age: float, mean_lifetime: float, watched: float) -> Advice:
    """Advise on a lifetime. ``refetched``: answers that cost a fetch; ``watched``: seconds since counting began."""
    if hits < FEWEST or mean_lifetime <= 0:
        return Advice("wait", f"fewer than {FEWEST} hits so far")
    ratio, cost = mean_age / mean_lifetime, refetched / (hits + refetched)
    seen = f"mean age at a hit {_short(mean_age)} of {_short(mean_lifetime)}"
    if ratio >= READ_TO_THE_END:
        if cost < WORTH_IT:
            return Advice("keep", f"{seen}; only {cost:.1%} of answers cost a fetch")
        return Advice("raise", f"{seen}: still read when it expires; {cost:.0%} of answers cost a fetch")
    if ratio <= READ_EARLY:
        # What was fetched since counting began cannot be older than that, however long it may live.
        if watched < 2 * mean_lifetime:
            return Advice("wait", f"{seen}, but counted for less than two lifetimes")
        return Advice("lower", f"{seen}: hardly read later, or purged before")
    return Advice("keep", seen)


def _short(seconds: float) -> str:
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"  # noqa: PLR2004 - two digits are enough
