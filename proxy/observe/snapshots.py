"""Counters as plain data, on their way to another process and back.

A snapshot may come out of a Redis that others write to, or from another version: what is not exactly one is refused.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

from proxy.observe.checks import amount_of, count_of, flag_of, name_of
from proxy.observe.counters import BOUNDS, CLASSES, STEPS, Counters, Kept, Served, StoreState, Timing
from proxy.observe.events import Outcome

MOST_ROWS: Final = 20_000  # of one kind; a thousand routes with nine outcomes and a second namespace each

_STATES: Final = tuple(field.name for field in fields(StoreState))

Snapshot = dict[str, Any]


def snapshot(counters: Counters) -> Snapshot:
    """Return a copy of all counters as lists, numbers and names that JSON can carry."""
    return {
        "served": [
            [*place, outcome.value, list(row.classes), list(row.timing.counts), row.timing.total, *_sums_of(row)]
            for (*place, outcome), row in counters.served.items()
        ],
        "kept": [
            [*place, row.count, row.stored_bytes, row.ttl, list(row.steps)] for place, row in counters.kept.items()
        ],
        "upstream": [[route, list(classes)] for route, classes in counters.upstream.items()],
        "upstream_timing": [list(counters.upstream_timing.counts), counters.upstream_timing.total],
        "upstream_answers": counters.upstream_answers,
        "operations": [
            [name, list(timing.counts), timing.total, counters.failures[name]]
            for name, timing in counters.operations.items()
        ],
        "store": [getattr(counters.store, name) for name in _STATES],
        "purges": [[*place, count] for place, count in counters.purges.items()],
        "warmed": [[*place, count] for place, count in counters.warmed.items()],
        "warm_timings": [
            [*place, list(timing.counts), timing.total] for place, timing in counters.warm_timings.items()
        ],
    }


def counters_of(document: Any) -> Counters:
    """Return what a snapshot says. Raises ValueError for what is none, or one of another version."""
    try:
        return _read(document)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not a snapshot of counters: {type(error).__name__}") from error


def empty() -> Counters:
    """Return counters that nobody tells of events, so that they never ask for the time."""
    return Counters(lambda: 0.0)


def _read(document: Any) -> Counters:
    counters = empty()
    for route, namespace, outcome, classes, counts, seconds, *sums in _rows(document["served"]):
        row = Served()
        row.classes, row.timing = _counts(classes, len(CLASSES)), _timing(counts, seconds)
        row.saved, row.last, row.aged, row.left = map(amount_of, _exactly(sums, 4))
        counters.served[(*counters.bounded(name_of(route), name_of(namespace)), Outcome(outcome))] = row
    for route, namespace, count, stored_bytes, ttl, steps in _rows(document["kept"]):
        kept = Kept()
        kept.count, kept.stored_bytes, kept.ttl = count_of(count), count_of(stored_bytes), amount_of(ttl)
        kept.steps = _counts(steps, len(STEPS))
        counters.kept[counters.bounded(name_of(route), name_of(namespace))] = kept
    for route, classes in _rows(document["upstream"]):
        counters.upstream[counters.bounded(name_of(route), "")[0]] = _counts(classes, len(CLASSES))
    counters.upstream_timing = _timing(*document["upstream_timing"])
    answers = document["upstream_answers"]
    counters.upstream_answers = None if answers is None else flag_of(answers)
    for operation, counts, seconds, failures in _rows(document["operations"]):
        counters.operations[name_of(operation)] = _timing(counts, seconds)
        counters.failures[operation] = count_of(failures)
    counters.store = StoreState(*map(flag_of, _exactly(document["store"], len(_STATES))))
    for kind, mode, count in _rows(document["purges"]):
        counters.purges[name_of(kind), name_of(mode)] = count_of(count)
    for warmer, result, count in _rows(document["warmed"]):
        counters.warmed[counters.bounded(name_of(warmer), "")[0], name_of(result)] = count_of(count)
    for warmer, result, counts, seconds in _rows(document["warm_timings"]):
        place = (counters.bounded(name_of(warmer), "")[0], name_of(result))
        counters.warm_timings[place] = _timing(counts, seconds)
    return counters


def _sums_of(row: Served) -> tuple[float, float, float, float]:
    return row.saved, row.last, row.aged, row.left


def _rows(value: Any) -> list[Any]:
    if not isinstance(value, list) or len(value) > MOST_ROWS:
        raise ValueError(f"expected at most {MOST_ROWS} rows")
    return value


def _exactly(value: Any, length: int) -> list[Any]:
    if not isinstance(value, list) or len(value) != length:
        raise ValueError(f"expected {length} values")
    return value


def _timing(counts: Any, seconds: Any) -> Timing:
    timing = Timing()
    timing.counts, timing.total = _counts(counts, len(BOUNDS) + 1), amount_of(seconds)
    return timing


def _counts(value: Any, length: int) -> list[int]:
    return [count_of(number) for number in _exactly(value, length)]
