"""Counts are carried into the ranking; one that could not be loses nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC

import pytest
from servers import Told

from proxy.message.errors import StoreError
from proxy.popularity import merging
from proxy.popularity.counts import Popularity
from proxy.popularity.merging import Merging
from proxy.popularity.own import OwnRanking
from tests.unit.popularity.test_counts import read

NOW = 1_780_272_000.0


@pytest.fixture
def counts():
    counts = Popularity()
    read(counts, "a", 3)
    read(counts, "b", 5)
    return counts


def merging_into(counts, ranking):
    return Merging(counts, ranking, Told(), lambda: NOW)


async def test_each_read_is_carried_once(counts):
    ranking = OwnRanking(UTC)
    merge = merging_into(counts, ranking).merge
    await merge()
    await merge()
    read(counts, "a", 4)
    await merge()
    assert await ranking.reads_of(["a", "b"]) == [7.0, 5.0]


async def test_one_that_fails_loses_nothing(counts):
    ranking = OwnRanking(UTC)
    works, ranking.add = ranking.add, fails
    merge = merging_into(counts, ranking).merge
    await merge()
    read(counts, "a")
    ranking.add = works
    await merge()
    assert await ranking.reads_of(["a", "b"]) == [4.0, 5.0]


async def fails(gains, now):
    raise StoreError("away")


async def test_between_start_and_close_it_happens_by_itself_and_once_more_at_the_end(counts, monkeypatch):
    monkeypatch.setattr(merging, "EVERY", 0.001)
    ranking, merged = OwnRanking(UTC), asyncio.Event()
    add = ranking.add

    async def telling(gains, now):
        await add(gains, now)
        merged.set()

    ranking.add = telling
    running = merging_into(counts, ranking)
    running.start()
    await asyncio.wait_for(merged.wait(), 5)
    read(counts, "c")
    await running.close()
    await running.close()
    assert await ranking.reads_of(["b", "c"]) == [5.0, 1.0]


async def test_the_largest_gains_go_first_and_the_rest_waits(counts, monkeypatch):
    monkeypatch.setattr(merging, "MOST_AT_ONCE", 1)
    ranking = OwnRanking(UTC)
    merge = merging_into(counts, ranking).merge
    await merge()
    assert await ranking.reads_of(["a", "b"]) == [0.0, 5.0]
    await merge()
    assert await ranking.reads_of(["a", "b"]) == [3.0, 5.0]
