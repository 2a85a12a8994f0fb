"""The counters as the admin API's totals and rates; the names of the totals are those that TreeBeard's tools read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from proxy.observe.advice import Advice, advise
from proxy.observe.counters import STEPS
from proxy.observe.events import Outcome
from proxy.observe.shares import Counted, Share, together
from proxy.observe.totals import NONE_YET, Totals, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxy.observe.counters import Counters
    from proxy.observe.shares import Place


@dataclass(frozen=True, slots=True)
class RedisFacts:
    """What Redis says of itself in INFO; memory in bytes, ``maxmemory`` 0 where it has no limit."""

    keyspace_hits: int
    keyspace_misses: int
    connected_clients: int
    used_memory: int
    maxmemory: int = 0
    evicted_keys: int = 0

    @property
    def memory_ratio(self) -> float | None:
        """The share of its limit that is used, None without a limit."""
        return self.used_memory / self.maxmemory if self.maxmemory else None


_FIELD_OF = {
    Outcome.HIT_MEMORY: "hits",
    Outcome.HIT_REDIS: "hits",
    Outcome.STALE: "stale",
    Outcome.REVALIDATED: "revalidated",
    Outcome.MISS: "misses",
    Outcome.COLLAPSED: "collapsed",
    Outcome.BYPASS: "bypass",
    Outcome.REFUSED: "refused",
    Outcome.ERROR: "errors",
}


class Stats:
    """What was counted since the last reset. ``wall`` gives wall-clock seconds."""

    def __init__(self, counters: Counters, wall: Callable[[], float]) -> None:
        self._counters = counters
        self._wall = wall
        self._before: dict[Place, Totals] = {}
        self._reset_at = wall()

    def reset(self) -> None:
        """Begin again at zero; the metrics go on."""
        self._before = totals_by_place(self._counters)
        self._reset_at = self._wall()

    def share(self) -> Share:
        """Return what was counted here since the last reset."""
        last: dict[Place, float] = {}
        for (route, namespace, _), row in self._counters.served.items():
            last[route, namespace] = max(last.get((route, namespace), 0.0), row.last)
        return Share(
            self._reset_at,
            {
                place: Counted(totals - self._before.get(place, NONE_YET), last.get(place, 0.0))
                for place, totals in totals_by_place(self._counters).items()
            },
        )

    @property
    def hit_rate(self) -> float:
        """Percent, two digits."""
        return self.share().total.hit_rate

    def document(
        self, *, enabled: bool, redis: RedisFacts | None = None, others: Sequence[Share] = ()
    ) -> dict[str, Any]:
        """Return the body of ``GET /stats``: with all ``others``, and under ``replica`` without them.

        What only Redis knows is null without it.
        """
        own, now = self.share(), self._wall()
        return {
            **numbers(together((own, *others)), now),
            "redis_keyspace_hits": redis and redis.keyspace_hits,
            "redis_keyspace_misses": redis and redis.keyspace_misses,
            "connected_clients": redis and redis.connected_clients,
            "used_memory_human": redis and human_size(redis.used_memory),
            "redis_memory_ratio": redis and redis.memory_ratio,
            "enabled": enabled,
            "replica": numbers(own, now),
        }


def numbers(share: Share, now: float) -> dict[str, Any]:
    """Return totals, rates, and a line for each route and each namespace."""
    total, watched = share.total, now - share.since
    return {
        "total_requests": total.requests,
        "cache_hits": total.answered_from_cache,
        "cache_misses": total.asked_the_backend,
        "errors": total.errors,
        "hit_rate": total.hit_rate,
        "miss_rate": percent(total.asked_the_backend, total.answered_from_cache + total.asked_the_backend),
        "error_rate": percent(total.errors, total.requests),
        "last_reset": moment(share.since),
        "hits": total.hits,
        "stale": total.stale,
        "revalidated": total.revalidated,
        "collapsed": total.collapsed,
        "bypass": total.bypass,
        "refused": total.refused,
        "stored_bytes": total.stored_bytes,
        "seconds_saved": round(total.seconds_saved, 3),
        "routes": {name: _line(counted, watched) for name, counted in share.by(0).items()},
        "namespaces": {name: _line(counted, watched) for name, counted in share.by(1).items()},
    }


def totals_by_place(counters: Counters) -> dict[Place, Totals]:
    """Return what was counted since the process began, for each route and namespace."""
    sums: dict[Place, Totals] = {}
    for (route, namespace, outcome), row in counters.served.items():
        field = _FIELD_OF[outcome]
        age, left = (row.aged, row.left) if field == "hits" else (0.0, 0.0)
        line = Totals(**{field: sum(row.classes)}, seconds_saved=row.saved, hit_age=age, hit_left=left)
        sums[route, namespace] = sums.get((route, namespace), NONE_YET) + line
    for place, kept in counters.kept.items():
        steps = {f"ttl_{step}": count for step, count in zip(STEPS, kept.steps, strict=True)}
        line = Totals(stored=kept.count, stored_bytes=kept.stored_bytes, stored_ttl=kept.ttl, **steps)
        sums[place] = sums.get(place, NONE_YET) + line
    return sums


def _advice(totals: Totals, watched: float) -> Advice:
    return advise(
        hits=totals.hits,
        refetched=totals.stale + totals.revalidated + totals.misses,
        mean_age=totals.hit_age / totals.hits if totals.hits else 0.0,
        mean_lifetime=(totals.hit_age + totals.hit_left) / totals.hits if totals.hits else 0.0,
        watched=watched,
    )


def _line(counted: Counted, watched: float) -> dict[str, Any]:
    totals = counted.totals
    return {
        "requests": totals.requests,
        "hits": totals.hits,
        "misses": totals.misses,
        "stale": totals.stale,
        "revalidated": totals.revalidated,
        "collapsed": totals.collapsed,
        "bypass": totals.bypass,
        "errors": totals.errors,
        "hit_rate": totals.hit_rate,
        "miss_rate": percent(totals.asked_the_backend, totals.answered_from_cache + totals.asked_the_backend),
        "stored_bytes": totals.stored_bytes,
        "avg_ttl": round(totals.stored_ttl / totals.stored, 2) if totals.stored else None,
        "ttl_steps": {"base": totals.ttl_base, "hot": totals.ttl_hot, "cold": totals.ttl_cold},
        "avg_age_at_hit": round(totals.hit_age / totals.hits, 2) if totals.hits else None,
        "ttl_advice": asdict(_advice(totals, watched)),
        "last_accessed": moment(counted.last) if counted.last else None,
        "seconds_saved": round(totals.seconds_saved, 3),
    }


def moment(seconds: float) -> str:
    """Return a wall-clock time as RFC 3339 text in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def human_size(octets: int) -> str:
    """Return bytes as Redis writes them: ``1.50M``."""
    size = float(octets)
    for unit in "BKMG":
        if size < 1024:  # noqa: PLR2004 - binary units
            return f"{size:.2f}{unit}" if unit != "B" else f"{octets}B"
        size /= 1024
    return f"{size:.2f}T"
