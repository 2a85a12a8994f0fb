"""The counters as the admin API's totals and rates; the names of the totals are those that TreeBeard's tools read."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from proxy.observe.advice import Advice, advise
from proxy.observe.events import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.observe.counters import Counters


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


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over some routes and outcomes."""

    hits: int = 0
    stale: int = 0
    revalidated: int = 0
    misses: int = 0
    collapsed: int = 0
    bypass: int = 0
    refused: int = 0
    errors: int = 0
    stored: int = 0
    stored_bytes: int = 0
    stored_ttl: float = 0.0
    seconds_saved: float = 0.0
    hit_age: float = 0.0
    hit_left: float = 0.0

    def __add__(self, other: Totals) -> Totals:
        return Totals(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(Totals)))

    def __sub__(self, other: Totals) -> Totals:
        return Totals(*(getattr(self, field.name) - getattr(other, field.name) for field in fields(Totals)))

    @property
    def answered_from_cache(self) -> int:
        """Requests for which a stored response was used."""
        return self.hits + self.stale + self.revalidated

    @property
    def asked_the_backend(self) -> int:
        """Requests that a cached route could not answer from what was stored."""
        return self.misses + self.collapsed

    @property
    def requests(self) -> int:
        """All requests."""
        return self.answered_from_cache + self.asked_the_backend + self.bypass + self.refused + self.errors

    @property
    def hit_rate(self) -> float:
        """Percent of the requests that a cache could answer; what passes by is apart."""
        return percent(self.answered_from_cache, self.answered_from_cache + self.asked_the_backend)


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

_NONE_YET = Totals()

Place = tuple[str, str]  # route, namespace


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

    def _since_reset(self) -> dict[Place, Totals]:
        now = totals_by_place(self._counters)
        return {place: totals - self._before.get(place, _NONE_YET) for place, totals in now.items()}

    @property
    def hit_rate(self) -> float:
        """Percent, two digits."""
        return sum(self._since_reset().values(), _NONE_YET).hit_rate

    def document(self, *, enabled: bool, redis: RedisFacts | None = None) -> dict[str, Any]:
        """Return the body of ``GET /stats``; what only Redis knows is null without it."""
        places = self._since_reset()
        total = sum(places.values(), _NONE_YET)
        return {
            "total_requests": total.requests,
            "cache_hits": total.answered_from_cache,
            "cache_misses": total.asked_the_backend,
            "errors": total.errors,
            "hit_rate": total.hit_rate,
            "miss_rate": percent(total.asked_the_backend, total.answered_from_cache + total.asked_the_backend),
            "error_rate": percent(total.errors, total.requests),
            "last_reset": moment(self._reset_at),
            "redis_keyspace_hits": redis and redis.keyspace_hits,
            "redis_keyspace_misses": redis and redis.keyspace_misses,
            "connected_clients": redis and redis.connected_clients,
            "used_memory_human": redis and human_size(redis.used_memory),
            "redis_memory_ratio": redis and redis.memory_ratio,
            "enabled": enabled,
            "hits": total.hits,
            "stale": total.stale,
            "revalidated": total.revalidated,
            "collapsed": total.collapsed,
            "bypass": total.bypass,
            "refused": total.refused,
            "stored_bytes": total.stored_bytes,
            "seconds_saved": round(total.seconds_saved, 3),
            "routes": self._table(places, 0),
            "namespaces": self._table(places, 1),
        }

    def _table(self, places: dict[Place, Totals], part: int) -> dict[str, Any]:
        sums: dict[str, Totals] = {}
        last: dict[str, float] = {}
        for place, totals in places.items():
            if place[part]:
                sums[place[part]] = sums.get(place[part], _NONE_YET) + totals
        for (route, namespace, _), row in self._counters.served.items():
            name = (route, namespace)[part]
            last[name] = max(last.get(name, 0.0), row.last)
        watched = self._wall() - self._reset_at
        return {name: _line(totals, last.get(name, 0.0), watched) for name, totals in sorted(sums.items())}


def totals_by_place(counters: Counters) -> dict[Place, Totals]:
    """Return what was counted since the process began, for each route and namespace."""
    sums: dict[Place, Totals] = {}
    for (route, namespace, outcome), row in counters.served.items():
        field = _FIELD_OF[outcome]
        age, left = (row.aged, row.left) if field == "hits" else (0.0, 0.0)
        line = Totals(**{field: sum(row.classes)}, seconds_saved=row.saved, hit_age=age, hit_left=left)
        sums[route, namespace] = sums.get((route, namespace), _NONE_YET) + line
    for place, kept in counters.kept.items():
        line = Totals(stored=kept.count, stored_bytes=kept.stored_bytes, stored_ttl=kept.ttl)
        sums[place] = sums.get(place, _NONE_YET) + line
    return sums


def _advice(totals: Totals, watched: float) -> Advice:
    return advise(
        hits=totals.hits,
        refetched=totals.stale + totals.revalidated + totals.misses,
        mean_age=totals.hit_age / totals.hits if totals.hits else 0.0,
        mean_lifetime=(totals.hit_age + totals.hit_left) / totals.hits if totals.hits else 0.0,
        watched=watched,
    )


def _line(totals: Totals, last: float, watched: float) -> dict[str, Any]:
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
        "stored_bytes": totals.stored_bytes,
        "avg_ttl": round(totals.stored_ttl / totals.stored, 2) if totals.stored else None,
        "avg_age_at_hit": round(totals.hit_age / totals.hits, 2) if totals.hits else None,
        "ttl_advice": asdict(_advice(totals, watched)),
        "last_accessed": moment(last) if last else None,
        "seconds_saved": round(totals.seconds_saved, 3),
    }


def percent(part: int, whole: int) -> float:
    """Return a percentage with two digits, 0.0 of nothing."""
    return round(100 * part / whole, 2) if whole else 0.0


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
