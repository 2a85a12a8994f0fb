"""A purge lands before, during and after a fetch; writes purge before their answer is released."""

import asyncio

import pytest
from clocks import Clock

from proxy.message import selectors
from proxy.message.errors import OriginError, StoreError
from proxy.observe.events import Purged
from proxy.purge.local import LocalLedger
from proxy.purge.options import PurgeOptions
from proxy.store.memory import MemoryStore
from proxy.store.options import StoreOptions
from tests.pipeline.rules import PLANS
from tests.pipeline.stage import Stage


@pytest.fixture
def stage():
    return Stage(PLANS)


async def purge(stage, *names, soft=False):
    await stage.ledger.purge(list(names), soft=soft, now=stage.clock())


@pytest.mark.parametrize(
    "selector",
    [
        pytest.param(selectors.tag("plans"), id="tag"),
        pytest.param(selectors.tag("plan:1"), id="tag from the path"),
        pytest.param(selectors.tag("from-backend"), id="tag from the response"),
        pytest.param(selectors.logical_key("plans:v1:1"), id="logical key"),
        pytest.param(selectors.url("/plans/1?zip=7"), id="url"),
        pytest.param(selectors.path("/plans/1"), id="path"),
        pytest.param(selectors.namespace("plans"), id="namespace"),
        pytest.param(selectors.route("plan"), id="route"),
        pytest.param(selectors.EVERYTHING, id="everything"),
    ],
)
async def test_every_selector_purges_what_carries_it(stage, selector):
    stage.says(surrogate_key="from-backend other")
    await stage.asks("/plans/1?zip=7")
    await stage.at_rest()
    assert (await stage.asks("/plans/1?zip=7")).outcome == "hit_memory"
    await purge(stage, selectors.tag("somebody else's"))
    assert (await stage.asks("/plans/1?zip=7")).outcome == "hit_memory"
    await purge(stage, selector)
    stage.says(body=b"new")
    assert (await stage.asks("/plans/1?zip=7")).body == b"new"


async def test_purged_during_the_fetch_nothing_stored_is_served(stage):
    gate = asyncio.Event()
    stage.says(200, b"old", gate=gate)
    asker = stage.asking("/plans/1")
    await stage.heard(1)
    await purge(stage, selectors.tag("plan:1"))
    gate.set()
    await asker
    await stage.at_rest()
    stage.says(200, b"new")
    assert (await stage.asks("/plans/1")).body == b"new"


async def test_purged_during_a_revalidation_the_304_freshens_nothing(stage):
    stage.says(200, b"old", etag='"1"', cache_control="max-age=10, must-revalidate")
    await stage.asks("/plans/1")
    await stage.at_rest()
    stage.passes(20)
    gate = asyncio.Event()
    stage.says(304, b"", etag='"1"', gate=gate)
    asker = stage.asking("/plans/1")
    await stage.heard(2)
    await purge(stage, selectors.tag("plan:1"))
    gate.set()
    assert (await asker).body == b"old", "it asked before the purge"
    await stage.at_rest()
    stage.says(200, b"new")
    assert (await stage.asks("/plans/1")).body == b"new"


async def test_a_soft_purge_makes_stale_from_its_moment(stage):
    stage.says(200, b"old")
    await stage.asks("/plans/1")
    await stage.at_rest()
    await purge(stage, selectors.tag("plan:1"), soft=True)
    gate = asyncio.Event()
    stage.says(200, b"new", gate=gate)
    stage.passes(5)
    stale = await stage.asks("/plans/1")
    assert (stale.body, stale["x-cache-status"]) == (b"old", "STALE")
    assert "; ttl=-5;" in stale["cache-status"], "RFC 9211 section 2.5: below 0 since it went stale"
    assert (await stage.asks("/plans/1")).body == b"old"
    gate.set()
    await stage.at_rest()
    assert (await stage.asks("/plans/1")).body == b"new"
    assert len(stage.origin.heard) == 2, "one refresh, however many ask"


async def test_a_soft_purge_beyond_the_stale_window_is_a_fetch(stage):
    stage.says(200, b"old")
    await stage.asks("/plans/1")
    await stage.at_rest()
    await purge(stage, selectors.tag("plan:1"), soft=True)
    stage.passes(31)
    stage.says(200, b"new")
    assert (await stage.asks("/plans/1")).body == b"new"


async def test_a_soft_purge_never_makes_servable_what_must_revalidate(stage):
    stage.says(200, b"old", cache_control="max-age=60, must-revalidate")
    await stage.asks("/plans/1")
    await stage.at_rest()
    await purge(stage, selectors.tag("plan:1"), soft=True)
    stage.says(200, b"new")
    assert (await stage.asks("/plans/1")).body == b"new"


@pytest.mark.parametrize("status", [200, 204, 303, 500, 503])
async def test_a_write_purges_before_its_answer_is_released(stage, status):
    stage.says(200, b"old")
    await stage.asks("/plans/1")
    await stage.at_rest()
    stage.says(status, b"")
    told = await stage.asks("/admin/plans/1", method="PUT", body=b"{}")
    assert told.status == status
    stage.says(200, b"new")
    assert (await stage.asks("/plans/1")).body == b"new"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
async def test_a_write_that_was_refused_purges_nothing(stage, status):
    stage.says(200, b"old")
    await stage.asks("/plans/1")
    await stage.at_rest()
    stage.says(status, b"")
    await stage.asks("/admin/plans/1", method="PUT", body=b"{}")
    assert (await stage.asks("/plans/1")).outcome == "hit_memory"


async def test_a_write_is_carried_to_its_head_though_its_client_leaves(stage):
    stage.says(200, b"old")
    await stage.asks("/plans/1")
    await stage.at_rest()
    gate = asyncio.Event()
    stage.says(200, b"", gate=gate)
    writer = stage.asking("/admin/plans/1", method="PUT", body=b"{}")
    await stage.heard(2)
    writer.cancel()
    await stage.settled()
    gate.set()
    await stage.at_rest()
    assert stage.origin.bodies[-1].closed, "an answer nobody takes is given up"
    stage.says(200, b"new")
    assert (await stage.asks("/plans/1")).body == b"new"


async def test_a_write_without_an_answer_purges_at_once_and_again():
    stage = Stage(PLANS, upstream_timeout=0.01)
    stage.says(200, b"old")
    await stage.asks("/plans/1")
    stage.says(error=OriginError("no answer in time", 504))
    told = await stage.asks("/admin/plans/1", method="PUT", body=b"{}")
    assert told.status == 504
    assert len(stage.facts.of(Purged)) == 1
    stage.says(200, b"read while the write is still under way")
    assert (await stage.asks("/plans/1")).body != b"old"
    await asyncio.wait_for(stage.background.drain(5), 5)
    assert len(stage.facts.of(Purged)) == 2
    stage.says(200, b"new")
    assert (await stage.asks("/plans/1")).body == b"new"


async def test_a_write_that_never_left_purges_nothing(stage):
    stage.says(error=OriginError("no place in time", 503))
    assert (await stage.asks("/admin/plans/1", method="PUT", body=b"{}")).status == 503
    assert stage.facts.of(Purged) == []


async def test_the_uri_of_a_write_and_what_its_answer_names_are_purged(stage):
    for number in (1, 2, 3):
        stage.says(200, b"old")
        await stage.asks(f"/plans/{number}")
    await stage.at_rest()
    stage.says(201, b"", location="/plans/2", content_location="http://api.example/plans/3")
    await stage.asks("/plans/1", method="POST", body=b"{}")
    for number in (1, 2, 3):
        stage.says(200, b"new")
        assert (await stage.asks(f"/plans/{number}")).body == b"new"


class GoneLedger(LocalLedger):
    """A ledger whose Redis has gone."""

    gone = False

    async def position(self):
        if self.gone:
            raise StoreError("gone")
        return await super().position()

    async def purge(self, names, *, soft, now):
        if self.gone:
            raise StoreError("gone")
        return await super().purge(names, soft=soft, now=now)


async def test_a_write_goes_on_without_its_purge_and_says_so():
    stage = Stage(PLANS, ledger=(ledger := GoneLedger(PurgeOptions())))
    ledger.gone = True
    stage.says(200, b"written")
    assert (await stage.asks("/admin/plans/1", method="PUT", body=b"{}")).body == b"written"
    (told,) = stage.facts.of(Purged)
    assert (told.seq, told.failure) == ("", "gone")


async def test_a_write_whose_rule_says_refuse_is_not_forwarded():
    stage = Stage(PLANS, ledger=(ledger := GoneLedger(PurgeOptions())))
    ledger.gone = True
    told = await stage.asks("/admin/strict", method="POST", body=b"{}")
    assert told.status == 503
    assert stage.origin.heard == []


async def test_a_write_is_held_no_longer_than_allowed_for_its_purge():
    class SlowLedger(LocalLedger):
        gate = asyncio.Event()

        async def purge(self, names, *, soft, now):
            await self.gate.wait()
            return await super().purge(names, soft=soft, now=now)

    stage = Stage(PLANS, ledger=(ledger := SlowLedger(PurgeOptions())), purge_wait=0.01)
    stage.says(200, b"written")
    assert (await stage.asks("/admin/plans/1", method="PUT", body=b"{}")).body == b"written"
    assert stage.facts.of(Purged) == []
    ledger.gate.set()
    await stage.at_rest()
    assert len(stage.facts.of(Purged)) == 1


async def test_groups_that_a_write_names_are_purged(stage):
    stage.says(200, b"old", cache_groups='"summer"')
    await stage.asks("/plans/1")
    await stage.at_rest()
    stage.says(200, b"", cache_group_invalidation='"summer"')
    await stage.asks("/elsewhere", method="POST", body=b"{}")
    stage.says(200, b"new")
    assert (await stage.asks("/plans/1")).body == b"new"


class MomentarilyGone(MemoryStore):
    """A store that the first one who asks cannot reach, neither before the flight nor in it."""

    looks = 0

    async def load(self, key, **how):
        self.looks += 1
        if self.looks <= 2:
            raise StoreError("gone for a moment")
        return await super().load(key, **how)


async def test_a_follower_takes_nothing_fetched_without_a_ledger_before_a_purge():
    clock, ledger = Clock(), LocalLedger(PurgeOptions())
    stage = Stage(PLANS, ledger=ledger, store=MomentarilyGone(ledger, StoreOptions(), now=clock))
    gate = asyncio.Event()
    stage.says(200, b"old", gate=gate)
    leader = stage.asking("/plans/1")
    await asyncio.wait_for(stage.heard(1), 5)
    await purge(stage, selectors.tag("plan:1"))
    stage.says(200, b"new")
    follower = stage.asking("/plans/1")
    await stage.settled()
    gate.set()
    assert (await asyncio.wait_for(leader, 5)).body == b"old", "it asked before the purge"
    assert (await asyncio.wait_for(follower, 5)).body == b"new"


@pytest.mark.parametrize(
    ("tag", "body"), [({}, b"new"), ({"etag": '"1"'}, b"old")], ids=["without a tag", "with its tag"]
)
async def test_after_a_soft_purge_a_head_freshens_only_by_the_entity_tag(stage, tag, body):
    lines = {"cache_control": "max-age=60, must-revalidate", **tag}
    stage.says(200, b"old", **lines)
    await stage.asks("/plans/1")
    await stage.at_rest()
    await purge(stage, selectors.tag("plan:1"), soft=True)
    stage.says(200, b"new", **lines)  # of the same length
    await stage.asks("/plans/1", method="HEAD")
    await stage.at_rest()
    stage.says(200, b"new", **lines)
    assert (await stage.asks("/plans/1")).body == body
