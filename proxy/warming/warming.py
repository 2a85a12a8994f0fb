"""All of it, as the service and the admin API see it.

It needs the pipeline, a ranking, turns and an archive, and no listener: of several processes that share a store any
one may do it, or each.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from proxy.background import Background
from proxy.message.errors import SapwoodError, StoreError
from proxy.observe.events import TaskFailed, WarmerRan
from proxy.observe.stats import moment
from proxy.warming.candidates import Sources
from proxy.warming.courtesy import Courtesy
from proxy.warming.jobs import MOST_UNDER_WAY, Job, Jobs
from proxy.warming.pace import Pace
from proxy.warming.purges import Gathering
from proxy.warming.read_since import ReadSince
from proxy.warming.requests import MOST_GUISES, served_by
from proxy.warming.rounds import Round, Rounds
from proxy.warming.runs import Bounds, Crew, Run
from proxy.warming.turns import HELD, RETRY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence

    from proxy.message.request import Request
    from proxy.message.selectors import Seq
    from proxy.pipeline.answer import Pipeline
    from proxy.popularity.ranking import Ranking
    from proxy.warming.archive import Archive
    from proxy.warming.turns import Turns
    from proxy.warming.warmers import Warmer

NOTED_EVERY: Final = 2.0
"""Seconds between two notes of a run's progress for the other replicas."""

URLS: Final = "(urls)"
"""The name under which runs of single URLs are counted; no warmer can have it."""

URLS_AT_ONCE: Final = 8
URLS_DEADLINE: Final = 300.0


class BusyError(SapwoodError):
    """So many jobs are under way that one more is refused."""


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants warmed now: warmers by name, and URLs; ``limit`` instead of theirs, for each of them."""

    warmers: tuple[Warmer, ...] = ()
    urls: tuple[str, ...] = ()
    limit: int | None = None


class Warming:
    """Between start and close it runs what is due, and what is asked for."""

    def __init__(  # noqa: PLR0913 - the rooms, and two times by name for tests that do not wait
        self,
        pipeline: Pipeline,
        ranking: Ranking,
        turns: Turns,
        archive: Archive,
        hosts: frozenset[bytes] = frozenset(),
        *,
        held: float = HELD,
        retry: float = RETRY,
    ) -> None:
        parts = self._parts = pipeline.parts
        self._sources = Sources(pipeline, ranking, hosts)
        self._archive = archive
        self._read_since = ReadSince(ranking)
        self._tasks = Background(lambda name, error: parts.observer.tell(TaskFailed(name, error)))
        self._crew = Crew(pipeline, Pace(), Courtesy(parts.origin, lambda: asyncio.get_running_loop().time()))
        self._rounds = Rounds(turns, parts.wall, self._tasks, self._round, held=held, retry=retry)
        self._purges = Gathering(self._rounds.purged)
        self._jobs = Jobs()
        self._locks: dict[str, asyncio.Lock] = {}
        self.warmers: tuple[Warmer, ...] = ()

    def start(self, warmers: Sequence[Warmer]) -> None:
        """Warm what is to be warmed at a start, and watch the clock. Returns at once: readiness waits for nothing."""
        self.warmers = tuple(warmers)
        self._rounds.use(self.warmers, at_start=True)
        self._tasks.start(self._rounds.watch(), name="warming")

    async def close(self) -> None:
        """Stop. What was begun is taken over by another replica. Idempotent."""
        self._purges.close()
        await self._tasks.drain(0)

    def use(self, warmers: Sequence[Warmer]) -> None:
        """Take other warmers; runs that are under way go on as they began."""
        self.warmers = tuple(warmers)
        self._rounds.use(self.warmers)

    def heard(self, selectors: Iterable[str], seq: Seq) -> None:
        """Take note of a purge."""
        if any(warmer.on_purge for warmer in self.warmers):
            self._purges.heard(selectors, seq)

    def order(self, order: Order) -> Job:
        """Begin what somebody wants now. Raises BusyError; ValueError for a URL that nobody but its owner can ask for."""
        for url in order.urls:
            served_by(url, self._parts.book)
        if self._jobs.under_way >= MOST_UNDER_WAY:
            raise BusyError(f"{MOST_UNDER_WAY} jobs are under way already; GET /warm shows them")
        work: list[tuple[Run, Coroutine[None, None, None]]] = []
        for warmer in order.warmers:
            run = Run(warmer.name, "order")
            wanted = partial(self._sources.of, warmer, order.limit or warmer.limit)
            work.append((run, self._make(run, wanted, self._bounds(warmer))))
        if order.urls:
            run = Run(URLS, "order")
            of_urls = partial(self._sources.of_urls, order.urls, order.limit or len(order.urls) * MOST_GUISES)
            work.append((run, self._make(run, of_urls, Bounds(URLS_AT_ONCE, URLS_DEADLINE))))
        job = self._jobs.add(Job("order", self._parts.wall(), tuple(run for run, _ in work)))
        for run, making in work:
            self._tasks.start(making, name=f"warm {run.warmer}")
        return job

    async def document(self) -> dict[str, Any]:
        """Return every warmer with what its last run came to, and the last jobs of this process."""
        try:
            known = await self._archive.of(warmer.name for warmer in self.warmers)
        except StoreError:
            known = {}  # the backplane has told
        return {
            "warmers": {
                warmer.name: {
                    "next_run": self._next_run(warmer),
                    **known.get(warmer.name, {"last_run": None, "total_items_warmed": None, "errors": None}),
                }
                for warmer in self.warmers
            },
            "jobs": self._jobs.shown(),
        }

    async def totals(self) -> dict[str, Any]:
        """Return what statistics show: last runs, items warmed and errors of all warmers together."""
        shown = (await self.document())["warmers"]
        return {
            "total_items_warmed": sum(one["total_items_warmed"] or 0 for one in shown.values()),
            "errors": sum(one["errors"] or 0 for one in shown.values()),
            "last_runs": {name: one["last_run"] for name, one in shown.items()},
        }

    def _next_run(self, warmer: Warmer) -> str | None:
        return moment(warmer.due_after(self._parts.wall())) if warmer.crons else None

    async def _round(self, one: Round) -> None:
        warmer, run = one.warmer, Run(one.warmer.name, one.trigger)
        job = self._jobs.add(Job(one.trigger, self._parts.wall(), (run,)))
        wanted = (
            partial(self._sources.hit_by, warmer, one.hit)
            if one.trigger == "purge"
            else partial(self._sources.of, warmer, warmer.limit)
        )
        await self._make(run, wanted, self._bounds(warmer))
        if one.trigger == "purge" and not run.total and not run.error:
            self._jobs.drop(job)  # it hit nothing of this warmer's

    def _bounds(self, warmer: Warmer) -> Bounds:
        """Return a run's bounds: what it leaves alone has to last until the next one."""
        now = self._parts.wall()
        return Bounds(warmer.concurrency, warmer.deadline, warmer.due_after(now) - now if warmer.crons else 0.0)

    async def _make(self, run: Run, wanted: Callable[[], Awaitable[list[Request]]], bounds: Bounds) -> None:
        """Make one run, one at a time of each warmer, and tell what came of it. Never raises SapwoodError."""
        async with self._locks.setdefault(run.warmer, asyncio.Lock()):
            run.began, run.state = self._parts.wall(), "running"
            began = asyncio.get_running_loop().time()
            try:
                requests = await wanted()
                if not requests and run.trigger == "purge":
                    run.state = "done"
                    return
                run.read_since = await self._read_since.share(run.warmer)
                await self._carried_out(run, requests, bounds)
                await self._read_since.remember(run.warmer, run.digests)
                run.state = "done"
            except StoreError:
                run.state, run.error = "failed", "the store is not available"
            except SapwoodError as error:
                run.state, run.error = "failed", str(error)
            except asyncio.CancelledError:
                run.state, run.error = "failed", "broken off: the sidecar is going, or lost its turn"
                raise
            except BaseException:
                run.state, run.error = "failed", "an error that nobody expected; the log has it"
                raise
            finally:
                run.ended = self._parts.wall()
                if run.total or run.error or run.trigger != "purge":
                    seconds = asyncio.get_running_loop().time() - began
                    results = {result.value: count for result, count in run.counts.items()}
                    self._parts.observer.tell(WarmerRan(run.warmer, run.trigger, results, seconds, run.error))
            await self._note(run, ended=True)

    async def _carried_out(self, run: Run, requests: list[Request], bounds: Bounds) -> None:
        run.total = len(requests)
        noting = self._tasks.start(self._note_again_and_again(run), name=f"note {run.warmer}")
        try:
            await self._crew.carry_out(run, requests, bounds)
        finally:
            noting.cancel()

    async def _note_again_and_again(self, run: Run) -> None:
        while True:
            await self._note(run, ended=False)
            await asyncio.sleep(NOTED_EVERY)

    async def _note(self, run: Run, *, ended: bool) -> None:
        with contextlib.suppress(StoreError):  # the backplane has told; only others do not know of it
            await self._archive.note(run, ended=ended)
