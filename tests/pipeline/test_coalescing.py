"""N askers, one fetch; and who must not share it."""

import asyncio

import pytest
from clocks import Clock

from proxy.message.errors import MessageError, OriginError
from proxy.message.selectors import tag
from proxy.purge.local import LocalLedger
from proxy.purge.options import PurgeOptions
from proxy.store.memory import MemoryStore
from proxy.store.options import StoreOptions
from tests.pipeline.rules import PLANS
from tests.pipeline.stage import Stage


@pytest.fixture(params=[True, False], ids=["sets out at once", "by a crew"])
def stage(request):
    stage = Stage(PLANS)
    stage.origin.is_free = request.param
    return stage


async def test_many_who_miss_together_make_one_request(stage):
    gate = asyncio.Event()
    stage.says(gate=gate)
    askers = [stage.asking("/plans/1") for _ in range(50)]
    await stage.heard(1)
    await stage.settled()
    gate.set()
    told = await asyncio.gather(*askers)
    assert len(stage.origin.heard) == 1
    assert {answer.body for answer in told} == {b"hello"}
    assert sorted(answer.outcome for answer in told) == ["collapsed"] * 49 + ["miss"]
    assert sum("collapsed" in answer["cache-status"] for answer in told) == 49


async def test_the_leader_hangs_up_and_the_others_are_served(stage):
    gate = asyncio.Event()
    stage.says(gate=gate)
    leader = stage.asking("/plans/1")
    await stage.heard(1)
    follower = stage.asking("/plans/1")
    await stage.settled()
    leader.cancel()
    await stage.settled()
    gate.set()
    assert (await follower).outcome == "collapsed"
    await stage.at_rest()
    assert (await stage.asks("/plans/1")).outcome == "hit_memory"
    assert len(stage.origin.heard) == 1


async def test_everybody_hangs_up_and_the_response_is_stored_all_the_same(stage):
    gate = asyncio.Event()
    stage.says(gate=gate)
    askers = [stage.asking("/plans/1") for _ in range(3)]
    await stage.heard(1)
    for asker in askers:
        asker.cancel()
    await stage.settled()
    gate.set()
    await stage.at_rest()
    assert (await stage.asks("/plans/1")).outcome == "hit_memory"


async def test_everybody_hangs_up_and_the_fetch_fails(stage):
    gate = asyncio.Event()
    stage.says(gate=gate, error=OriginError("refused"))
    askers = [stage.asking("/plans/1") for _ in range(3)]
    await stage.heard(1)
    for asker in askers:
        asker.cancel()
    await stage.settled()
    gate.set()
    await stage.at_rest()
    assert stage.failures == []
    stage.says(body=b"again")
    assert (await stage.asks("/plans/1")).body == b"again"


async def test_one_failure_is_told_to_all_who_wait(stage):
    gate = asyncio.Event()
    stage.says(gate=gate, error=OriginError("refused", 502))
    askers = [stage.asking("/plans/1") for _ in range(5)]
    await stage.heard(1)
    await stage.settled()
    gate.set()
    told = await asyncio.gather(*askers)
    assert [answer.status for answer in told] == [502] * 5
    assert len(stage.origin.heard) == 1


async def test_a_private_answer_is_shared_with_nobody_and_all_ask_at_once(stage):
    gate, together = asyncio.Event(), asyncio.Event()
    stage.says(200, b"for one", cache_control="private", gate=gate)
    for number in range(4):
        stage.says(200, b"for %d" % number, cache_control="private", gate=together)
    askers = [stage.asking("/plans/1") for _ in range(5)]
    await stage.heard(1)
    await stage.settled()
    gate.set()
    await stage.heard(5)
    await stage.settled()
    assert stage.origin.most_in_flight == 4, "the others do not queue behind each other"
    together.set()
    told = await asyncio.gather(*askers)
    assert len({answer.body for answer in told}) == 5
    assert {answer.outcome for answer in told} == {"miss"}


async def test_a_mark_keeps_later_askers_from_queueing_and_goes_with_the_next_keep(stage):
    stage.says(200, b"one", cache_control="no-store")
    await stage.asks("/plans/1")
    gate = asyncio.Event()
    stage.says(200, b"two", cache_control="no-store", gate=gate)
    stage.says(200, b"three", gate=gate)
    askers = [stage.asking("/plans/1") for _ in range(2)]
    await stage.heard(3)
    gate.set()
    assert {answer.body for answer in await asyncio.gather(*askers)} == {b"two", b"three"}
    await stage.at_rest()
    assert (await stage.asks("/plans/1")).outcome == "hit_memory"


async def test_followers_of_another_variant_fly_together_on_their_own(stage):
    gate, other = asyncio.Event(), asyncio.Event()
    stage.says(200, b"deutsch", vary="Accept-Language", gate=gate)
    leader = stage.asking("/plans/1", accept_language="de")
    await stage.heard(1)
    followers = [stage.asking("/plans/1", accept_language="en") for _ in range(4)]
    twin = stage.asking("/plans/1", accept_language="de")
    await stage.settled()
    stage.says(200, b"english", vary="Accept-Language", gate=other)
    gate.set()
    await stage.heard(2)
    await stage.settled()
    other.set()
    assert (await leader).body == (await twin).body == b"deutsch"
    assert {answer.body for answer in await asyncio.gather(*followers)} == {b"english"}
    assert len(stage.origin.heard) == 2


async def test_followers_read_along_while_the_body_comes(stage):
    body_gate = asyncio.Event()
    stage.says(pieces=[b"first ", b"second"], length=12, body_gate=body_gate)
    leader = stage.asking("/plans/1")
    await stage.heard(1)
    follower = await stage.pipeline.answer(stage.request("/plans/1"), None, lambda response: None)
    assert not leader.done(), "the head has landed, the body has not"
    body_gate.set()
    assert (await stage.read(follower)).body == b"first second"
    assert (await leader).body == b"first second"


async def test_a_follower_that_leaves_before_the_end_is_known_keeps_nothing_from_being_stored(stage):
    body_gate = asyncio.Event()
    stage.says(200, b"hello", length=None, body_gate=body_gate)
    leader = stage.asking("/plans/1")
    await stage.heard(1)
    follower = stage.asking("/plans/1")  # waits for the whole: nobody knows yet how long it is
    await stage.settled()
    follower.cancel()
    await stage.settled()
    body_gate.set()
    assert (await leader).body == b"hello"
    await stage.at_rest()
    assert (await stage.asks("/plans/1")).outcome == "hit_memory"


async def test_a_body_that_outgrows_its_bound_is_the_leaders_alone():
    stage = Stage(PLANS, max_body=10)
    body_gate = asyncio.Event()
    stage.says(pieces=[b"x" * 8, b"y" * 8], length=None, body_gate=body_gate)
    leader = stage.asking("/plans/1")
    await stage.heard(1)
    follower = stage.asking("/plans/1")
    await stage.settled()
    stage.says(200, b"small")
    body_gate.set()
    assert (await leader).body == b"x" * 8 + b"y" * 8
    assert (await follower).body == b"small"


async def test_a_stated_length_beyond_the_bound_is_never_collected():
    stage = Stage(PLANS, max_body=10)
    stage.says(200, b"x" * 11)
    first = await stage.asks("/plans/1")
    assert (first.body, first.outcome) == (b"x" * 11, "miss")
    assert stage.parts.budget.taken == 0
    stage.says(200, b"y" * 11)
    assert (await stage.asks("/plans/1")).body == b"y" * 11


async def test_a_body_that_breaks_off_is_never_stored(stage):
    stage.says(pieces=[b"half", MessageError("ended short", 502)], length=8)
    assert (await stage.asks("/plans/1")).broken
    await stage.at_rest()
    stage.says(body=b"hello")
    assert (await stage.asks("/plans/1")).outcome == "miss"
    await stage.at_rest()
    assert stage.parts.budget.taken == 0


@pytest.mark.parametrize(
    ("rules", "outcome"),
    [pytest.param(PLANS, "miss", id="a declared route"), pytest.param(None, "hit_memory", id="RFC 9112 alone")],
)
async def test_a_body_beyond_its_stated_length_is_not_kept_by_a_declared_route(rules, outcome):
    stage = Stage(rules)
    stage.says(200, b"hello", cache_control="max-age=60", overrun=True)
    assert (await stage.asks("/plans/1")).body == b"hello"
    await stage.at_rest()
    stage.says(200, b"hello", cache_control="max-age=60")
    assert (await stage.asks("/plans/1")).outcome == outcome


class SlowStore(MemoryStore):
    """A store that takes its time to save."""

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self.go_on = asyncio.Event()

    async def save(self, *arguments, **more):
        await self.go_on.wait()
        return await super().save(*arguments, **more)


async def test_who_comes_while_a_whole_response_is_being_saved_has_a_hit(stage):
    stage.parts.store = SlowStore(stage.ledger, StoreOptions(), now=stage.clock)
    stage.says(200, b"hello")
    assert (await stage.asks("/plans/1")).outcome == "miss"
    await stage.settled()
    late = await stage.asks("/plans/1")
    assert (late.outcome, late.body, late["age"]) == ("hit_memory", b"hello", "0")
    assert late["cache-status"].startswith("sapwood; hit")
    await stage.ledger.purge([tag("plan:1")], soft=False, now=stage.clock())
    stage.says(200, b"new")
    assert (await stage.asks("/plans/1")).body == b"new", "not for who came after a purge"
    stage.parts.store.go_on.set()
    await stage.at_rest()


async def test_more_waiters_than_allowed_are_told_so():
    stage = Stage(PLANS, waiters=1)
    gate = asyncio.Event()
    stage.says(gate=gate)
    askers = [stage.asking("/plans/1") for _ in range(2)]
    await stage.heard(1)
    await stage.settled()
    over = await stage.asks("/plans/1")
    assert (over.status, over["retry-after"]) == (503, "1")
    gate.set()
    assert [answer.status for answer in await asyncio.gather(*askers)] == [200, 200]


async def test_nothing_is_collected_beyond_what_all_spools_may_hold():
    stage = Stage(PLANS, collecting=8)
    body_gate = asyncio.Event()
    stage.says(200, b"12345678", body_gate=body_gate)
    first = stage.asking("/plans/1")
    await stage.heard(1)
    await stage.settled()
    stage.says(200, b"87654321")
    second = await stage.asks("/plans/2")
    assert (second.body, second.facts.detail) == (b"87654321", "no-room")
    body_gate.set()
    assert (await first).body == b"12345678"


async def test_purged_while_followers_wait_they_share_the_next_flight(stage):
    gate = asyncio.Event()
    stage.says(200, b"old", gate=gate)
    leader = stage.asking("/plans/1")
    await stage.heard(1)
    before = stage.asking("/plans/1")
    await stage.settled()
    await stage.ledger.purge([tag("plan:1")], soft=False, now=stage.clock())
    after = [stage.asking("/plans/1") for _ in range(3)]
    await stage.settled()
    stage.says(200, b"new")
    gate.set()
    assert (await leader).body == b"old", "it asked before the purge, and its answer was fetched for it"
    assert {answer.body for answer in await asyncio.gather(before, *after)} == {b"new"}
    assert len(stage.origin.heard) == 2
    await stage.at_rest()
    assert (await stage.asks("/plans/1")).body == b"new"


async def test_a_backend_that_falls_silent_in_its_body_is_no_failure_of_ours(stage):
    stage.says(200, pieces=[b"he", OriginError("the backend did not answer in time", 504)], length=5)
    told = await stage.asks("/plans/1")
    assert (told.body, told.broken) == (b"he", True)
    await stage.at_rest()
    assert stage.failures == []
    assert stage.parts.budget.taken == 0
    stage.says(body=b"again")
    assert (await stage.asks("/plans/1")).body == b"again"


class Watched(MemoryStore):
    """Counts its looks; ``slow`` holds back what was looked up already."""

    looks = 0
    slow = None

    async def load(self, key, **how):
        self.looks += 1
        found, slow = await super().load(key, **how), self.slow
        if slow is not None:
            await slow.wait()
        return found


async def test_a_miss_looks_once_where_nobody_can_have_saved_since():
    clock, ledger = Clock(), LocalLedger(PurgeOptions())
    store = Watched(ledger, StoreOptions(), now=clock)
    stage = Stage(PLANS, ledger=ledger, store=store)
    stage.says(200, b"one")
    await stage.asks("/plans/1")
    assert store.looks == 1


async def test_who_looked_before_a_flight_saved_and_starts_after_it_has_ended_looks_again():
    clock, ledger = Clock(), LocalLedger(PurgeOptions())
    store = Watched(ledger, StoreOptions(), now=clock)
    stage = Stage(PLANS, ledger=ledger, store=store)
    gate = asyncio.Event()
    stage.says(200, b"one", gate=gate)
    first = stage.asking("/plans/1")
    await stage.heard(1)
    store.slow = asyncio.Event()
    late = stage.asking("/plans/1")  # has looked, and found nothing
    await stage.settled()
    gate.set()
    assert (await first).body == b"one"
    await stage.at_rest()
    slow, store.slow = store.slow, None
    slow.set()
    assert (await late).body == b"one"
    assert len(stage.origin.heard) == 1
    assert store.looks == 3


@pytest.mark.parametrize(
    ("says", "at_once"),
    [
        pytest.param({}, True, id="all of it is here"),
        pytest.param({"body_gate": True}, False, id="the content is yet to come"),
        pytest.param({"length": None}, False, id="nobody said how long it is"),
    ],
)
async def test_what_is_all_here_leaves_with_its_head(stage, says, at_once):
    gate = asyncio.Event()
    stage.says(200, b"hello", **{name: gate if value is True else value for name, value in says.items()})
    answer = await stage.pipeline.answer(stage.request("/plans/1"), None, lambda response: None)
    assert isinstance(answer.body, bytes) is at_once
    gate.set()
    assert (await stage.read(answer)).body == b"hello"
