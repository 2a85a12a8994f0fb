"""What a warmer's source has for it now."""

from __future__ import annotations

from datetime import UTC

import pytest
from clocks import NOON

from proxy.message.headers import Headers
from proxy.popularity.counts import Gain
from proxy.popularity.own import OwnRanking
from proxy.popularity.recipes import Recipe
from proxy.warming import candidates
from proxy.warming.candidates import AHEAD, SourceError, Sources
from proxy.warming.items import ItemPath
from proxy.warming.warmers import Listed, Popular, Predicted, Urls, Warmer
from tests.pipeline.rules import PLANS
from tests.pipeline.stage import Stage

HOUR = 3600.0
WEEK = 7 * 86400.0


@pytest.fixture
def stage():
    return Stage(PLANS)


@pytest.fixture
def ranking():
    return OwnRanking(UTC)


def a_gain(target, reads=1, *, route="plan", tags=(), authority=b"api.example", **fields):
    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
    recipe = Recipe(target.encode(), authority, b"http", Headers(lines))
    return Gain(target, reads, recipe, ("all", f"route:{route}", *tags))


def warmer(source, **more):
    return Warmer("w", "d", source, UTC, **more)


def sources(stage, ranking, hosts=()):
    return Sources(stage.pipeline, ranking, frozenset(hosts))


def targets(requests):
    return [request.target.decode() for request in requests]


async def test_popular_is_what_is_read_most_of_a_route(stage, ranking):
    await ranking.add([a_gain("/plans/1", 2), a_gain("/plans/2", 5), a_gain("/guarded", 9, route="guarded")], NOON)
    of = sources(stage, ranking).of
    assert targets(await of(warmer(Popular()), 2)) == ["/guarded", "/plans/2"]
    assert targets(await of(warmer(Popular(), route="plan"), 9)) == ["/plans/2", "/plans/1"]


async def test_predicted_is_what_was_read_at_the_hour_about_to_begin(stage, ranking):
    hour = NOON // HOUR * HOUR
    await ranking.add([a_gain("/plans/next")], hour + HOUR - WEEK)
    await ranking.add([a_gain("/plans/this")], hour - WEEK)
    of = sources(stage, ranking).of
    stage.clock.now = hour + HOUR - AHEAD
    assert targets(await of(warmer(Predicted()), 9)) == ["/plans/next"]
    stage.clock.now = hour + HOUR - AHEAD - 1
    assert targets(await of(warmer(Predicted()), 9)) == ["/plans/this"]


async def test_after_a_purge_it_is_what_that_hit(stage, ranking):
    await ranking.add(
        [a_gain("/plans/1", 2, tags=("tag:a",)), a_gain("/plans/2", 5), a_gain("/plans/3", 9, tags=("tag:a",))], NOON
    )
    hit_by = sources(stage, ranking).hit_by
    assert targets(await hit_by(warmer(Popular(), route="plan"), {"tag:a"})) == ["/plans/3", "/plans/1"]
    assert targets(await hit_by(warmer(Popular(), limit=1), {"tag:a"})) == ["/plans/3"]
    assert targets(await hit_by(warmer(Popular(), route="guarded"), {"tag:a"})) == []
    assert targets(await hit_by(warmer(Popular()), {"tag:b"})) == []


async def test_urls_come_in_the_guises_of_clients(stage, ranking):
    await ranking.add([a_gain("/plans/1", accept_language="de"), a_gain("/plans/1x", 2, accept_language="en")], NOON)
    found = await sources(stage, ranking).of(warmer(Urls(("/plans/7", "https://b/plans/8", "/nothing"))), 99)
    assert [(one.target, one.scheme, one.authority, one.headers.get(b"accept-language")) for one in found] == [
        (b"/plans/7", b"http", b"api.example", b"en"),
        (b"/plans/7", b"http", b"api.example", b"de"),
        (b"/plans/8", b"https", b"b", b"en"),
        (b"/plans/8", b"https", b"b", b"de"),
    ]


async def test_the_ranking_is_asked_once_for_many(stage, ranking, monkeypatch):
    asked = []

    async def most_read(most):
        asked.append(most)
        return []

    ranking.most_read = most_read
    several = sources(stage, ranking)
    for _ in range(5):
        await several.hit_by(warmer(Popular()), {"all"})
    assert len(asked) == 1
    monkeypatch.setattr(candidates, "EVERY", 0.0)
    await several.hit_by(warmer(Popular()), {"all"})
    assert len(asked) == 2


LISTED = Listed("/guarded?size=9", ItemPath.parse("items[].id"))


async def test_a_list_gives_each_item_a_path(stage, ranking):
    stage.says(body=b'{"items": [{"id": 4}, {"id": "a b"}, {"id": 4}]}')
    found = await sources(stage, ranking, [b"api.example"]).of(warmer(LISTED, route="plan"), 99)
    assert targets(found) == ["/plans/4", "/plans/a%20b"]
    assert stage.origin.heard[0].target == b"/guarded?size=9"


async def test_of_a_long_list_the_first_are_taken(stage, ranking):
    stage.says(body=b'{"items": [{"id": 1}, {"id": 2}, {"id": 3}]}')
    assert targets(await sources(stage, ranking, [b"api.example"]).of(warmer(LISTED, route="plan"), 2)) == [
        "/plans/1",
        "/plans/2",
    ]


@pytest.mark.parametrize(
    ("says", "message"),
    [
        pytest.param({"status": 503}, "answered with 503", id="no"),
        pytest.param({"body": b"<html>"}, "not JSON", id="no JSON"),
        pytest.param({"body": b'{"items": []}'}, r"nothing at items\[\]\.id", id="nothing"),
        pytest.param(
            {"pieces": [b"x" * (5 << 20), b"x" * (5 << 20)], "length": None}, "larger than 8 MiB", id="too much"
        ),
    ],
)
async def test_a_list_that_is_none(stage, ranking, says, message):
    stage.says(**says)
    with pytest.raises(SourceError, match=message):
        await sources(stage, ranking, [b"api.example"]).of(warmer(LISTED, route="plan"), 9)
    await stage.background.drain(0)


async def test_a_list_that_takes_too_long(stage, ranking, monkeypatch):
    import asyncio

    monkeypatch.setattr(candidates, "LIST_AT_MOST", 0.01)
    stage.says(body_gate=asyncio.Event())
    with pytest.raises(SourceError, match="did not come"):
        await sources(stage, ranking, [b"api.example"]).of(warmer(LISTED, route="plan"), 9)
    await stage.background.drain(0)


async def test_where_nobody_knows_by_which_host_clients_ask_nothing_is_guessed(stage, ranking):
    stage.says(body=b'{"items": [{"id": 4}]}')
    with pytest.raises(SourceError, match="by which host clients ask"):
        await sources(stage, ranking).of(warmer(LISTED, route="plan"), 9)
    assert await sources(stage, ranking).of(warmer(Urls(("/plans/1",))), 9) == []


async def test_a_route_that_a_reload_took_away(stage, ranking):
    stage.says(body=b'{"items": [{"id": 4}]}')
    with pytest.raises(SourceError, match="no such route"):
        await sources(stage, ranking, [b"api.example"]).of(warmer(LISTED, route="gone"), 9)
