"""Events of every kind that is counted, and counters that were told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.observe.counters import Counters
from proxy.observe.events import (
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
    from proxy.observe.events import Event

ONE_OF_EACH = (
    RequestServed("plan", Outcome.MISS, "GET", "/x", 200, 0.3, 10, "id", "::1", namespace="plans"),
    RequestServed(
        "plan", Outcome.HIT_REDIS, "GET", "/x", 304, 0.25, 10, "id", "::1", ttl=9.0, age=3.0, seconds_saved=0.5
    ),
    OriginAnswered("plan", 200, 0.25),
    StoreAnswered("load", 0.5),
    ResponseStored("plan", "plans", 2048, 300.0),
    LifetimeAdapted("plan", "plans", "hot"),
    Purged("api", "hard", ("tag:a",), "e:1"),
    WarmerRan("plans", "order", {"warmed": 3}, 0.5),
)


def counted(*events: Event, at: float = 1000.0) -> Counters:
    """Return the counters of who was told of these, all at one time."""
    counters = Counters(lambda: at)
    for event in events:
        counters.tell(event)
    return counters
