"""The counters of several processes, added up.

How to think about it: a ``Counters`` becomes a snapshot, which travels as JSON, and a ``Counters`` again at the end of
its way. What only grows is added up; what is a state is as bad as the worst of them. The sum is a ``Counters`` itself,
so that whoever reads one (``metrics``, ``stats``) need not know of how many it is made.
"""

from __future__ import annotations

from operator import add as plus
from typing import TYPE_CHECKING, Any, Final

from proxy.observe.counters import CLASSES, Counters, Kept, Served, StoreState, Timing
from proxy.observe.gauges import Gauges
from proxy.observe.snapshots import Snapshot, counters_of, empty, snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


def _largest(values: Sequence[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _first(values: Sequence[Any]) -> Any:
    return next((value for value in values if value), values[0] if values else None)


def _by_name(values: Sequence[Mapping[str, int] | None]) -> dict[str, int] | None:
    known = [value for value in values if value is not None]
    names = dict.fromkeys(name for value in known for name in value)
    return {name: sum(value.get(name, 0) for value in known) for name in names} if known else None


GAUGES: Final[Mapping[str, Callable[[Sequence[Any]], Any]]] = {
    "upstream_in_flight": sum,
    "memory_bytes": sum,
    "memory_entries": sum,
    "memory_evictions": sum,
    "purge_mirror_lag": _largest,
    "purge_selectors": _largest,  # mirrors of one ledger
    "purge_looks": _by_name,
    "redis_memory_ratio": _largest,  # one Redis, asked by the leader alone
    "redis_evictions": _largest,
    "config_reload_ok": all,
    "config_hash": _first,  # the leader's
    "workers_up": _largest,  # as above
    "worker_restarts": sum,
}
"""How each gauge of several processes is made one."""


def total(parts: Iterable[Counters]) -> Counters:
    """Return the sum of several. Those it is made of are left as they are."""
    whole = empty()
    for part in parts:
        _add_served(whole, part)
        _add_upstream(whole, part)
        _add_store(whole, part)
        _add_warming(whole, part)
    return whole


def add(one: Snapshot, other: Snapshot) -> Snapshot:
    """Return the sum of two snapshots. Raises ValueError as ``counters_of`` does."""
    return snapshot(total((counters_of(one), counters_of(other))))


def ended(part: Counters) -> Counters:
    """Return what remains of a process that is no more: what it has counted, not what it thought of the world."""
    rest = total((part,))
    rest.upstream_answers, rest.store = None, StoreState()
    return rest


def sum_of_gauges(parts: Sequence[Gauges]) -> Gauges:
    """Return the gauges of several processes of one sidecar as those of the sidecar."""
    return Gauges(**{name: how([getattr(part, name) for part in parts]) for name, how in GAUGES.items()})


def ended_gauges(part: Gauges) -> Gauges:
    """Return what remains of a process that is no more: what only grows."""
    return Gauges(memory_evictions=part.memory_evictions, purge_looks=part.purge_looks)


def become(target: Counters, whole: Counters) -> None:
    """Let ``target``, which others hold, read like ``whole``, which nobody else may hold."""
    vars(target).update({name: value for name, value in vars(whole).items() if not name.startswith("_")})


def _add_served(whole: Counters, part: Counters) -> None:
    for (route, namespace, outcome), row in part.served.items():
        sum_of = whole.served.setdefault((*whole.bounded(route, namespace), outcome), Served())
        sum_of.classes = _sums(sum_of.classes, row.classes)
        _add_timing(sum_of.timing, row.timing)
        sum_of.saved += row.saved
        sum_of.aged += row.aged
        sum_of.left += row.left
        sum_of.last = max(sum_of.last, row.last)
    for place, kept in part.kept.items():
        kept_in_all = whole.kept.setdefault(whole.bounded(*place), Kept())
        kept_in_all.count += kept.count
        kept_in_all.stored_bytes += kept.stored_bytes
        kept_in_all.ttl += kept.ttl
        kept_in_all.steps = _sums(kept_in_all.steps, kept.steps)


def _add_upstream(whole: Counters, part: Counters) -> None:
    for route, classes in part.upstream.items():
        name = whole.bounded(route, "")[0]
        whole.upstream[name] = _sums(whole.upstream.get(name, [0] * len(CLASSES)), classes)
    _add_timing(whole.upstream_timing, part.upstream_timing)
    if part.upstream_answers is not None:
        whole.upstream_answers = part.upstream_answers and whole.upstream_answers is not False


def _add_store(whole: Counters, part: Counters) -> None:
    for name, timing in part.operations.items():
        _add_timing(whole.operations.setdefault(name, Timing()), timing)
        whole.failures[name] = whole.failures.get(name, 0) + part.failures[name]
    whole.store = StoreState(
        is_up=whole.store.is_up and part.store.is_up,
        refuses=whole.store.refuses or part.store.refuses,
        breaker_open=whole.store.breaker_open or part.store.breaker_open,
    )
    for place, count in part.purges.items():
        whole.purges[place] = whole.purges.get(place, 0) + count


def _add_warming(whole: Counters, part: Counters) -> None:
    for (warmer, result), count in part.warmed.items():
        place = (whole.bounded(warmer, "")[0], result)
        whole.warmed[place] = whole.warmed.get(place, 0) + count
    for (warmer, result), timing in part.warm_timings.items():
        _add_timing(whole.warm_timings.setdefault((whole.bounded(warmer, "")[0], result), Timing()), timing)


def _add_timing(sum_of: Timing, timing: Timing) -> None:
    sum_of.counts = _sums(sum_of.counts, timing.counts)
    sum_of.total += timing.total


def _sums(one: Sequence[int], other: Sequence[int]) -> list[int]:
    return list(map(plus, one, other))
