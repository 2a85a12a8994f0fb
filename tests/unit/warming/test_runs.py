"""A run: how many at once, how long, and what came of it."""

from __future__ import annotations

import asyncio

import pytest

from proxy.message.errors import OriginError
from proxy.popularity.recipes import Recipe
from proxy.warming import runs
from proxy.warming.asking import Asked, Result
from proxy.warming.courtesy import Courtesy
from proxy.warming.pace import Pace
from proxy.warming.requests import Bounds, request_for
from proxy.warming.runs import MOST_DIGESTS, MOST_REASONS, Crew, Run
from proxy.warming.runs import Bounds as Limits
from tests.pipeline.rules import PLANS
from tests.pipeline.stage import Says, Stage


@pytest.fixture
def stage():
    return Stage(PLANS)


def crew(stage):
    return Crew(stage.pipeline, Pace(), Courtesy(stage.origin, lambda: asyncio.get_running_loop().time()))


def requests(stage, count):
    recipes = [
        Recipe(b"/plans/%d" % number, b"api.example", b"http", stage.request().headers.without({b"host"}))
        for number in range(count)
    ]
    return [request_for(recipe, Bounds(stage.parts.book)) for recipe in recipes]


async def carried_out(stage, count, *, concurrency=8, deadline=20.0, on=None):
    run = Run("w", "order")
    await (on or crew(stage)).carry_out(run, requests(stage, count), Limits(concurrency, deadline))
    return run


async def test_every_item_has_a_result(stage):
    stage.origin.default = Says()
    run = await carried_out(stage, 20)
    assert (run.total, run.done, run.counts[Result.WARMED]) == (20, 20, 20)
    assert len(run.digests) == 20
    assert (await carried_out(stage, 25)).counts == {Result.WARMED: 5, Result.FRESH: 20}
    assert (await carried_out(stage, 0)).done == 0


async def test_no_more_at_once_than_is_wanted(stage):
    gate = asyncio.Event()
    stage.origin.default = Says(gate=gate)
    work = asyncio.create_task(carried_out(stage, 10, concurrency=2))
    await stage.heard(2)
    await stage.settled()
    assert stage.origin.in_flight == 2
    gate.set()
    await work
    assert stage.origin.most_in_flight == 2


async def test_no_more_at_once_than_the_backend_bears(stage, monkeypatch):
    monkeypatch.setattr(runs, "LOOKS_EVERY", 0)  # at every turn of the loop
    gate = asyncio.Event()
    stage.origin.default = Says(gate=gate)
    on = crew(stage)
    for _ in range(9):
        on.pace.failed()
    on.pace.took(0.1)
    work = asyncio.create_task(carried_out(stage, 10, on=on))
    await stage.heard(2)
    await stage.settled()
    assert stage.origin.in_flight == 2
    gate.set()
    await work


async def test_while_live_traffic_waits_nothing_is_asked(stage, monkeypatch):
    monkeypatch.setattr(runs, "LOOKS_EVERY", 0)  # at every turn of the loop
    stage.origin.default = Says()
    stage.origin.waiting = 1
    work = asyncio.create_task(carried_out(stage, 3))
    await stage.settled()
    assert stage.origin.heard == []
    stage.origin.waiting = 0
    assert (await work).counts == {Result.WARMED: 3}


async def test_the_deadline_ends_it_and_says_so(stage):
    stage.origin.default = Says(gate=asyncio.Event())
    on = crew(stage)
    run = await carried_out(stage, 5, deadline=0.05, on=on)
    assert (run.counts, run.reasons) == ({Result.SKIPPED: 5}, {"deadline": 5})
    assert on.courtesy.under_way == 0
    await stage.background.drain(0)


async def test_a_backend_that_fails_is_left_alone(stage):
    stage.origin.default = Says(error=OriginError("reset", 502))
    on = crew(stage)
    run = await carried_out(stage, 50, deadline=0.4, concurrency=4, on=on)
    assert run.counts[Result.FAILED] <= 4  # those that were under way when the first of them failed
    assert run.reasons["deadline"] >= 46
    assert on.pace.rest > 0


def test_reasons_and_digests_are_bounded():
    run = Run("w", "order")
    for number in range(2000):
        run.count(Asked(Result.FAILED, f"status-{number}", digest=f"{number}"))
    assert (len(run.reasons), len(run.digests), run.done) == (MOST_REASONS, MOST_DIGESTS, 2000)


def test_as_data():
    run = Run("w", "schedule", "done", total=2, began=0.0, ended=1.25, read_since=0.5)
    run.count(Asked(Result.WARMED))
    run.count(Asked(Result.FAILED, "status-500"))
    assert run.as_dict() == {
        "warmer": "w", "trigger": "schedule", "state": "done", "total": 2,
        "warmed": 1, "fresh": 0, "failed": 1, "skipped": 0, "reasons": {"status-500": 1},
        "began": "1970-01-01T00:00:00Z", "ended": "1970-01-01T00:00:01Z", "seconds": 1.25,
        "read_since_last": 0.5, "error": "",
    }  # fmt: skip
    assert Run("w", "order").as_dict()["began"] is None
