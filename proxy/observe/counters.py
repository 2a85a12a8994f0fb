"""Plain integers and bucket lists, cheap enough for every hit.

Everything here only grows while the process lives: metrics are read from it at scrape time, and the admin API's
statistics subtract what there was at their last reset.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from proxy.observe.events import (
    BreakerMoved,
    LifetimeAdapted,
    OriginAnswered,
    Outcome,
    Purged,
    RequestServed,
    ResponseStored,
    StoreAnswered,
    WarmerRan,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.observe.events import Event

# Seconds. Half a millisecond is a hot hit, 10 ms the limit that TreeBeard's alert has for a cached GET, 30 s the
# default of upstream.timeout.
BOUNDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

_SHORTEST: Final = BOUNDS[0]

STEPS: Final = ("base", "hot", "cold")

CLASSES: Final = ("none", "1xx", "2xx", "3xx", "4xx", "5xx", "other")

# Names come from the configuration, but a process may see many reloads.
MOST_ROUTES: Final = 1000
OVERFLOW: Final = "other"


def class_index(status: int) -> int:
    """Return a status's place in ``CLASSES``; 0 means there was no answer."""
    return min(status // 100, 6) if status >= 0 else 0


class Timing:
    """How often something took how long: ``counts[i]`` is of times up to ``BOUNDS[i]``, the last of longer ones."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count one more."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds


class Served:
    """Requests of one route and namespace that ended with one outcome.

    ``aged`` is the sum of the ages that their answers had, ``left`` of the seconds for which they were fresh yet.
    """

    __slots__ = ("aged", "classes", "last", "left", "saved", "timing")

    def __init__(self) -> None:
        self.classes = [0] * len(CLASSES)
        self.timing = Timing()
        self.saved = 0.0
        self.aged = 0.0
        self.left = 0.0
        self.last = 0.0

    def count(  # noqa: PLR0913, PLR0917 - as ``add``
        self, status: int, seconds: float, saved: float, now: float, age: float | None, ttl: float | None
    ) -> None:
        """Count one more; what has no age or no time left adds nothing to those sums."""
        self.add(class_index(status), seconds, saved, now, age or 0.0, ttl if ttl is not None and ttl > 0 else 0.0)

    def add(self, place: int, seconds: float, saved: float, now: float, age: float, left: float) -> None:  # noqa: PLR0913, PLR0917 - on the way of every hit: no value is made for it
        """Count one more, of the class at ``place``.

        ``saved`` are the backend's seconds, ``age`` and ``left`` those of what was served, 0 or more.
        """
        self.classes[place] += 1
        timing = self.timing
        timing.counts[0 if seconds <= _SHORTEST else bisect_left(BOUNDS, seconds)] += 1
        timing.total += seconds
        self.saved += saved
        self.last = now
        self.aged += age
        self.left += left


class Kept:
    """Responses of one route and namespace that were stored: how many, their bytes, the sum of their seconds.

    ``steps`` is how often a ttl followed the traffic by each of ``STEPS``.
    """

    __slots__ = ("count", "steps", "stored_bytes", "ttl")

    def __init__(self) -> None:
        self.count = 0
        self.stored_bytes = 0
        self.ttl = 0.0
        self.steps = [0] * len(STEPS)


@dataclass(slots=True)
class StoreState:
    """What the store's last answers said."""

    is_up: bool = True
    refuses: bool = False  # the last response to be saved, as a server does that is full
    breaker_open: bool = False


ANSWERED: Final = frozenset({"", "reply", "cancelled", "bad record", "lost"})
"""Failures of one operation that say nothing against the server: it was there."""

NO_ERROR: Final = frozenset({"", "cancelled"})
"""What no error is counted for: whoever asked may have left, which would wake somebody at night."""


class Counters:
    """An observer that counts. ``wall`` gives wall-clock seconds, for the time of a route's last access."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self.served: dict[tuple[str, str, Outcome], Served] = {}
        self.kept: dict[tuple[str, str], Kept] = {}
        self.upstream: dict[str, list[int]] = {}
        self.upstream_timing = Timing()
        self.upstream_answers: bool | None = None  # whether the last request to the backend was answered at all
        self.operations: dict[str, Timing] = {}
        self.failures: dict[str, int] = {}
        self.store = StoreState()
        self.purges: dict[tuple[str, str], int] = {}
        self.warmed: dict[tuple[str, str], int] = {}
        self.warm_timings: dict[tuple[str, str], Timing] = {}
        self._routes: set[str] = set()

    def tell(self, event: Event) -> None:
        """Count one fact."""
        match event:
            case RequestServed():
                self._request(event)
            case OriginAnswered():
                self._upstream(event)
            case StoreAnswered():
                self._operation(event)
            case ResponseStored():
                self._stored(event)
            case LifetimeAdapted():
                kept = self.kept.setdefault(self.bounded(event.route, event.namespace), Kept())
                kept.steps[STEPS.index(event.step)] += 1
            case Purged(failure=""):
                place = (event.kind, event.mode)
                self.purges[place] = self.purges.get(place, 0) + 1
            case WarmerRan():
                self._warmed(event)
            case BreakerMoved():
                self.store = StoreState(is_up=not event.is_open, breaker_open=event.is_open)
            case _:
                pass  # a task that failed is for the log, a purge that failed is counted as the store's failure

    def row(self, route: str, namespace: str, outcome: Outcome) -> Served:
        """Return where such requests are counted."""
        row = self.served.get((route, namespace, outcome))
        if row is None:
            route, namespace = self.bounded(route, namespace)
            row = self.served.setdefault((route, namespace, outcome), Served())
        return row

    def _request(self, event: RequestServed) -> None:
        row = self.row(event.route, event.namespace, event.outcome)
        row.count(event.status, event.seconds, event.seconds_saved, self._wall(), event.age, event.ttl)

    def _upstream(self, event: OriginAnswered) -> None:
        classes = self.upstream.get(event.route)
        if classes is None:
            classes = self.upstream.setdefault(self.bounded(event.route, "")[0], [0] * len(CLASSES))
        classes[class_index(event.status)] += 1
        self.upstream_timing.add(event.seconds)
        self.upstream_answers = event.status > 0

    def _operation(self, event: StoreAnswered) -> None:
        timing = self.operations.get(event.operation)
        if timing is None:
            timing = self.operations[event.operation] = Timing()
            self.failures[event.operation] = 0
        timing.add(event.seconds)
        if event.failure not in NO_ERROR:
            self.failures[event.operation] += 1
        self.store.is_up = event.failure in ANSWERED
        if event.operation == "save":
            self.store.refuses = event.failure == "reply"

    def _stored(self, event: ResponseStored) -> None:
        kept = self.kept.get((event.route, event.namespace))
        if kept is None:
            kept = self.kept.setdefault(self.bounded(event.route, event.namespace), Kept())
        kept.count += 1
        kept.stored_bytes += event.stored_bytes
        kept.ttl += event.ttl

    def _warmed(self, event: WarmerRan) -> None:
        warmer, _ = self.bounded(event.warmer, "")
        results = dict(event.results)
        if event.error:  # a run that could not be made failed at least once
            results["failed"] = results.get("failed", 0) + 1
        for result, count in results.items():
            self.warmed[warmer, result] = self.warmed.get((warmer, result), 0) + count
        self.warm_timings.setdefault((warmer, event.result), Timing()).add(event.seconds)

    def bounded(self, route: str, namespace: str) -> tuple[str, str]:
        """Return the row for a route and namespace: their own, or ``OVERFLOW`` once there are too many routes."""
        if route not in self._routes:
            if len(self._routes) >= MOST_ROUTES:
                return OVERFLOW, ""
            self._routes.add(route)
        return route, namespace
