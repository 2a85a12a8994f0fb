"""One warm request: nothing is fetched that is fresh, and only what a client would now find counts as warmed."""

from __future__ import annotations

import contextlib

import pytest

from proxy.message.errors import MessageError, OriginError, StoreError
from proxy.popularity.recipes import Recipe
from proxy.warming import asking
from proxy.warming.asking import Asked, Result, ask
from proxy.warming.requests import Bounds, request_for
from tests.pipeline.rules import PLANS
from tests.pipeline.stage import Says, Stage


@pytest.fixture
def stage():
    return Stage(PLANS)


class Place:
    """Counts how often the backend was about to be asked."""

    def __init__(self):
        self.taken = 0

    @contextlib.asynccontextmanager
    async def __call__(self):
        self.taken += 1
        yield


@pytest.fixture
def place():
    return Place()


def request(stage, target="/plans/1"):
    recipe = Recipe(target.encode(), b"api.example", b"http", stage.request().headers.without({b"host"}))
    return request_for(recipe, Bounds(stage.parts.book))


async def test_what_is_not_there_is_fetched_and_then_a_hit(stage, place):
    stage.says()
    asked = await ask(stage.pipeline, request(stage), place())
    assert (asked.result, asked.why, asked.is_backend_down) == (Result.WARMED, "", False)
    assert asked.seconds >= 0
    assert (await stage.asks("/plans/1")).outcome == "hit_memory"


async def test_what_is_fresh_is_not_asked_for_and_takes_no_place(stage, place):
    stage.says()
    await stage.asks("/plans/1")
    await stage.at_rest()
    asked = await ask(stage.pipeline, request(stage), place())
    assert (asked.result, asked.seconds, place.taken) == (Result.FRESH, None, 0)
    assert len(asked.digest) == 32


async def test_what_is_stale_is_fetched_whether_or_not_it_may_be_served_meanwhile(stage, place):
    for after in (61, 200):  # within the window, and beyond it
        stage.says()
        await ask(stage.pipeline, request(stage), place())
        stage.passes(after)
        stage.says(body=b"new")
        assert (await ask(stage.pipeline, request(stage), place())).result is Result.WARMED
        assert (await stage.asks("/plans/1")).body == b"new"
        stage.passes(1000)


async def test_what_would_not_last_until_the_next_run_is_fetched_now(stage, place):
    """It lives for a minute."""
    stage.says(body=b"old")
    await ask(stage.pipeline, request(stage), place())
    stage.passes(30)
    assert (await ask(stage.pipeline, request(stage), place(), 30.0)).result is Result.FRESH
    stage.passes(1)
    stage.says(body=b"new")
    assert (await ask(stage.pipeline, request(stage), place(), 30.0)).result is Result.WARMED
    assert (await stage.asks("/plans/1")).body == b"new"
    assert b"cache-control" not in stage.origin.heard[-1].headers


async def test_one_that_could_not_be_fetched_ahead_stays(stage, place):
    stage.says(body=b"old")
    await ask(stage.pipeline, request(stage), place())
    for says in ({"status": 500}, {"error": OriginError("reset", 502)}):
        stage.says(**says)
        assert (await ask(stage.pipeline, request(stage), place(), 70.0)).result is Result.FAILED
    assert (await stage.asks("/plans/1")).body == b"old"


async def test_what_lives_shorter_than_the_runs_lie_apart_is_warmed_all_the_same(stage, place):
    stage.says()
    assert (await ask(stage.pipeline, request(stage), place(), 7200.0)).result is Result.WARMED


async def test_a_purge_makes_it_worth_fetching_again(stage, place):
    for soft in (True, False):
        stage.says()
        await ask(stage.pipeline, request(stage), place())
        await stage.ledger.purge(["tag:plans"], soft=soft, now=stage.clock())
        stage.says()
        assert (await ask(stage.pipeline, request(stage), place())).result is Result.WARMED


@pytest.mark.parametrize(
    ("says", "why", "down"),
    [
        pytest.param({"cache_control": "private"}, "private", False, id="not kept"),
        pytest.param({"set_cookie": "a=b"}, "set-cookie", False, id="somebody's cookie"),
        pytest.param({"status": 404}, "status-404", False, id="gone"),
        pytest.param({"status": 500}, "status-500", True, id="broken"),
        pytest.param({"error": OriginError("reset", 502)}, "status-502", True, id="no answer"),
        pytest.param({"pieces": [b"he", MessageError("it broke off")], "length": 5}, "broke-off", True, id="half"),
        pytest.param({"cache_control": "max-age=0"}, "not-kept", False, id="kept and stale at once"),
    ],
)
async def test_what_has_warmed_nothing_failed(stage, place, says, why, down):
    stage.says(**says)
    asked = await ask(stage.pipeline, request(stage), place())
    assert (asked.result, asked.is_backend_down) == (Result.FAILED, down)
    assert why in {asked.why, "not-kept"}


async def test_a_mark_is_respected(stage, place):
    stage.says(cache_control="private")
    await ask(stage.pipeline, request(stage), place())
    await stage.at_rest()
    assert await ask(stage.pipeline, request(stage), place()) == Asked(Result.SKIPPED, "private")
    stage.passes(121)
    stage.says()
    assert (await ask(stage.pipeline, request(stage), place())).result is Result.WARMED


async def test_what_no_route_takes_any_more_is_skipped(stage, place):
    wanted = request(stage)
    from dataclasses import replace

    stage.parts.book = replace(stage.parts.book, routes=())
    assert await ask(stage.pipeline, wanted, place()) == Asked(Result.SKIPPED, "no-route")


async def test_without_a_store_nothing_is_fetched(stage, place, monkeypatch):
    monkeypatch.setattr(asking, "STORE_REST", 0.0)
    tries = []

    async def fails(*arguments, **more):
        tries.append(1)
        raise StoreError("away")

    stage.store.load = fails
    assert await ask(stage.pipeline, request(stage), place()) == Asked(Result.SKIPPED, "store-unavailable")
    assert (len(tries), place.taken) == (11, 0)


async def test_a_flight_that_a_client_has_begun_is_joined(stage, place):
    import asyncio

    gate = asyncio.Event()
    stage.says(gate=gate)
    client = stage.asking("/plans/1")
    await stage.heard(1)
    warm = asyncio.create_task(ask(stage.pipeline, request(stage), place()))
    await stage.settled()
    gate.set()
    assert (await warm).result is Result.WARMED
    assert (await client).outcome == "miss"
    assert len(stage.origin.heard) == 1


async def test_warming_reads_nothing(stage, place):
    stage.origin.default = Says()
    for _ in range(3):
        await ask(stage.pipeline, request(stage), place())
        stage.passes(61)
    assert stage.parts.popularity.gains(9) == []
