"""What is read is counted: by whom, how often, and what is not."""

from __future__ import annotations

import pytest

from proxy.message import selectors
from proxy.pipeline.unasked import fetch_again
from proxy.purge.local import LocalLedger
from proxy.store.memory import MemoryStore
from proxy.store.options import StoreOptions
from tests.pipeline.rules import PLANS
from tests.pipeline.stage import Clock, Says, Stage

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


class Heard(MemoryStore):
    """Remembers which of what it keeps is for all, as whoever learns from it would be told."""

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self.for_all = []

    async def save(self, key, entry, *, is_for_all, **more):
        self.for_all.append(is_for_all())
        return await super().save(key, entry, is_for_all=is_for_all, **more)


KEYED = """
version: 1
hosts: [api.example]
defaults: {ttl: 60s}
routes:
  - {name: by-user, match: GET /by/user, key: {headers: [X-User]}}
  - {name: by-session, match: GET /by/session, cookies: [session]}
  - {name: own, match: GET /own, scope: credential}
  - {name: open, match: GET /open/**, authorization: ignore, cookies: ignore}
"""
PUBLIC = {"cache-control": "public, max-age=60"}


@pytest.mark.parametrize(
    ("rules", "target", "asks", "says", "for_all"),
    [
        pytest.param(KEYED, "/open/1", {}, {}, True, id="open to all"),
        pytest.param(KEYED, "/open/1", {"authorization": BEARER, "cookie": "a=b"}, {}, True, id="without their fields"),
        pytest.param(KEYED, "/open/1", {"origin": "https://a.example"}, {}, True, id="for a site"),
        pytest.param(
            KEYED, "/open/1", {"accept-language": "en"}, {"vary": "Accept-Language"}, True, id="in a language"
        ),
        pytest.param(KEYED, "/open/1?token=x", {}, {}, False, id="by a link that is a secret"),
        pytest.param(KEYED, "/by/user", {"x-user": "7"}, {}, False, id="by a field that may name somebody"),
        pytest.param(KEYED, "/by/user", {}, {}, True, id="where that field is not sent"),
        pytest.param(KEYED, "/by/session", {"cookie": "session=7"}, {}, False, id="by a cookie"),
        pytest.param(KEYED, "/own", {"authorization": BEARER}, {}, False, id="for one credential"),
        pytest.param(None, "/a", {}, PUBLIC, True, id="implicit"),
        pytest.param(None, "/a", {"authorization": BEARER}, PUBLIC, False, id="implicit, with a credential"),
        pytest.param(None, "/a", {"x-user": "7"}, {**PUBLIC, "vary": "X-User"}, False, id="implicit, by a field"),
        pytest.param(None, "/a", {}, {**PUBLIC, "set-cookie": "a=b"}, False, id="implicit, with a cookie to keep"),
    ],
)
async def test_what_is_for_all(rules, target, asks, says, for_all):
    ledger = LocalLedger()
    store = Heard(ledger, StoreOptions(), now=Clock())
    stage = Stage(rules, ledger=ledger, store=store)
    stage.says(200, **{name.replace("-", "_"): value for name, value in says.items()})
    await stage.asks(target, **{name.replace("-", "_"): value for name, value in asks.items()})
    await stage.at_rest()
    assert store.for_all == [for_all]
