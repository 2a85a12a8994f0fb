"""Statistics of several replicas on one real server: added up, kept for a day, reset for all, lost by nothing."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from clocks import Clock

from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.message.errors import StoreError
from proxy.observe.counters import Counters
from proxy.observe.events import Outcome, RequestServed
from proxy.observe.shares import Letter, Share, packed
from proxy.observe.stats import Stats, moment
from proxy.service import sharing
from proxy.service.sharing import KEPT, LIVES, MOST, Others, SharedStats, counted

NOON = 1_790_000_000.0


class Replica:
    """What a process has of this: counters, statistics, and their share in Redis."""

    def __init__(self, backplane, told, clock):
        self.counters = Counters(clock)
        self.stats = Stats(self.counters, clock)
        self.shared = SharedStats(backplane, "unit", self.stats, told, clock)

    def hit(self, times=1):
        for _ in range(times):
            self.counters.tell(RequestServed("plan", Outcome.HIT_REDIS, "GET", "/", 200, 0.1, 1, "i", "c"))

    async def hits(self):
        """How many hits it shows of all replicas, and of itself."""
        others = await self.shared.others()
        document = self.stats.document(enabled=True, others=others.shares)
        return document["cache_hits"], document["replica"]["cache_hits"]


@pytest.fixture
def clock():
    return Clock(NOON)


@asynccontextmanager
async def connected(server, told):
    backplane = Backplane(BackplaneOptions(url=server.url, timeout=2.0), told)
    try:
        yield backplane
    finally:
        await backplane.close()


@pytest.fixture
async def backplane(valkey, told):
    async with connected(valkey, told) as backplane:
        yield backplane


@pytest.fixture
def join(backplane, told, clock):
    return lambda: Replica(backplane, told, clock)


async def test_each_replica_shows_the_sum_of_all_and_its_own(join):
    one, other = join(), join()
    one.hit(3)
    other.hit(4)
    await one.shared.write()
    await other.shared.write()
    one.hit(5)  # what it has not written yet it knows itself
    assert await one.hits() == (12, 8)
    assert await other.hits() == (7, 4)


async def test_a_write_that_is_repeated_counts_once(join):
    one, other = join(), join()
    one.hit(3)
    await one.shared.write()
    await one.shared.write()
    assert await other.hits() == (3, 0)


async def test_what_a_replica_counted_stays_when_it_leaves_and_it_counts_as_gone(join, clock, valkey):
    one, other = join(), join()
    one.shared.start()
    one.hit(3)
    await one.shared.close()
    clock.now += LIVES
    assert await other.hits() == (3, 0)
    assert (await other.shared.others()).document() == {"live": 1, "left": 1, "as_of": moment(NOON + LIVES)}
    assert int(valkey.command("TTL", other.shared._prefix + one.shared._name)[1:]) > KEPT - 60


async def test_every_key_has_a_time_and_the_list_of_replicas_a_bound(join, valkey, monkeypatch):
    monkeypatch.setattr(sharing, "MOST", 3)
    first, *rest = [join() for _ in range(5)]
    for number, replica in enumerate((first, *rest)):
        replica.hit(10**number)
        await replica.shared.write()
        replica.shared._wall.now += 1
    await first.shared.reset()
    for key in (first.shared._index, first.shared._marker, first.shared._prefix + first.shared._name):
        assert 0 < int(valkey.command("TTL", key)[1:]) <= KEPT
    assert valkey.command("ZCARD", first.shared._index) == b":3"
    assert MOST == 256


async def test_a_reset_holds_everywhere_at_once_and_what_comes_after_counts(join, clock):
    one, other, reader = join(), join(), join()
    one.hit(3)
    other.hit(4)
    for replica in (one, other, reader):
        await replica.shared.write()
    clock.now += 10
    await one.shared.reset()
    assert await reader.hits() == (0, 0), "who has not heard of it does not count"
    other.hit(7)  # lost: it has not heard of the reset yet
    clock.now += 1
    await other.shared.write()
    other.hit(2)
    clock.now += 5
    await other.shared.write()
    assert await reader.hits() == (2, 0)
    assert await one.hits() == (2, 0)


async def test_a_replica_that_begins_after_a_reset_forgets_nothing(join, clock):
    one = join()
    clock.now += 10
    await one.shared.reset()
    clock.now += 10
    late = join()
    late.hit(3)
    await late.shared.write()
    assert await one.hits() == (3, 0)
    assert await late.hits() == (3, 3)


async def test_the_later_of_two_resets_wins_even_by_a_clock_that_is_behind(join, clock):
    one, other = join(), join()
    clock.now += 100
    await one.shared.reset()
    await other.shared.write()
    other.hit(2)
    clock.now -= 50
    await other.shared.reset()
    assert other.shared._reset > one.shared._reset
    one.hit(5)
    await one.shared.write()
    assert one.shared._reset == other.shared._reset
    assert await one.hits() == (0, 0)


async def test_a_reset_while_redis_is_away_is_carried_out_when_it_is_back(own_valkey, told, clock):
    async with connected(own_valkey, told) as mine, connected(own_valkey, told) as yours:
        one, other = Replica(mine, told, clock), Replica(yours, told, clock)
        other.hit(4)
        await other.shared.write()
        await one.shared.write()
        assert await one.hits() == (4, 0)
        await mine.close()
        clock.now += 10
        await one.shared.reset()
        assert await one.hits() == (0, 0)
        one.shared._backplane = yours
        await one.shared.write()
        other.hit(1)
        assert await one.hits() == (0, 0)
        await other.shared.write()
        assert await other.hits() == (0, 0)


async def test_while_redis_is_away_the_others_count_with_what_was_last_known(own_valkey, told, clock):
    async with connected(own_valkey, told) as backplane:
        one, other = Replica(backplane, told, clock), Replica(backplane, told, clock)
        other.hit(4)
        await other.shared.write()
        assert await one.hits() == (4, 0)
        own_valkey.kill()
        clock.now += 60
        one.hit()
        assert await one.hits() == (5, 1)
        assert (await one.shared.others()).at == NOON
        with pytest.raises(StoreError):
            await one.shared.write()
        one.shared.start()
        await one.shared.close()


async def test_who_never_began_leaves_nothing_behind(join):
    one, other = join(), join()
    one.hit(3)
    await one.shared.close()
    assert await other.hits() == (0, 0)


async def test_a_lost_marker_is_put_back_by_who_remembers(join, valkey, clock):
    one, other = join(), join()
    clock.now += 10
    await one.shared.reset()
    valkey.command("FLUSHALL")
    await one.shared.write()
    await other.shared.write()
    assert other.shared._reset == one.shared._reset == NOON + 10


@pytest.mark.parametrize("said", [b"soon", b"nan", b"inf", b"-5", b""])
async def test_a_marker_that_is_none_resets_nothing(join, valkey, said):
    one = join()
    one.hit(3)
    valkey.command("SET", one.shared._marker, said)
    await one.shared.write()
    assert await one.hits() == (3, 3)


async def test_what_is_no_share_counts_as_none(join, valkey):
    one, other = join(), join()
    one.hit(3)
    await one.shared.write()
    valkey.command("SET", one.shared._prefix + one.shared._name, b"[1,2,3]")
    assert await other.hits() == (0, 0)
    valkey.command("DEL", one.shared._prefix + one.shared._name)
    assert await other.hits() == (0, 0)


async def test_in_memory_a_replica_is_alone(told, clock):
    one = Replica(None, told, clock)
    one.shared.start()
    one.hit(3)
    assert await one.hits() == (3, 3)
    assert (await one.shared.others()).document() == {"live": 1, "left": 0, "as_of": None}
    clock.now += 5
    await one.shared.reset()
    assert await one.hits() == (0, 0)
    await one.shared.close()


async def test_between_start_and_close_it_happens_by_itself(join, monkeypatch):
    monkeypatch.setattr(sharing, "EVERY", 0.001)
    one, other = join(), join()
    one.hit(3)
    one.shared.start()
    async with asyncio.timeout(10):
        while await other.hits() != (3, 0):
            pass
        one.hit()
        while await other.hits() != (4, 0):
            pass
    await one.shared.close()


def test_who_lives_and_what_counts():
    share = Share(NOON, {})
    letters = [Letter(NOON, 0.0, share), Letter(NOON - LIVES, 0.0, share), Letter(NOON, 7.0, share)]
    assert counted(letters, 0.0, NOON) == Others((share,) * 3, live=2, left=1, at=NOON)
    assert counted(letters, 7.0, NOON) == Others((share,), live=2, left=1, at=NOON)
    assert packed(letters[0])  # as it lies in Redis
