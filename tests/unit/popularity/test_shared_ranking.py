"""The ranking in Redis: what several processes add up to, what it takes there, and what lies there wrongly."""

from __future__ import annotations

from datetime import UTC

import pytest
from servers import Told

from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.message.errors import StoreError
from proxy.popularity import shared
from proxy.popularity.shared import KEPT, SharedRanking
from tests.unit.popularity.test_ranking import DAY, HOUR, MONDAY, WEEK, a_gain, names

PREFIX = "cache:popular:ranked:"


@pytest.fixture
async def replicas(valkey):
    planes = [Backplane(BackplaneOptions(valkey.url), Told()) for _ in range(3)]
    yield [SharedRanking(backplane, "ranked", UTC) for backplane in planes]
    for backplane in planes:
        await backplane.close()


async def test_three_processes_make_one_ranking(replicas):
    for number, replica in enumerate(replicas):
        await replica.add([a_gain("a", 2), a_gain(f"own{number}")], MONDAY)
    assert [(one.digest, one.reads) for one in await replicas[2].most_read(1)] == [("a", 6.0)]
    assert len(await replicas[0].most_read(10)) == 4


async def test_another_service_has_another_ranking(replicas, valkey):
    await replicas[0].add([a_gain("a")], MONDAY)
    backplane = Backplane(BackplaneOptions(valkey.url), Told())
    assert await SharedRanking(backplane, "other", UTC).most_read(10) == []
    await backplane.close()


async def test_every_key_has_a_time_of_its_own(replicas, valkey):
    await replicas[0].add([a_gain("a")], MONDAY)
    for key in ("now", "hour:0", "records", "faded:now", "faded:hour:0"):
        assert 0 < int(valkey.command("TTL", PREFIX + key)[1:]) <= KEPT, key
    assert valkey.command("DBSIZE") == b":5"


async def test_a_list_fades_once_whoever_comes_first(replicas, valkey):
    await replicas[0].add([a_gain("a", 8), a_gain("once")], MONDAY)
    valkey.command("DEL", f"{PREFIX}faded:hour:0", f"{PREFIX}faded:now")  # as time would have it
    for replica in replicas:
        await replica.add([a_gain("b", 1)], MONDAY + WEEK)
    assert [(one.digest, one.reads) for one in await replicas[1].read_at(MONDAY, 9)] == [
        ("a", 4.0),
        ("b", 3.0),
        ("once", 0.5),
    ]
    assert [round(reads, 2) for reads in await replicas[1].reads_of(["a", "b"])] == [6.73, 3.0]
    assert int(valkey.command("TTL", f"{PREFIX}hour:0")[1:]) > 0


async def test_records_that_no_list_names_are_taken_out(replicas, valkey, monkeypatch):
    monkeypatch.setattr(shared, "MOST_RECORDS", 4)
    await replicas[0].add([a_gain("a"), a_gain("b")], MONDAY)
    for number in range(600):
        valkey.command("HSET", f"{PREFIX}records", f"stale{number}", "x")
    await replicas[0].add([a_gain("evening")], MONDAY + 18 * HOUR)
    assert valkey.command("HLEN", f"{PREFIX}records") == b":3"
    assert len(await replicas[0].most_read(10)) == 3
    valkey.command("HSET", f"{PREFIX}records", *[word for n in range(5) for word in (f"again{n}", "x")])
    await replicas[0].add([a_gain("evening")], MONDAY + DAY)  # not twice in a minute
    assert valkey.command("HLEN", f"{PREFIX}records") == b":8"


@pytest.mark.parametrize(
    "octets", ["", "null", '{"target": "/a"}', "\x80\x04K\x01.", "{" * 5000], ids=["", "null", "half", "pickle", "big"]
)
async def test_what_lies_there_wrongly_is_as_nothing(replicas, valkey, octets):
    await replicas[0].add([a_gain("a", 9), a_gain("b")], MONDAY)
    valkey.command("HSET", f"{PREFIX}records", "a", octets)
    assert names(await replicas[1].most_read(10)) == ["b"]


async def test_a_key_of_another_kind_is_a_failure_and_not_a_crash(replicas, valkey):
    valkey.command("SET", f"{PREFIX}now", "x")
    with pytest.raises(StoreError):
        await replicas[0].most_read(10)
    with pytest.raises(StoreError):
        await replicas[0].add([a_gain("a")], MONDAY)


async def test_what_is_too_large_to_be_shared_is_left_out(replicas, valkey):
    await replicas[0].add([a_gain("x" * 5000)], MONDAY)
    assert valkey.command("DBSIZE") == b":0"
