"""The rooms of one sidecar, built from settings; nothing here is started yet."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from functools import partial
from select import PIPE_BUF
from typing import TYPE_CHECKING

from proxy.background import Background
from proxy.fetch.flights import Flights
from proxy.fetch.pool import Pool
from proxy.fetch.spool import Budget
from proxy.observe.cloudwatch import Exporter
from proxy.observe.counters import Counters
from proxy.observe.emf import EmfSender
from proxy.observe.events import TaskFailed
from proxy.observe.linewriter import LineWriter
from proxy.observe.logs import Logs
from proxy.observe.observers import Fanout
from proxy.observe.putting import PutSender
from proxy.observe.recent import RecentPurges
from proxy.observe.repeats import Repeats
from proxy.observe.stats import Stats
from proxy.pipeline.answer import Pipeline
from proxy.pipeline.parts import Parts, PipelineOptions
from proxy.pipeline.probe import Probe
from proxy.pipeline.timing import Timed, Waits
from proxy.popularity.merging import Merging
from proxy.popularity.tallying import Tallying
from proxy.service.keeping import kept_by
from proxy.service.redisfacts import asked
from proxy.service.sharing import SharedStats
from proxy.settings.trial import forwarding_of
from proxy.store.memory import MemoryStore
from proxy.store.tiered import TieredStore
from proxy.warming.schedule import Schedule
from proxy.warming.warming import Warming

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from proxy.backplane.client import Backplane
    from proxy.observe.events import Observer
    from proxy.popularity.own import OwnRanking
    from proxy.popularity.shared import SharedRanking
    from proxy.purge.local import LocalLedger
    from proxy.purge.shared import SharedLedger
    from proxy.service.keeping import Keeping
    from proxy.settings import Settings
    from proxy.store.redis import RedisStore


@dataclass(frozen=True, slots=True)
class House:
    """Everything that one sidecar is made of, but for its listeners. ``backplane`` is None for ``memory://``."""

    background: Background
    counters: Counters
    stats: Stats
    purges_seen: RecentPurges
    sharing: SharedStats
    exporter: Exporter | None
    writer: LineWriter
    logs: Logs
    observer: Observer
    backplane: Backplane | None
    ledger: LocalLedger | SharedLedger
    store: MemoryStore | RedisStore | TieredStore
    origin: Pool
    parts: Parts
    schedule: Schedule
    pipeline: Pipeline
    timed: Timed
    ranking: OwnRanking | SharedRanking
    merging: Merging
    warming: Warming
    tallying: Tallying


def build(  # noqa: PLR0913 - two of them by name
    settings: Settings,
    store_url: str | None,
    wall: Callable[[], float],
    watch: Observer | None = None,
    *,
    own: Counters | None = None,
    is_worker: bool = False,
) -> House:
    """Build a sidecar. ``store_url`` replaces the configured one where it was ``embedded://``.

    Of a sidecar with several processes: ``own`` are the counters of the leader's own doing, where the house's are those
    of all processes added up. ``is_worker``: what there is once in a sidecar is not to be done here.
    """
    counters, purges_seen = Counters(wall), RecentPurges(wall)
    is_one_of_many = is_worker or own is not None
    writer = LineWriter(sys.stdout.buffer, settings.log.waiting, most_at_once=PIPE_BUF if is_one_of_many else None)
    logs = Logs(settings.log, writer)
    observer = _observed_by(_observers(settings, own or counters, purges_seen, logs, watch))
    background = Background(lambda name, error: observer.tell(TaskFailed(name, error)))
    kept = kept_by(settings, store_url, wall, observer)
    origin = Pool(settings.origin)
    parts = _parts(settings, kept, origin, background, observer, wall)
    repeats = Repeats(own or counters, logs, watch)
    pipeline = Pipeline(parts, probe_of(parts, repeats), repeats)
    warming = Warming(pipeline, kept.ranking, kept.turns, kept.archive, settings.front.hosts or frozenset())
    if not is_worker:
        kept.ledger.listen(warming.heard)
    stats = Stats(counters, wall)
    return House(
        background=background,
        counters=counters,
        purges_seen=purges_seen,
        stats=stats,
        sharing=SharedStats(None if is_worker else kept.backplane, settings.service, stats, observer, wall),
        exporter=None if is_worker else _exporter(settings, counters, kept.backplane, writer, observer, wall),
        writer=writer,
        logs=logs,
        observer=observer,
        backplane=kept.backplane,
        ledger=kept.ledger,
        store=kept.store,
        origin=origin,
        parts=parts,
        schedule=Schedule(parts, kept.turns, settings.scheduled),
        pipeline=pipeline,
        timed=Timed(pipeline, settings.admin.token),
        ranking=kept.ranking,
        merging=Merging(parts.popularity, kept.ranking, observer, wall),
        warming=warming,
        tallying=Tallying(parts.popularity, parts.windows, lambda: parts.book, observer, wall),
    )


def _observers(
    settings: Settings, counters: Counters, purges_seen: RecentPurges, logs: Logs, watch: Observer | None
) -> Iterator[Observer]:
    """Yield who counts, who remembers and who logs what happens."""
    yield from (counters, purges_seen, logs)
    if settings.admin.token is not None:  # without a token nobody can ask how long things took
        yield Waits()
    if watch is not None:
        yield watch


def _observed_by(observers: Iterable[Observer]) -> Observer:
    """Return one observer for all; what one of them breaks is told to the others."""
    fanout = Fanout(tuple(observers), lambda name, error: fanout.tell(TaskFailed(name, error)))
    return fanout


def _parts(  # noqa: PLR0913, PLR0917 - one of each room
    settings: Settings,
    kept: Keeping,
    origin: Pool,
    background: Background,
    observer: Observer,
    wall: Callable[[], float],
) -> Parts:
    """Return what the way of a request needs."""
    return Parts(
        book=settings.book,
        forwarding=forwarding_of(settings),
        store=kept.store,
        ledger=kept.ledger,
        origin=origin,
        flights=Flights(background, waiters=settings.flights.waiters),
        budget=Budget(settings.flights.collecting),
        background=background,
        observer=observer,
        wall=wall,
        options=pipeline_options(settings),
        windows=kept.windows,
    )


def probe_of(parts: Parts, repeats: Repeats) -> Probe | None:
    """Return what says which answers may be given again; None without a hot tier."""
    match parts.store:
        case TieredStore() as store:
            return Probe(parts, store.memory, store.trusted_until, repeats)
        case MemoryStore() as store:
            return Probe(parts, store, lambda: math.inf, repeats)
        case _:
            return None


def _exporter(  # noqa: PLR0913, PLR0917 - who counts, who is asked, who writes, who is told
    settings: Settings,
    counters: Counters,
    backplane: Backplane | None,
    writer: LineWriter,
    observer: Observer,
    wall: Callable[[], float],
) -> Exporter | None:
    """Return who hands metrics to CloudWatch, where that is wanted. Raises ExportError without what it takes."""
    options = settings.cloudwatch
    if options is None:
        return None
    sender = PutSender(options) if options.mode == "put" else EmfSender(options, writer)
    return Exporter(sender, options.interval, counters, partial(asked, backplane), observer, wall)


def pipeline_options(settings: Settings) -> PipelineOptions:
    """Return the bounds of a request's way."""
    return PipelineOptions(
        max_body=settings.store.max_body,
        variants=settings.variants,
        tags=settings.tags,
        upstream_timeout=settings.origin.timeout,
        purge_wait=settings.purge.wait_at_most,
        refresh_at_once=settings.purge.refresh_at_once,
    )
