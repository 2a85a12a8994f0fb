"""Three replicas and one schedule: each run once; where its runner dies another one does what is left."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from clocks import Clock
from servers import until
from warmers import counts, runs, sidecars

from proxy.service import house, keeping
from proxy.warming.turns import SharedTurns, Turn
from proxy.warming.warming import Warming

HELD = 0.5
MIDNIGHT = 1_800_000_000 // 86400 * 86400.0
URLS = ", ".join(f"/plans/{number}" for number in range(20))
WARM = f'  - {{name: plans, schedule: "*/30 * * * *", source: {{urls: [{URLS}]}}, concurrency: 2, deadline: 20s}}'


class CountingTurns(SharedTurns):
    """Turns that say how often a turn was given, or left to who had it."""

    given = 0

    async def take(self, digest, due):
        turn = await super().take(digest, due)
        CountingTurns.given += turn is Turn.MINE
        return turn


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets; turns that end soon, so that nobody waits half a minute for a dead one."""
    monkeypatch.setattr(CountingTurns, "given", 0)
    monkeypatch.setattr(keeping, "SharedTurns", partial(CountingTurns, held=HELD))
    monkeypatch.setattr(house, "Warming", partial(Warming, held=HELD, retry=0.05))
    return Clock(MIDNIGHT + 60.0)


def look(services):
    for service in services:
        service.house.warming._rounds._changed.set()


async def all_have_looked(services):
    """Wait for a whole look of each: when the second one begins, the first has ended."""
    for _ in range(2):
        look(services)
        await until(lambda: not any(service.house.warming._rounds._changed.is_set() for service in services))


def made(services):
    return [run for service in services for run in runs(service, "schedule")]


async def last_known(service):
    """Return what a replica shows of the warmer once it knows what a run came to: another one's lies in Redis."""
    shown = {"total_items_warmed": 0}
    async with asyncio.timeout(20):
        while not shown["total_items_warmed"]:
            await asyncio.sleep(0.005)
            shown = (await service.house.warming.document())["warmers"]["plans"]
    return shown


async def test_each_run_happens_once(valkey, clock):
    async with sidecars(3, valkey.url, WARM, clock=clock) as (services, asked):
        for due in (1800, 3600, 5400):
            before = len(made(services))
            clock.now = MIDNIGHT + due
            look(services)
            await until(lambda before=before: sum(run.ended is not None for run in made(services)) > before)
            await all_have_looked(services)
            assert len(made(services)) == before + 1
        assert [counts(run) for run in made(services)].count({"warmed": 20}) == 2  # the TTL is an hour
        assert [counts(run) for run in made(services)].count({"fresh": 20}) == 1
        assert sorted(asked.targets) == sorted(f"/plans/{number}" for number in range(20) for _ in range(2))


async def test_where_the_runner_dies_another_one_does_what_is_left(valkey, clock):
    async with sidecars(3, valkey.url, WARM, clock=clock) as (services, asked):
        clock.now = MIDNIGHT + 1800
        asked.gate.clear()
        look(services)
        await until(lambda: asked.in_flight == 2)
        (dying,) = [service for service in services if runs(service, "schedule")]
        for _ in range(5):  # some of it is done
            asked.gate.set()
            await asyncio.sleep(0)
            asked.gate.clear()
        await asked.was_asked(4)
        for task in (*dying.house.warming._tasks._tasks, *dying.house.background._tasks):
            task.cancel()
        asked.gate.set()
        living = [service for service in services if service is not dying]
        await until(lambda: any(run.state == "done" for run in made(living)))
        (run,) = made(living)
        assert counts(run)["fresh"] > 0
        assert counts(run)["fresh"] + counts(run)["warmed"] == 20
        assert set(asked.targets) == {f"/plans/{number}" for number in range(20)}
        await all_have_looked(living)
        assert len(made(living)) == 1


async def test_a_long_run_keeps_its_turn(valkey, clock):
    async with sidecars(2, valkey.url, WARM, clock=clock) as (services, asked):
        clock.now = MIDNIGHT + 1800
        asked.gate.clear()
        look(services)
        await until(lambda: asked.in_flight == 2)
        await until(lambda: CountingTurns.given > 6)  # renewed three times while one turn lasts: twice as long
        assert len(made(services)) == 1
        asked.gate.set()
        await until(lambda: made(services)[0].state == "done")
        assert counts(made(services)[0]) == {"warmed": 20}


async def test_who_was_stopped_for_too_long_breaks_off(valkey, clock):
    async with sidecars(1, valkey.url, WARM, clock=clock) as ((service,), asked):
        clock.now = MIDNIGHT + 1800
        asked.gate.clear()
        look([service])
        await until(lambda: asked.in_flight == 2)
        (warmer,) = service.house.warming.warmers
        key = f"cache:purge:{{warm}}:schedule:{warmer.digest}"
        valkey.command("SET", key, f"{int(clock.now)} anothers-token", "PX", "60000")
        await until(lambda: runs(service)[0].ended is not None)
        assert runs(service)[0].error.startswith("broken off")
        assert valkey.command("GET", key) == b"%d anothers-token" % clock.now


async def test_a_reload_swaps_the_warmers(valkey, clock):
    async with sidecars(1, valkey.url, WARM, clock=clock) as ((service,), asked):
        warming = service.house.warming
        (warmer,) = warming.warmers
        warming.use(())
        clock.now = MIDNIGHT + 1800
        await all_have_looked([service])
        assert asked.targets == []
        warming.use((warmer,))
        clock.now = MIDNIGHT + 3600
        look([service])
        await until(lambda: runs(service) and runs(service)[0].state == "done")
        assert len(asked.targets) == 20


async def test_while_the_store_is_away_a_run_waits(own_valkey, clock):
    async with sidecars(1, own_valkey.url, WARM, clock=clock) as ((service,), _):
        own_valkey.kill()
        clock.now = MIDNIGHT + 1800
        await all_have_looked([service])
        assert runs(service) == []
        own_valkey.start()
        await until(lambda: runs(service) and runs(service)[0].state == "done")
        assert counts(runs(service)[0]) == {"warmed": 20}


async def test_all_replicas_know_what_the_last_run_came_to(valkey, clock):
    async with sidecars(2, valkey.url, WARM, clock=clock) as (services, _):
        clock.now = MIDNIGHT + 1800
        look(services)
        for service in services:
            shown = await last_known(service)
            assert shown["next_run"] == "2027-01-15T01:00:00Z"
            assert (shown["total_items_warmed"], shown["errors"]) == (20, 0)
            assert (shown["last_run"]["state"], shown["last_run"]["warmed"]) == ("done", 20)
        assert int(valkey.command("TTL", "cache:stats:warm:warm:plans")[1:]) > 0
