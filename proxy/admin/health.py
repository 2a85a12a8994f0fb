"""What is healthy: facts that the service gathers, and one rule over them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# TreeBeard's alert for a GET from its cache; slower than that, the store takes more than it gives.
SLOW_STORE: float = 0.010


class Status(StrEnum):
    """Healthy: all is well. Degraded: answers come, at a cost. Unhealthy: clients see errors."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class HealthFacts:
    """``store_latency`` is of a sign of life just now, in seconds, None if there was none.

    ``upstream_answers`` says whether the backend answered the last request at all, None before the first one.
    ``hit_rate`` is in percent, ``workers_down`` a number of processes. ``store_refuses``: the last response to be saved was refused, as by a full server.
    """

    ready: bool
    store_kind: str
    store_latency: float | None
    breaker_open: bool
    upstream_answers: bool | None
    config_reload_ok: bool
    hit_rate: float
    enabled: bool = True
    store_refuses: bool = False
    workers_down: int = 0

    @property
    def store_is_up(self) -> bool:
        """Whether the store is asked, and answers."""
        return self.store_latency is not None and not self.breaker_open


def troubles(facts: HealthFacts) -> list[tuple[Status, str]]:
    """Return what is wrong, each with the status that it alone would mean."""
    found: list[tuple[Status, str]] = []
    if not facts.ready:
        found.append((Status.UNHEALTHY, "not accepting traffic"))
    if facts.upstream_answers is False:
        # What is stored can still be served, unless that is out of reach as well.
        status = Status.DEGRADED if facts.store_is_up else Status.UNHEALTHY
        found.append((status, "the backend did not answer the last request"))
    if facts.breaker_open:
        found.append((Status.DEGRADED, "the store is left alone after repeated failures"))
    elif facts.store_latency is None:
        found.append((Status.DEGRADED, "the store does not answer"))
    elif facts.store_latency > SLOW_STORE:
        found.append((Status.DEGRADED, f"the store took {facts.store_latency * 1000:.1f} ms to answer"))
    if facts.store_refuses:
        found.append((Status.DEGRADED, "the store refuses what is to be stored: is it full?"))
    if facts.workers_down:
        what = "1 worker is" if facts.workers_down == 1 else f"{facts.workers_down} workers are"
        found.append((Status.DEGRADED, f"{what} being started again"))
    if not facts.config_reload_ok:
        found.append((Status.DEGRADED, "the last reload was refused, the configuration before it is running"))
    return found


def document(facts: HealthFacts) -> dict[str, Any]:
    """Return the body of ``GET /health``."""
    found = troubles(facts)
    statuses = {status for status, _ in found}
    worst = next((status for status in (Status.UNHEALTHY, Status.DEGRADED) if status in statuses), Status.HEALTHY)
    fine = "all is well" if facts.enabled else "all is well; caching is turned off"
    upstream = {True: "up", False: "down", None: "unknown"}[facts.upstream_answers]
    return {
        "status": worst.value,
        "healthy": worst is not Status.UNHEALTHY,
        "latency_ms": None if facts.store_latency is None else round(facts.store_latency * 1000, 3),
        "hit_rate": facts.hit_rate,
        "store": {
            "kind": facts.store_kind,
            "status": "up" if facts.store_is_up else "down",
            "breaker": "open" if facts.breaker_open else "closed",
        },
        "upstream": {"status": upstream},
        "enabled": facts.enabled,
        "message": "; ".join(message for _, message in found) or fine,
    }
