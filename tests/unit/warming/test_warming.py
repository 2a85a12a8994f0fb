"""Warming as the service and the admin API see it: orders, jobs, what is told, what is shown."""

from __future__ import annotations

import asyncio
from datetime import UTC

import pytest

from proxy.message.errors import StoreError
from proxy.message.selectors import Seq
from proxy.observe.events import TaskFailed, WarmerRan
from proxy.popularity.own import OwnRanking
from proxy.settings.cron import parse_cron
from proxy.warming.archive import OwnArchive
from proxy.warming.items import ItemPath
from proxy.warming.jobs import MOST_UNDER_WAY
from proxy.warming.turns import OwnTurns
from proxy.warming.warmers import Listed, Popular, Urls, Warmer
from proxy.warming.warming import URLS, BusyError, Order, Warming
from tests.pipeline.rules import PLANS
from tests.pipeline.stage import Says, Stage
from tests.unit.warming.test_candidates import a_gain

FEW = Warmer("few", "a", Urls(("/plans/1", "/plans/2")), UTC)


class Played:
    def __init__(self):
        self.stage = Stage(PLANS)
        self.stage.origin.default = Says()
        self.ranking = OwnRanking(UTC)
        self.archive = OwnArchive()
        hosts = frozenset({b"api.example"})
        self.warming = Warming(self.stage.pipeline, self.ranking, OwnTurns(), self.archive, hosts)

    @property
    def told(self):
        return [(one.warmer, one.trigger, dict(one.results), one.error) for one in self.stage.facts.of(WarmerRan)]

    async def until(self, condition):
        async with asyncio.timeout(5):
            while not condition():  # noqa: ASYNC110  what it brings about has many ends
                await asyncio.sleep(0.001)

    async def done(self, job):
        await self.until(lambda: job.state in {"done", "failed"})
        return job.runs[0]


@pytest.fixture
async def played():
    one = Played()
    yield one
    one.stage.origin.default = Says()
    await one.warming.close()
    await one.warming.close()
    await one.stage.background.drain(0)
    assert one.stage.facts.of(TaskFailed) == []


async def test_an_order_is_a_job_whose_runs_are_told_and_kept(played):
    job = played.warming.order(Order((FEW,), urls=("/plans/7",)))
    assert (job.state, [run.warmer for run in job.runs]) == ("pending", ["few", URLS])
    await played.done(job)
    await played.until(lambda: len(played.told) == 2)
    assert sorted(played.told) == [(URLS, "order", {"warmed": 1}, ""), ("few", "order", {"warmed": 2}, "")]
    played.warming.use((FEW,))
    shown = await played.warming.document()
    assert shown["warmers"]["few"]["total_items_warmed"] == 2
    assert shown["jobs"][0]["id"] == job.id
    assert (await played.warming.totals())["total_items_warmed"] == 2


async def test_an_orders_limit_beats_the_warmers(played):
    run = await played.done(played.warming.order(Order((FEW,), limit=1)))
    assert (run.total, [one.target for one in played.stage.origin.heard]) == (1, [b"/plans/1"])


async def test_a_url_that_nobody_may_ask_for_is_refused_at_once(played):
    with pytest.raises(ValueError, match="one client's own"):
        played.warming.order(Order(urls=("/mine",)))
    assert (await played.warming.document())["jobs"] == []


async def test_too_many_orders_are_refused(played):
    gate = asyncio.Event()
    played.stage.origin.default = Says(gate=gate)
    for _ in range(MOST_UNDER_WAY):
        played.warming.order(Order((FEW,)))
    with pytest.raises(BusyError, match="jobs are under way"):
        played.warming.order(Order((FEW,)))
    gate.set()


async def test_one_warmer_runs_once_at_a_time(played):
    gate = asyncio.Event()
    played.stage.origin.default = Says(gate=gate)
    jobs = [played.warming.order(Order((FEW,))) for _ in range(2)]
    await played.stage.heard(2)
    assert [job.runs[0].state for job in jobs] == ["running", "pending"]
    gate.set()
    for job in jobs:
        await played.done(job)
    assert [dict(job.runs[0].counts) for job in jobs] == [{"warmed": 2}, {"fresh": 2}]


async def test_a_run_that_cannot_be_made_says_why(played):
    listed = Warmer("listed", "b", Listed("/guarded", ItemPath.parse("[]")), UTC, route="plan")
    played.stage.says(500)
    run = await played.done(played.warming.order(Order((listed,))))
    assert (run.state, run.error) == ("failed", "the list was answered with 500")
    assert played.told == [("listed", "order", {}, "the list was answered with 500")]


async def test_without_a_store_it_says_so_and_no_more(played):
    async def fails(most):
        raise StoreError("redis://:hunter2@cache timed out")

    played.ranking.most_read = fails
    run = await played.done(played.warming.order(Order((Warmer("p", "c", Popular(), UTC),))))
    assert (run.state, run.error) == ("failed", "the store is not available")


async def test_while_the_archive_is_away_runs_go_on_and_nothing_is_shown_of_the_last(played):
    async def fails(*arguments, **more):
        raise StoreError("away")

    played.archive.note = played.archive.of = fails
    played.warming.use((FEW,))
    run = await played.done(played.warming.order(Order((FEW,))))
    assert run.state == "done"
    assert (await played.warming.document())["warmers"]["few"]["last_run"] is None


async def test_what_nobody_expected_is_told_and_the_run_failed(played):
    def breaks(most):
        raise RuntimeError("a bug")

    played.ranking.most_read = breaks
    run = await played.done(played.warming.order(Order((Warmer("p", "c", Popular(), UTC),))))
    assert run.error == "an error that nobody expected; the log has it"
    (failure,) = played.stage.facts.of(TaskFailed)
    assert isinstance(failure.error, RuntimeError)
    played.stage.facts.told.remove(failure)


async def test_at_the_end_what_was_begun_is_broken_off_and_told(played):
    played.stage.origin.default = Says(gate=asyncio.Event())
    job = played.warming.order(Order((FEW,)))
    await played.stage.heard(2)
    await played.warming.close()
    assert (job.state, job.runs[0].error.split(":")[0]) == ("failed", "broken off")
    assert played.told[0][3].startswith("broken off")


async def test_a_start_and_the_next_run_are_known(played):
    both = Warmer("both", "d", Urls(("/plans/1",)), UTC, on_startup=True, crons=(parse_cron("0 0 * * *"),))
    played.warming.start((both,))
    await played.until(lambda: played.told)
    assert played.told == [("both", "startup", {"warmed": 1}, "")]
    assert (await played.warming.document())["warmers"]["both"]["next_run"] == "2023-11-15T00:00:00Z"


async def test_a_purge_warms_what_it_hit_and_one_that_hits_nothing_is_no_run(played):
    after = Warmer("after", "e", Popular(), UTC, on_purge=True)
    await played.ranking.add([a_gain("/plans/1", tags=("tag:plans",))], played.stage.clock())
    played.warming.heard(["tag:plans"], Seq("e", 1))  # nobody wants to know yet
    played.warming.start((after,))
    played.warming.heard(["tag:plans"], Seq("e", 10**7))
    played.warming.heard(["tag:nothing"], Seq("e", 10**8))
    rounds, gathering = played.warming._rounds, played.warming._purges
    await played.until(lambda: not (gathering._open or rounds._waiting or rounds._under_way))
    assert played.told == [("after", "purge", {"warmed": 1}, "")]
    assert [job["trigger"] for job in (await played.warming.document())["jobs"]] == ["purge"]
