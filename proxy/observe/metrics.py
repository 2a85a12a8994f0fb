"""The counters as Prometheus metrics, made at scrape time.

Every service object has its own registry: two of them in one process do not meet. Labels never hold a path, a key or
a user.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from proxy.observe.counters import BOUNDS, CLASSES, STEPS, Counters, Timing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from prometheus_client import Metric

    from proxy.observe.gauges import Gauges

_LE = (*(str(bound) for bound in BOUNDS), "+Inf")


class Metrics:
    """Renders the metrics of one service; ``gauges`` is asked at each scrape and must not wait."""

    def __init__(self, counters: Counters, gauges: Callable[[], Gauges]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_ServiceCollector(counters, gauges))

    def render(self) -> tuple[bytes, str]:
        """Return the text exposition and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST


class _ServiceCollector(Collector):
    def __init__(self, counters: Counters, gauges: Callable[[], Gauges]) -> None:
        self._counters = counters
        self._gauges = gauges

    def describe(self) -> Iterable[Metric]:
        # Registering must not ask for gauges: the service may still be building what they are read from.
        return []

    def collect(self) -> Iterator[Metric]:
        gauges = self._gauges()
        yield from _requests(self._counters)
        yield from _adapted(self._counters)
        yield from _upstream(self._counters, gauges)
        yield from _store(self._counters)
        yield from _memory(gauges)
        yield from _purges(self._counters, gauges)
        yield from _warming(self._counters)
        yield from _config(gauges)
        yield from _workers(gauges)


def _requests(counters: Counters) -> Iterator[Metric]:
    # The namespace is no label: rows of one route under several namespaces (after a reload) are added up.
    codes: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    timings: dict[tuple[str, str], Timing] = {}
    saved: defaultdict[str, float] = defaultdict(float)
    for (route, _, outcome), row in counters.served.items():
        for name, count in zip(CLASSES, row.classes, strict=True):
            if count:
                codes[route, outcome.value, name] += count
        timing = timings.setdefault((route, outcome.value), Timing())
        timing.counts = [a + b for a, b in zip(timing.counts, row.timing.counts, strict=True)]
        timing.total += row.timing.total
        saved[route] += row.saved

    requests = CounterMetricFamily("sapwood_requests", "Requests answered.", labels=("route", "outcome", "code"))
    for labels, count in codes.items():
        requests.add_metric(labels, count)
    yield requests

    seconds = HistogramMetricFamily(
        "sapwood_request_seconds", "From the parsed head to the last byte sent.", labels=("route", "outcome")
    )
    for pair, timing in timings.items():
        _add_timing(seconds, pair, timing)
    yield seconds

    spared = CounterMetricFamily(
        "sapwood_upstream_seconds_saved", "What the backend took for answers that were used again.", labels=("route",)
    )
    for route, total in saved.items():
        spared.add_metric((route,), total)
    yield spared


def _adapted(counters: Counters) -> Iterator[Metric]:
    steps: defaultdict[tuple[str, str], int] = defaultdict(int)
    for (route, _), kept in counters.kept.items():
        for name, count in zip(STEPS, kept.steps, strict=True):
            if count:
                steps[route, name] += count
    if not steps:
        return
    family = CounterMetricFamily(
        "sapwood_adaptive_ttl", "Responses kept under a ttl that follows the traffic.", labels=("route", "step")
    )
    for labels, count in steps.items():
        family.add_metric(labels, count)
    yield family


def _upstream(counters: Counters, gauges: Gauges) -> Iterator[Metric]:
    requests = CounterMetricFamily(
        "sapwood_upstream_requests", "Requests to the backend; code none: no answer.", labels=("route", "code")
    )
    for route, classes in counters.upstream.items():
        for name, count in zip(CLASSES, classes, strict=True):
            if count:
                requests.add_metric((route, name), count)
    yield requests
    seconds = HistogramMetricFamily("sapwood_upstream_seconds", "To the end of the backend's response head.", labels=())
    _add_timing(seconds, (), counters.upstream_timing)
    yield seconds
    yield GaugeMetricFamily(
        "sapwood_upstream_in_flight", "Requests that the backend is at work on.", value=gauges.upstream_in_flight
    )


def _store(counters: Counters) -> Iterator[Metric]:
    seconds = HistogramMetricFamily("sapwood_store_seconds", "Store operations.", labels=("operation",))
    errors = CounterMetricFamily("sapwood_store_errors", "Store operations that failed.", labels=("operation",))
    for operation, timing in counters.operations.items():
        _add_timing(seconds, (operation,), timing)
        errors.add_metric((operation,), counters.failures[operation])
    yield seconds
    yield errors
    yield GaugeMetricFamily("sapwood_store_up", "Whether the store's last answer was one.", value=counters.store.is_up)
    yield GaugeMetricFamily(
        "sapwood_breaker_open", "Whether the store is being left alone.", value=counters.store.breaker_open
    )


def _memory(gauges: Gauges) -> Iterator[Metric]:
    yield GaugeMetricFamily("sapwood_memory_bytes", "Size of the hot tier.", value=gauges.memory_bytes)
    yield GaugeMetricFamily("sapwood_memory_entries", "Entries in the hot tier.", value=gauges.memory_entries)
    yield CounterMetricFamily(
        "sapwood_memory_evictions", "Entries that made room for others.", value=gauges.memory_evictions
    )


def _purges(counters: Counters, gauges: Gauges) -> Iterator[Metric]:
    purges = CounterMetricFamily("sapwood_purges", "Purges acknowledged by the ledger.", labels=("kind", "mode"))
    for labels, count in counters.purges.items():
        purges.add_metric(labels, count)
    yield purges
    if gauges.purge_looks is not None:
        looks = CounterMetricFamily(
            "sapwood_purge_mirror_looks", "How the purge mirror was brought up to date.", labels=("result",)
        )
        for result, count in gauges.purge_looks.items():
            looks.add_metric((result,), count)
        yield looks
    yield from _known("sapwood_purge_mirror_lag_seconds", "Age of the purge mirror.", gauges.purge_mirror_lag)
    yield from _known("sapwood_purge_selectors", "Selectors that the ledger remembers.", gauges.purge_selectors)


def _warming(counters: Counters) -> Iterator[Metric]:
    items = CounterMetricFamily("sapwood_warm", "Items of warmers' runs.", labels=("warmer", "result"))
    for labels, count in counters.warmed.items():
        items.add_metric(labels, count)
    yield items
    seconds = HistogramMetricFamily(
        "sapwood_warm_seconds", "Runs of warmers, by the worst that came of one.", labels=("warmer", "result")
    )
    for labels, timing in counters.warm_timings.items():
        _add_timing(seconds, labels, timing)
    yield seconds


def _config(gauges: Gauges) -> Iterator[Metric]:
    yield from _known(
        "sapwood_redis_memory_ratio", "Share of its memory limit that Redis uses.", gauges.redis_memory_ratio
    )
    if gauges.redis_evictions is not None:
        yield CounterMetricFamily(
            "sapwood_redis_evictions", "Keys that Redis dropped for want of memory.", value=gauges.redis_evictions
        )
    yield GaugeMetricFamily(
        "sapwood_config_reload_ok", "Whether the last reload was taken.", value=gauges.config_reload_ok
    )
    info = GaugeMetricFamily("sapwood_config_info", "The running configuration.", labels=("hash",))
    info.add_metric((gauges.config_hash,), 1)
    yield info


def _workers(gauges: Gauges) -> Iterator[Metric]:
    if gauges.workers_up is not None:
        yield GaugeMetricFamily("sapwood_workers_up", "Worker processes that are listening.", value=gauges.workers_up)
        yield CounterMetricFamily(
            "sapwood_worker_restarts", "Worker processes that took a dead one's place.", value=gauges.worker_restarts
        )


def _known(name: str, text: str, value: float | None) -> Iterator[Metric]:
    if value is not None:
        yield GaugeMetricFamily(name, text, value=value)


def _add_timing(family: HistogramMetricFamily, labels: Sequence[str], timing: Timing) -> None:
    so_far = 0
    buckets: list[tuple[str, float]] = []
    for bound, count in zip(_LE, timing.counts, strict=True):
        so_far += count
        buckets.append((bound, so_far))
    family.add_metric(labels, buckets, timing.total)
