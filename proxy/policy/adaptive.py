"""Lifetimes that follow the traffic: what is read much is kept longer, what is hardly read shorter.

Only the lifetime that a route gives follows; what a backend says of its own response stays. Decided when a response is
stored, by the reads of its entry in the last full window, in all replicas together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from proxy.policy.rules import Route


class Step(StrEnum):
    """Which factor is in force."""

    BASE = "base"
    HOT = "hot"
    COLD = "cold"


@dataclass(frozen=True, slots=True)
class Bound:
    """Reads in a window that an entry is compared with, and the factor for the base beyond them."""

    reads: int
    factor: float


@dataclass(frozen=True, slots=True)
class Adaptive:
    """``ttl: {base, hot, cold, window, min, max}``; seconds. The base is the route's ``ttl``."""

    window: float
    hot: Bound | None = None
    cold: Bound | None = None
    least: float | None = None
    most: float | None = None


class Window(NamedTuple):
    """One window by the wall clock: its number, and when it began."""

    number: int
    began: float


def last_full(window: float, now: float) -> Window:
    """Return the last window of that many seconds that is over."""
    number = int(now // window) - 1
    return Window(number, number * window)


def step_for(adaptive: Adaptive, reads: int | None) -> Step:
    """Choose by an entry's reads in the last full window; None: nobody counted through the whole of it."""
    if reads is None:
        return Step.BASE
    if adaptive.hot is not None and reads > adaptive.hot.reads:
        return Step.HOT
    if adaptive.cold is not None and reads < adaptive.cold.reads:
        return Step.COLD
    return Step.BASE


def lifetime(base: float, adaptive: Adaptive, step: Step) -> float:
    """Return the seconds that a step means, within the route's bounds."""
    seconds = base
    if step is Step.HOT and adaptive.hot is not None:
        seconds *= adaptive.hot.factor
    elif step is Step.COLD and adaptive.cold is not None:
        seconds *= adaptive.cold.factor
    if adaptive.least is not None:
        seconds = max(seconds, adaptive.least)
    return seconds if adaptive.most is None else min(seconds, adaptive.most)


def adapted(route: Route, reads: int | None) -> tuple[Route, Step]:
    """Return a route as it is for an entry with these reads, and the step; itself where its ttl follows nothing."""
    if route.adaptive is None or route.ttl is None:
        return route, Step.BASE
    step = step_for(route.adaptive, reads)
    return replace(route, ttl=lifetime(route.ttl, route.adaptive, step)), step
