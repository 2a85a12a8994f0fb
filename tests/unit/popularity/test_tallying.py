"""From this process's rows into the windows."""

import asyncio

import pytest

from proxy.message.errors import StoreError
from proxy.message.headers import Headers
from proxy.policy.adaptive import Adaptive
from proxy.policy.rules import Route, RuleBook
from proxy.popularity import tallying
from proxy.popularity.counts import Popularity
from proxy.popularity.recipes import Recipe
from proxy.popularity.tallying import Tallying

BOOK = RuleBook("svc", (Route("plan", ttl=60.0, adaptive=Adaptive(3600.0)), Route("other", ttl=60.0)))


class Heard:
    """Windows that remember what they were told, and may be away."""

    def __init__(self):
        self.told = []
        self.is_away = False
        self.spoken_to = asyncio.Event()

    async def add(self, route, window, reads, now):
        if self.is_away:
            raise StoreError("away")
        self.told.append((route, window, sorted(reads), now))
        self.spoken_to.set()


@pytest.fixture
def popularity():
    return Popularity()


@pytest.fixture
def windows():
    return Heard()


@pytest.fixture
def tallies(popularity, windows, told):
    return Tallying(popularity, windows, lambda: BOOK, told, lambda: 1000.0)


def read(popularity, digest, route="plan", times=1):
    for _ in range(times):
        if not popularity.count(digest, ("all", f"route:{route}")):
            popularity.begin(digest, Recipe(b"/", b"h", b"http", Headers([])), ("all", f"route:{route}"))


async def test_reads_since_the_last_time_of_routes_that_follow_the_traffic(popularity, windows, tallies):
    read(popularity, "a", times=3)
    read(popularity, "b")
    read(popularity, "c", route="other", times=9)
    await tallies.merge()
    read(popularity, "a", times=2)
    await tallies.merge()
    await tallies.merge()
    assert [told[2] for told in windows.told] == [[("a", 3), ("b", 1)], [("a", 2)], []]
    assert windows.told[0][:2] == ("plan", 3600.0)


async def test_what_could_not_be_carried_does_not_count_in_a_later_window(popularity, windows, tallies):
    read(popularity, "a", times=3)
    windows.is_away = True
    await tallies.merge()
    windows.is_away = False
    read(popularity, "a")
    await tallies.merge()
    assert [told[2] for told in windows.told] == [[("a", 1)]]


async def test_without_such_a_route_nothing_is_said(popularity, windows, told):
    read(popularity, "a")
    await Tallying(popularity, windows, lambda: RuleBook("svc"), told, lambda: 0.0).merge()
    assert windows.told == []


async def test_it_speaks_at_once_and_again_and_at_the_end(popularity, windows, tallies, monkeypatch):
    monkeypatch.setattr(tallying, "EVERY", 0.001)
    tallies.start()
    async with asyncio.timeout(10):
        await windows.spoken_to.wait()
        windows.spoken_to.clear()
        await windows.spoken_to.wait()
    read(popularity, "a")
    await tallies.close()
    assert sum(reads for told in windows.told for _, reads in told[2]) == 1


def test_what_is_forgotten_half_way_is_neither_lost_nor_counted_twice():
    popularity = Popularity(most=4)
    for name, times in (("a", 10), ("b", 9), ("c", 1), ("d", 1)):
        read(popularity, name, times=times)
    assert popularity.take_reads({"route:plan"}) == {"route:plan": [("a", 10), ("b", 9), ("c", 1), ("d", 1)]}
    read(popularity, "a", times=2)
    read(popularity, "e")
    assert popularity.take_reads({"route:plan"}) == {"route:plan": [("a", 2), ("e", 1)]}


def test_what_was_read_before_a_route_follows_the_traffic_is_over():
    popularity = Popularity()
    read(popularity, "a", route="other", times=9)
    assert popularity.take_reads({"route:plan"}) == {}
    read(popularity, "a", route="other", times=2)
    assert popularity.take_reads({"route:plan", "route:other"}) == {"route:other": [("a", 2)]}
