"""The rooms of one sidecar, built from settings; nothing here is started yet."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
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
from proxy.popularity.own import OwnRanking
from proxy.popularity.shared import SharedRanking
from proxy.popularity.sharedwindows import SharedWindows
from proxy.popularity.tallying import Tallying
from proxy.popularity.windows import OwnWindows
from proxy.purge.local import LocalLedger
from proxy.purge.shared import SharedLedger
from proxy.service.redisfacts import asked
from proxy.service.sharing import SharedStats
from proxy.settings.trial import forwarding_of
from proxy.store.memory import MemoryStore
from proxy.store.tiered import TieredStore
from proxy.warming.archive import OwnArchive, SharedArchive
from proxy.warming.schedule import Schedule
from proxy.warming.turns import OwnTurns, SharedTurns
from proxy.warming.warming import Warming

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxy.backplane.client import Backplane
    from proxy.observe.events import Observer
    from proxy.settings import Settings
    from proxy.store.redis import RedisStore
    from proxy.warming.turns import Turns


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
    writer = LineWriter(sys.stdout.buffer, most_at_once=PIPE_BUF if is_one_of_many else None)
    logs = Logs(settings.log, writer)
    waits = [] if settings.admin.token is None else [Waits()]  # without a token nobody can ask
    observer = _observed_by([own or counters, purges_seen, logs, *waits, *([] if watch is None else [watch])])
    background = Background(lambda name, error: observer.tell(TaskFailed(name, error)))
    backplane, ledger, store = _stored(settings, store_url, wall, observer)
    origin = Pool(settings.origin)
    parts = Parts(
        book=settings.book,
        forwarding=forwarding_of(settings),
        store=store,
        ledger=ledger,
        origin=origin,
        flights=Flights(background, waiters=settings.flights.waiters),
        budget=Budget(settings.flights.collecting),
        background=background,
        observer=observer,
        wall=wall,
        options=pipeline_options(settings),
        windows=OwnWindows() if backplane is None else SharedWindows(backplane, settings.service),
    )
    ranking, turns, pipeline = (
        _ranking(settings, backplane),
        _turns(settings, backplane),
        _pipeline(parts, own or counters, logs, watch),
    )
    archive = OwnArchive() if backplane is None else SharedArchive(backplane, settings.service)
    warming = Warming(pipeline, ranking, turns, archive, settings.front.hosts or frozenset())
    if not is_worker:
        ledger.listen(warming.heard)
    stats = Stats(counters, wall)
    return House(
        background=background,
        counters=counters,
        purges_seen=purges_seen,
        stats=stats,
        sharing=SharedStats(None if is_worker else backplane, settings.service, stats, observer, wall),
        exporter=None if is_worker else _exporter(settings, counters, backplane, writer, observer, wall),
        writer=writer,
        logs=logs,
        observer=observer,
        backplane=backplane,
        ledger=ledger,
        store=store,
        origin=origin,
        parts=parts,
        schedule=Schedule(parts, turns, settings.scheduled),
        pipeline=pipeline,
        timed=Timed(pipeline, settings.admin.token),
        ranking=ranking,
        merging=Merging(parts.popularity, ranking, observer, wall),
        warming=warming,
        tallying=Tallying(parts.popularity, parts.windows, lambda: parts.book, observer, wall),
    )


def _observed_by(observers: Sequence[Observer]) -> Observer:
    """Return one observer for all; what one of them breaks is told to the others."""
    fanout = Fanout(tuple(observers), lambda name, error: fanout.tell(TaskFailed(name, error)))
    return fanout


def _stored(
    settings: Settings, store_url: str | None, wall: Callable[[], float], observer: Observer
) -> tuple[Backplane | None, LocalLedger | SharedLedger, MemoryStore | RedisStore | TieredStore]:
    """Return where things are kept: in this process, in Redis behind one backplane, or in both."""
    if settings.backplane is None:
        local = LocalLedger(settings.purge)
        return None, local, MemoryStore(local, settings.store, now=wall)
    from proxy.backplane.client import Backplane  # noqa: PLC0415 - redis takes its time, and is not always needed
    from proxy.store.redis import RedisStore  # noqa: PLC0415 - as above

    backplane = Backplane(replace(settings.backplane, url=store_url or settings.backplane.url), observer)
    trusted = settings.store.max_lag if settings.store.memory_size else 0.0
    shared = SharedLedger(backplane, settings.service, settings.purge, observer, max_lag=trusted)
    redis = RedisStore(backplane, shared, settings.store)
    if not settings.store.memory_size:
        return backplane, shared, redis
    memory = MemoryStore(shared, settings.store, now=wall)
    said = settings.store
    return backplane, shared, TieredStore(memory, redis, shared, said.max_lag, said.on_store_failure)


def _pipeline(parts: Parts, counters: Counters, logs: Logs, watch: Observer | None) -> Pipeline:
    return Pipeline(parts, probe_of(parts, Repeats(counters, logs, watch)))


def probe_of(parts: Parts, repeats: Repeats) -> Probe | None:
    """Return what says which answers may be given again; None without a hot tier."""
    match parts.store:
        case TieredStore() as store:
            return Probe(parts, store.memory, store.trusted, repeats)
        case MemoryStore() as store:
            return Probe(parts, store, parts.ledger.known, repeats)
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


def _turns(settings: Settings, backplane: Backplane | None) -> Turns:
    return OwnTurns() if backplane is None else SharedTurns(backplane, settings.service)


def _ranking(settings: Settings, backplane: Backplane | None) -> OwnRanking | SharedRanking:
    return OwnRanking(settings.zone) if backplane is None else SharedRanking(backplane, settings.service, settings.zone)


def pipeline_options(settings: Settings) -> PipelineOptions:
    """Return the bounds of a request's way."""
    return PipelineOptions(
        max_body=settings.store.max_body,
        variants=settings.variants,
        tags=settings.tags,
        upstream_timeout=settings.origin.timeout,
        purge_wait=settings.purge.wait_at_most,
    )
