"""The backend hands over a response: it is judged like a fetched one, and nothing older is served after it."""

import asyncio

import pytest
from clocks import Clock

from proxy.message import selectors
from proxy.message.errors import StoreError
from proxy.message.headers import Headers
from proxy.message.response import Response
from proxy.message.selectors import Seq
from proxy.observe.events import Purged, ResponseStored
from proxy.pipeline.handover import Offer, Outrun, Taken, Unfit, Unheard, take_over
from proxy.pipeline.visit import Visit
from proxy.policy import keys
from proxy.purge.local import LocalLedger
from proxy.store.memory import MemoryStore
from proxy.store.options import StoreOptions
from tests.pipeline.rules import PLANS
from tests.pipeline.stage import Stage

MORE = PLANS.replace(
    "invalidate:",
    """  - {name: strict, match: GET /strict, content_types: [application/json], authorization: ignore, cookies: ignore}
  - {name: stripped, match: GET /stripped, set_cookie: strip, authorization: ignore, cookies: ignore}
invalidate:""",
)


@pytest.fixture
def stage():
    return Stage(MORE)


def visit_of(stage, target):
    request = stage.request(target)
    matched = stage.parts.book.route_for(b"GET", request.path)
    key = keys.key_for(request, matched, stage.parts.book)
    return Visit(request, matched, key, stage.parts.book, stage.parts.forwarding)


async def hands_over(stage, target, body=b"handed over", since=None, **fields):
    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
    since = await stage.ledger.position() if since is None else since
    offer = Offer(Response(200, Headers(lines)), body, since, "r-1")
    return await take_over(stage.parts, [visit_of(stage, target)], offer)


async def purge(stage, *names, soft=False):
    return await stage.ledger.purge(list(names), soft=soft, now=stage.clock())


async def test_what_is_handed_over_is_the_next_hit(stage):
    taken = await hands_over(
        stage, "/plans/1?zip=7&utm=x", content_type="text/plain", surrogate_key="extra", etag='"1"'
    )
    assert isinstance(taken, Taken)
    assert (taken.route, taken.logical, taken.replaced) == ("plan", "plans:v1:1", False)
    assert set(taken.selectors) >= {"tag:extra", "tag:plan:1", "url:/plans/1?zip=7", "route:plan"}

    told = await stage.asks("/plans/1?zip=7")
    assert (told.outcome, told.body, told["content-type"], told["etag"]) == (
        "hit_memory",
        b"handed over",
        "text/plain",
        '"1"',
    )
    assert told["surrogate-key"] is None
    assert stage.origin.heard == []


async def test_it_replaces_what_was_there_and_lives_as_long_as_a_fetched_one(stage):
    stage.says(body=b"old")
    await stage.asks("/plans/1")
    await stage.at_rest()
    stage.passes(50)
    taken = await hands_over(stage, "/plans/1")
    assert taken.replaced
    assert (await stage.asks("/plans/1")).body == b"handed over"
    stage.passes(59)
    assert (await stage.asks("/plans/1")).outcome == "hit_memory"
    stage.passes(2)
    stage.says(body=b"fetched")
    assert (await stage.asks("/plans/1")).outcome == "stale"
    await stage.at_rest()
    assert (await stage.asks("/plans/1")).body == b"fetched"


async def test_a_hit_on_it_saves_what_the_last_fetch_took(stage):
    gate = asyncio.Event()
    stage.says(gate=gate)
    asker = stage.asking("/plans/1")
    await stage.heard(1)
    await asyncio.sleep(0.02)  # the time that it takes: the loop's own clock counts it
    gate.set()
    await asker
    await stage.at_rest()
    await hands_over(stage, "/plans/1")
    assert (await stage.asks("/plans/1")).facts.seconds_saved >= 0.02


async def test_it_is_told_like_a_purge_and_like_something_stored(stage):
    taken = await hands_over(stage, "/plans/1")
    (purged,) = stage.facts.of(Purged)
    assert purged == Purged("put", "hard", ("url:/plans/1",), str(taken.seq), "r-1")
    (stored,) = stage.facts.of(ResponseStored)
    assert (stored.route, stored.namespace, stored.ttl) == ("plan", "plans", 60.0)


@pytest.mark.parametrize("soft", [False, True], ids=["hard", "soft"])
@pytest.mark.parametrize(
    "selector",
    [
        pytest.param(selectors.tag("plan:1"), id="tag from the path"),
        pytest.param(selectors.tag("extra"), id="tag from the response"),
        pytest.param(selectors.logical_key("plans:v1:1"), id="logical key"),
        pytest.param(selectors.url("/plans/1"), id="its url"),
        pytest.param(selectors.path("/plans/1"), id="path"),
        pytest.param(selectors.namespace("plans"), id="namespace"),
        pytest.param(selectors.route("plan"), id="route"),
        pytest.param(selectors.EVERYTHING, id="everything"),
        pytest.param(selectors.pattern("plans:*"), id="pattern"),
    ],
)
async def test_purged_since_its_data_were_read_it_is_not_stored_and_nothing_older_is_served(stage, selector, soft):
    stage.says(body=b"old")
    await stage.asks("/plans/1")
    await stage.at_rest()
    since = await stage.ledger.position()
    await purge(stage, selector, soft=soft)

    verdict = await hands_over(stage, "/plans/1", since=since, surrogate_key="extra")

    assert isinstance(verdict, Outrun)
    stage.says(body=b"new")
    assert (await stage.asks("/plans/1")).body == b"new"


async def test_a_purge_of_something_else_outruns_nothing(stage):
    since = await stage.ledger.position()
    await purge(stage, "tag:plan:2", "url:/plans/1?zip=7", "ns:other")
    assert isinstance(await hands_over(stage, "/plans/1", since=since), Taken)


async def test_a_purge_before_its_data_were_read_outruns_nothing(stage):
    await purge(stage, "tag:plan:1", "url:/plans/1")
    assert isinstance(await hands_over(stage, "/plans/1"), Taken)


async def test_a_purge_after_it_takes_it_like_any_other(stage):
    await hands_over(stage, "/plans/1", surrogate_key="extra")
    await purge(stage, "tag:extra")
    stage.says(body=b"new")
    assert (await stage.asks("/plans/1")).body == b"new"


async def test_of_two_who_read_at_the_same_position_the_second_is_refused_and_the_first_is_gone(stage):
    since = await stage.ledger.position()
    assert isinstance(await hands_over(stage, "/plans/1", b"one", since), Taken)
    assert isinstance(await hands_over(stage, "/plans/1", b"two", since), Outrun)
    stage.says(body=b"the backend's word")
    assert (await stage.asks("/plans/1")).body == b"the backend's word"


async def test_a_position_of_a_ledger_that_was_lost_is_outrun(stage):
    assert isinstance(await hands_over(stage, "/plans/1", since=Seq("another", 10**18)), Outrun)


async def test_a_position_that_nobody_can_have_read_proves_nothing(stage):
    here = await stage.ledger.position()
    assert isinstance(await hands_over(stage, "/plans/1", since=Seq(here.epoch, here.n + 10)), Unheard)
    stage.says(body=b"fetched")
    assert (await stage.asks("/plans/1")).body == b"fetched"


@pytest.mark.parametrize(
    ("target", "fields", "reason"),
    [
        pytest.param("/plans/1", {"cache_control": "no-store"}, "no-store", id="no-store"),
        pytest.param("/plans/1", {"cache_control": "private"}, "private", id="private"),
        pytest.param("/plans/1", {"set_cookie": "a=b"}, "set-cookie", id="a cookie"),
        pytest.param("/plans/1", {"vary": "*"}, "vary", id="varies on everything"),
        pytest.param("/plans/1", {"cache_control": "max-age=0"}, "expired", id="no lifetime left"),
        pytest.param("/plans/1", {"surrogate_key": " ".join(f"t{n}" for n in range(200))}, "tags", id="tags"),
        pytest.param("/strict", {"content_type": "text/html"}, "content-type", id="content type"),
        pytest.param("/plans/1", {"vary": ", ".join(f"X-{n}" for n in range(9))}, "vary", id="too many fields"),
    ],
)
async def test_what_would_not_be_stored_if_fetched_is_refused(stage, target, fields, reason):
    if reason == "expired":
        fields = {**fields, "cache_control": "max-age=0, must-revalidate"}
    verdict = await hands_over(stage, target, **fields)
    assert isinstance(verdict, Unfit)
    assert verdict.reason == reason
    stage.says(body=b"fetched")
    assert (await stage.asks(target)).body == b"fetched"


async def test_what_would_not_be_stored_leaves_what_is_there(stage):
    stage.says(body=b"old")
    await stage.asks("/plans/1")
    await stage.at_rest()
    before = await stage.ledger.position()
    await hands_over(stage, "/plans/1", cache_control="no-store")
    assert await stage.ledger.position() == before
    assert (await stage.asks("/plans/1")).body == b"old"


async def test_the_route_s_own_way_with_cookies_and_the_response_s_own_lifetime(stage):
    taken = await hands_over(stage, "/stripped", set_cookie="a=b", cache_control="max-age=10")
    assert taken.freshness.lifetime == 10
    told = await stage.asks("/stripped")
    assert (told.outcome, told["set-cookie"]) == ("hit_memory", None)


async def test_every_variant_of_the_url_is_replaced(stage):
    for language in ("de", "en"):
        stage.says(body=language.encode(), vary="Accept-Language")
        await stage.asks("/plans/1", Accept_Language=language)
        await stage.at_rest()
    await hands_over(stage, "/plans/1", vary="Accept-Language")
    assert (await stage.asks("/plans/1")).body == b"handed over"
    stage.says(body=b"neu", vary="Accept-Language")
    assert (await stage.asks("/plans/1", Accept_Language="de")).body == b"neu"


async def test_a_fetch_under_way_does_not_bring_back_the_old(stage):
    gate = asyncio.Event()
    stage.says(body=b"old", gate=gate)
    asker = stage.asking("/plans/1")
    await stage.heard(1)
    await hands_over(stage, "/plans/1")
    gate.set()
    assert (await asker).body == b"old", "it asked before"
    await stage.at_rest()
    stage.says(body=b"fetched")
    assert (await stage.asks("/plans/1")).body == b"fetched"


async def test_a_mark_gives_way(stage):
    stage.says(cache_control="no-store")
    await stage.asks("/plans/1")
    await stage.at_rest()
    assert not (await hands_over(stage, "/plans/1")).replaced
    assert (await stage.asks("/plans/1")).outcome == "hit_memory"


class Failing(MemoryStore):
    fails = ""

    async def load(self, key, *, shared=False):
        if self.fails == "load":
            raise StoreError("away")
        return await super().load(key, shared=shared)

    async def save(self, *arguments, **more):
        if self.fails == "save":
            raise StoreError("away")
        return await super().save(*arguments, **more)


@pytest.mark.parametrize("operation", ["load", "save"])
async def test_a_store_that_is_away_is_said(operation):
    ledger = LocalLedger()
    store = Failing(ledger, StoreOptions(), now=Clock())
    stage = Stage(MORE, ledger=ledger, store=store)
    stage.says(body=b"old")
    await stage.asks("/plans/1")
    await stage.at_rest()
    store.fails = operation
    with pytest.raises(StoreError):
        await hands_over(stage, "/plans/1")
