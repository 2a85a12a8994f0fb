"""What is read is counted: by whom, how often, and what is not."""

from __future__ import annotations

import pytest

from proxy.message import selectors
from proxy.pipeline.unasked import fetch_again
from tests.pipeline.rules import PLANS
from tests.pipeline.stage import Says, Stage

BEARER = "Bearer e30.eyJzdWIiOiAiNyJ9.x"


@pytest.fixture
def stage():
    return Stage(PLANS)


async def filled(stage, target, times=1, **headers):
    for _ in range(times):
        await stage.asks(target, **headers)
        await stage.at_rest()


def most_read(stage, *names):
    return [recipe.target for recipe in stage.parts.popularity.most_read(names or [selectors.EVERYTHING], 99)]


async def test_what_is_read_most_comes_first_under_every_selector_it_has(stage):
    stage.origin.default = Says(headers={"surrogate-key": "from-backend"})
    await filled(stage, "/plans/1", 2)
    await filled(stage, "/plans/2?zip=9&utm=x", 4)
    await filled(stage, "/plans/3")
    assert most_read(stage, "tag:from-backend") == [b"/plans/2?zip=9", b"/plans/1", b"/plans/3"]
    assert most_read(stage, "tag:plan:2") == most_read(stage, "pattern:plans:*:2") == [b"/plans/2?zip=9"]
    assert stage.parts.popularity.hit_by(["all"]).reads == 7


async def test_what_was_not_stored_was_not_read(stage):
    stage.says(200, cache_control="no-store")
    await filled(stage, "/plans/1")
    assert len(stage.parts.popularity) == 0


async def test_what_the_sidecar_asks_for_itself_is_not_read(stage):
    stage.origin.default = Says()
    await filled(stage, "/plans/1", 2)
    await stage.ledger.purge(["tag:plans"], soft=True, now=stage.clock())
    fetch_again(stage.pipeline, stage.parts.popularity.most_read(["all"], 2))
    await stage.at_rest()
    assert stage.parts.popularity.hit_by(["all"]).reads == 2
    await stage.ledger.purge(["tag:plans"], soft=False, now=stage.clock())
    recipes = stage.parts.popularity.most_read(["all"], 2)
    stage.parts.popularity._rows.clear()
    fetch_again(stage.pipeline, recipes)
    await stage.at_rest()
    assert (most_read(stage), stage.parts.popularity.hit_by(["all"]).reads) == ([b"/plans/1"], 0)


async def test_what_is_one_clients_own_is_not_counted(stage):
    stage.origin.default = Says(headers={"cache-control": "max-age=60"})
    await filled(stage, "/mine", 2, authorization=BEARER)
    assert len(stage.parts.popularity) == 0


async def test_under_the_implicit_route_a_credential_leaves_no_recipe():
    stage = Stage(None)
    stage.origin.default = Says(headers={"cache-control": "public, max-age=60"})
    await filled(stage, "/a", 2, authorization=BEARER)
    await filled(stage, "/b", 2, cookie="session=1")
    await filled(stage, "/c", 2)
    assert most_read(stage) == [b"/c"]


async def test_a_variant_is_asked_for_with_the_fields_that_choose_it(stage):
    stage.origin.default = Says(headers={"vary": "Accept-Language"})
    await filled(stage, "/plans/1", 3, accept_language="de", user_agent="curl")
    await filled(stage, "/plans/1", 2, accept_language="en")
    recipes = stage.parts.popularity.most_read(["all"], 9)
    assert [recipe.headers.lines for recipe in recipes] == [
        ((b"accept-language", b"de"),),
        ((b"accept-language", b"en"),),
    ]
