"""Purges by the clock: three replicas on one real Valkey, and a clock that the test sets."""

from __future__ import annotations

import asyncio
from datetime import UTC
from types import SimpleNamespace

import pytest
from clocks import Clock
from servers import Told

from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.message.errors import StoreError
from proxy.observe.events import Purged
from proxy.policy.rules import RuleBook, WriteRule
from proxy.purge.local import LocalLedger
from proxy.purge.options import PurgeOptions
from proxy.purge.shared import SharedLedger
from proxy.settings.cron import parse_cron
from proxy.warming.schedule import LATE, LONGEST_SLEEP, RESTART, Schedule, ScheduledPurge
from proxy.warming.turns import HELD, REMEMBERED, RETRY, OwnTurns, SharedTurns

SERVICE = "by-the-clock"
MIDNIGHT = 1_800_000_000 // 86400 * 86400.0
HOURLY = ScheduledPurge((parse_cron("0 * * * *"),), UTC, WriteRule((), patterns=("plans:*",), soft=True), "a" * 32)
KEY = f"cache:purge:{{{SERVICE}}}:schedule:{HOURLY.digest}"


class Replica:
    """A schedule with its own ledger and its own connection to what all share."""

    def __init__(self, clock, url=None, purges=(HOURLY,), held=HELD) -> None:
        self.told = Told()
        self.backplane = None if url is None else Backplane(BackplaneOptions(url, timeout=0.5), self.told)
        if self.backplane is None:
            self.ledger, self.turns = LocalLedger(), OwnTurns()
        else:
            self.ledger = SharedLedger(self.backplane, SERVICE, PurgeOptions(), self.told)
            self.turns = SharedTurns(self.backplane, SERVICE, held)
        self.parts = SimpleNamespace(ledger=self.ledger, book=RuleBook("s"), observer=self.told, wall=clock)
        self.schedule = Schedule(self.parts, self.turns, purges)

    @property
    def purges(self):
        return self.told.of(Purged)

    async def close(self):
        await self.schedule.close()
        await self.ledger.close()
        if self.backplane is not None:
            await self.backplane.close()


@pytest.fixture
def clock():
    return Clock(MIDNIGHT + 1800)


@pytest.fixture
async def replicas(valkey, clock):
    made = [Replica(clock, valkey.url) for _ in range(3)]
    for replica in made:
        await replica.ledger.start()
    yield made
    for replica in made:
        await replica.close()


async def look(replicas):
    return await asyncio.gather(*(replica.schedule.run_due() for replica in replicas))


def run(replicas):
    return [purge for replica in replicas for purge in replica.purges]


async def test_nothing_is_done_before_it_is_due(replicas, clock):
    assert await look(replicas) == [LONGEST_SLEEP] * 3
    clock.now = MIDNIGHT + 3599.5
    assert await look(replicas) == [0.5] * 3
    assert run(replicas) == []


async def test_what_is_due_is_purged_once_by_all_of_them_together(replicas, clock, valkey):
    for hour in (1, 2, 3):
        clock.now = MIDNIGHT + hour * 3600
        for _ in range(3):
            await look(replicas)
        purges = run(replicas)
        assert len(purges) == hour
        assert (purges[-1].kind, purges[-1].mode, purges[-1].selectors) == ("schedule", "soft", ("pattern:plans:*",))
        assert all(purge.seq for purge in purges)
        assert valkey.command("GET", KEY) == b"%d done" % clock.now


async def test_the_key_has_a_time_of_its_own_from_its_first_moment(replicas, clock, valkey):
    await replicas[0].turns.take(HOURLY.digest, int(clock.now))
    assert 0 < int(valkey.command("PTTL", KEY)[1:]) <= HELD * 1000
    await replicas[0].turns.finish(HOURLY.digest, int(clock.now))
    assert HELD * 1000 < int(valkey.command("PTTL", KEY)[1:]) <= REMEMBERED * 1000


async def test_replicas_whose_clocks_differ_still_purge_once(replicas, clock):
    late = Clock(clock.now)
    replicas[2].parts.wall = late
    clock.now = MIDNIGHT + 3600
    await look(replicas)
    clock.now, late.now = MIDNIGHT + 3900, MIDNIGHT + 3600
    await look(replicas)
    assert len(run(replicas)) == 1


async def test_a_run_whose_process_died_is_taken_over(valkey, clock):
    dies, lives = Replica(clock, valkey.url, held=0.05), Replica(clock, valkey.url, held=0.05)
    clock.now = MIDNIGHT + 3600
    await dies.turns.take(HOURLY.digest, int(clock.now))  # and is never heard of again
    await dies.close()
    assert await lives.schedule.run_due() == RETRY
    assert lives.purges == []
    while valkey.command("EXISTS", KEY) == b":1":  # noqa: ASYNC110  the server's own clock ends it
        await asyncio.sleep(0.005)
    clock.now += RETRY
    await lives.schedule.run_due()
    assert len(lives.purges) == 1
    await lives.close()


async def test_a_process_that_comes_back_finds_its_own_turn_still_its_own(replicas, clock):
    clock.now = MIDNIGHT + 3600
    await replicas[0].turns.take(HOURLY.digest, int(clock.now))
    await look(replicas)
    assert [len(replica.purges) for replica in replicas] == [1, 0, 0]


async def test_while_the_store_is_away_the_turn_waits(own_valkey, clock):
    replica = Replica(clock, own_valkey.url)
    own_valkey.kill()
    clock.now = MIDNIGHT + 3600
    assert await replica.schedule.run_due() == RETRY
    assert replica.purges == []
    own_valkey.start()
    async with asyncio.timeout(20):
        while not replica.purges:
            clock.now += 1
            await replica.schedule.run_due()
            await asyncio.sleep(0.01)
    assert len(replica.purges) == 1
    assert clock.now < MIDNIGHT + 3600 + LATE
    await replica.close()


async def test_what_is_too_late_is_left_to_the_next_time(clock):
    replica = Replica(clock)
    clock.now = MIDNIGHT + 3600 + LATE + 1
    await replica.schedule.run_due()
    assert replica.purges == []
    clock.now = MIDNIGHT + 7200 + LATE - 1
    await replica.schedule.run_due()
    assert len(replica.purges) == 1


async def test_of_several_due_times_that_have_passed_the_last_stands_for_all(clock):
    minutely = ScheduledPurge((parse_cron("* * * * *"),), UTC, WriteRule((), everything=True), "b" * 32)
    replica = Replica(clock, purges=(minutely,))
    clock.now += 300
    assert await replica.schedule.run_due() == 60.0
    assert [purge.selectors for purge in replica.purges] == [("all",)]


@pytest.mark.parametrize(("down_for", "purges"), [(RESTART - 1, 1), (RESTART + 1, 0)])
async def test_one_that_starts_looks_back_as_far_as_a_restart_takes(clock, down_for, purges):
    clock.now = MIDNIGHT + 3600 + down_for
    replica = Replica(clock)
    await replica.schedule.run_due()
    assert len(replica.purges) == purges


async def test_a_reload_keeps_what_was_done_and_begins_what_is_new_from_now_on(clock):
    new = ScheduledPurge((parse_cron("0 * * * *"),), UTC, WriteRule((), everything=True), "c" * 32)
    replica = Replica(clock)
    clock.now = MIDNIGHT + 3600
    await replica.schedule.run_due()
    clock.now += 30
    replica.schedule.use((HOURLY, new))
    await replica.schedule.run_due()
    assert len(replica.purges) == 1
    clock.now = MIDNIGHT + 7200
    await replica.schedule.run_due()
    assert len(replica.purges) == 3


async def test_between_start_and_close_it_looks_by_itself(clock):
    replica = Replica(clock)
    purged = asyncio.Event()
    replica.told.tell = lambda event: purged.set()
    clock.now = MIDNIGHT + 3600
    replica.schedule.start()
    await asyncio.wait_for(purged.wait(), 5)
    await replica.schedule.close()
    await replica.schedule.close()


async def test_a_reload_wakes_it(clock):
    replica = Replica(clock, purges=())
    purged = asyncio.Event()
    replica.told.tell = lambda event: purged.set()
    replica.schedule.start()
    await asyncio.sleep(0)  # it has looked, and sleeps for a minute
    replica.schedule.use((HOURLY,))
    await asyncio.sleep(0)
    clock.now = MIDNIGHT + 3600
    replica.schedule.use((HOURLY,))
    await asyncio.wait_for(purged.wait(), 5)
    await replica.schedule.close()


async def test_a_purge_that_the_ledger_keeps_is_told_and_not_asked_for_twice(clock):
    replica = Replica(clock)

    async def refuses(*arguments, **more):
        raise StoreError("away")

    replica.parts.ledger = SimpleNamespace(purge=refuses)
    clock.now = MIDNIGHT + 3600
    assert await replica.schedule.run_due() == RETRY
    await replica.schedule.run_due()
    assert [(purge.seq, purge.failure) for purge in replica.purges] == [("", "away")]
