"""What every ranking does: the one of a process and the one that all share."""

from __future__ import annotations

from datetime import UTC

import pytest
from servers import Told

from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.message.headers import Headers
from proxy.popularity.counts import Gain
from proxy.popularity.own import OwnRanking
from proxy.popularity.ranking import FADES_EVERY, MOST_AN_HOUR, MOST_NOW
from proxy.popularity.recipes import Recipe
from proxy.popularity.shared import SharedRanking

MONDAY = 1_780_272_000.0  # 2026-06-01 00:00 UTC
HOUR, DAY, WEEK = 3600.0, 86400.0, 7 * 86400.0


def a_gain(name, reads=1):
    recipe = Recipe(f"/{name}".encode(), b"api.example", b"https", Headers([(b"accept", b"*/*")]))
    return Gain(name, reads, recipe, ("all", f"path:/{name}"))


@pytest.fixture(params=["own", "shared"])
async def ranking(request, valkey):
    if request.param == "own":
        yield OwnRanking(UTC)
        return
    backplane = Backplane(BackplaneOptions(valkey.url), Told())
    yield SharedRanking(backplane, "ranked", UTC)
    await backplane.close()


def names(ranked):
    return [one.digest for one in ranked]


async def test_nothing_is_read_at_first(ranking):
    assert await ranking.most_read(10) == await ranking.read_at(MONDAY, 10) == await ranking.reads_of([]) == []


async def test_what_is_read_most_comes_first_with_how_to_ask_for_it(ranking):
    await ranking.add([a_gain("a", 2), a_gain("b", 5)], MONDAY)
    await ranking.add([a_gain("a", 4), a_gain("c")], MONDAY + 5)
    found = await ranking.most_read(2)
    assert [(one.digest, one.reads) for one in found] == [("a", 6.0), ("b", 5.0)]
    assert found[0].record.recipe == a_gain("a").recipe
    assert found[0].record.selectors == ("all", "path:/a")
    assert await ranking.reads_of(["b", "x", "c"]) == [5.0, 0.0, 1.0]


async def test_reads_are_kept_by_the_hour_of_the_week(ranking):
    await ranking.add([a_gain("morning", 3)], MONDAY + 9 * HOUR)
    await ranking.add([a_gain("evening", 9)], MONDAY + 18 * HOUR)
    assert names(await ranking.read_at(MONDAY + WEEK + 9.5 * HOUR, 10)) == ["morning"]
    assert names(await ranking.read_at(MONDAY + WEEK + 18 * HOUR, 10)) == ["evening"]


async def test_where_an_hour_was_never_seen_yesterday_speaks_for_it(ranking):
    await ranking.add([a_gain("morning")], MONDAY + 9 * HOUR)
    assert names(await ranking.read_at(MONDAY + DAY + 9 * HOUR, 10)) == ["morning"]
    await ranking.add([a_gain("tuesday")], MONDAY + DAY + 9 * HOUR)
    assert names(await ranking.read_at(MONDAY + DAY + 9 * HOUR, 10)) == ["tuesday"]
    assert await ranking.read_at(MONDAY + 10 * HOUR, 10) == []


async def test_the_latest_selectors_hold(ranking):
    await ranking.add([a_gain("a")], MONDAY)
    await ranking.add([Gain("a", 1, a_gain("a").recipe, ("tag:now",))], MONDAY)
    assert (await ranking.most_read(1))[0].record.selectors == ("tag:now",)


async def test_the_least_read_make_room(ranking):
    await ranking.add([a_gain(f"{number}", number + 1) for number in range(MOST_AN_HOUR + 50)], MONDAY)
    assert len(await ranking.read_at(MONDAY, 10_000)) == MOST_AN_HOUR
    assert await ranking.reads_of(["0"]) == [1.0]
    for start in range(0, MOST_NOW, 1000):
        await ranking.add([a_gain(f"more{number}", 1000) for number in range(start, start + 1000)], MONDAY)
    assert await ranking.reads_of(["0", "more7"]) == [0.0, 1000.0]
    assert len(await ranking.most_read(20_000)) == MOST_NOW


async def test_a_zone_has_hours_of_its_own(ranking):
    from zoneinfo import ZoneInfo

    ranking.zone = ZoneInfo("Asia/Tokyo")
    await ranking.add([a_gain("a")], MONDAY)
    ranking.zone = UTC
    assert names(await ranking.read_at(MONDAY + 9 * HOUR, 10)) == ["a"]


async def test_reads_of_these_days_fade_by_half_in_a_day():
    ranking = OwnRanking(UTC)
    await ranking.add([a_gain("a", 1000)], MONDAY)
    await ranking.add([a_gain("b", 1)], MONDAY + DAY)
    assert [round(reads) for reads in await ranking.reads_of(["a", "b"])] == [500, 1]
    await ranking.add([a_gain("c", 1)], MONDAY + DAY + 4 * FADES_EVERY * 2)
    assert await ranking.reads_of(["b"]) == [0.0]  # faded to a quarter of a reading: forgotten


async def test_an_hour_fades_by_half_from_week_to_week():
    ranking = OwnRanking(UTC)
    await ranking.add([a_gain("a", 8), a_gain("b", 3)], MONDAY)
    await ranking.add([a_gain("b", 3)], MONDAY + WEEK)
    await ranking.add([a_gain("b", 1)], MONDAY + WEEK + 5)
    assert [(one.digest, one.reads) for one in await ranking.read_at(MONDAY, 9)] == [("b", 5.5), ("a", 4.0)]


async def test_one_process_forgets_how_to_ask_for_what_it_does_not_rank():
    ranking = OwnRanking(UTC)
    for start in range(0, 4 * MOST_NOW, 1000):
        await ranking.add([a_gain(f"{number}", number) for number in range(start, start + 1000)], MONDAY + start * 400)
    assert len(ranking._records) <= 2 * MOST_NOW + 1000
