"""The usual miss, which needs no task; and where it turns out otherwise, that a crew goes on."""

import asyncio
from dataclasses import replace

import pytest

from proxy.message.errors import MessageError, OriginError
from proxy.observe.events import OriginAnswered
from proxy.purge.local import LocalLedger
from proxy.purge.options import PurgeOptions
from proxy.store.memory import MemoryStore
from proxy.store.options import StoreOptions
from tests.pipeline.rules import PLANS
from tests.pipeline.stage import Clock, Stage


@pytest.fixture
def stage():
    return Stage(PLANS)


async def test_it_asks_at_once_and_only_the_save_is_left_to_a_task(stage):
    gate = asyncio.Event()
    stage.says(200, b"hello", gate=gate)
    asking = stage.asking("/plans/1")
    await stage.heard(1)
    assert len(stage.background) == 1, "it is under way"
    assert not stage.background._tasks, "without a task"
    gate.set()
    assert (await asking).outcome == "miss"
    await stage.at_rest()
    assert (len(stage.background), len(stage.parts.flights), stage.parts.budget.taken) == (0, 0, 0)
    assert (await stage.asks("/plans/1")).outcome == "hit_memory"


async def test_an_error_is_told_to_who_asked_and_to_observers(stage):
    stage.says(error=OriginError("nobody is there", 502))
    told = await stage.asks("/plans/1")
    assert (told.status, told.outcome) == (502, "error")
    (answered,) = stage.facts.of(OriginAnswered)
    assert (answered.status, answered.detail) == (0, "502")
    assert (len(stage.background), len(stage.parts.flights)) == (0, 0)


@pytest.mark.parametrize(
    "turn",
    [
        pytest.param(lambda begin: lambda outgoing, heard, interim: None, id="nothing rests"),
        pytest.param(lambda begin: refuse, id="what is to be sent would be two heads"),
        pytest.param(lambda begin: drop, id="what had rested was closed"),
    ],
)
async def test_where_it_cannot_the_crew_asks(stage, turn):
    stage.origin.begin = turn(stage.origin.begin)
    stage.says(200, b"hello")
    assert (await stage.asks("/plans/1")).body == b"hello"
    await stage.at_rest()
    assert (await stage.asks("/plans/1")).outcome == "hit_memory"
    assert len(stage.origin.heard) == 1


def refuse(outgoing, heard, interim):
    raise MessageError("a line end in a field", 500)


class Nothing:
    def give_up(self):
        raise AssertionError("nobody gave it up")


def drop(outgoing, heard, interim):
    asyncio.get_running_loop().call_soon(heard, None)
    return Nothing()


async def test_what_is_not_to_be_kept_is_the_leaders_alone(stage):
    stage.says(200, b"mine", cache_control="private")
    told = await stage.asks("/plans/1")
    assert (told.body, told.facts.detail) == (b"mine", "private")
    await stage.at_rest()
    stage.says(200, b"mine too", cache_control="private")
    assert (await stage.asks("/plans/1")).body == b"mine too"


class Unread(MemoryStore):
    """A store that cannot say how far the ledger is."""

    async def load(self, key, **how):
        return replace(await super().load(key, **how), seq=None)


async def test_without_a_position_of_the_ledger_nothing_is_saved():
    ledger = LocalLedger(PurgeOptions())
    stage = Stage(PLANS, ledger=ledger, store=Unread(ledger, StoreOptions(), now=Clock()))
    for body in (b"one", b"two"):
        stage.says(200, body)
        told = await stage.asks("/plans/1")
        assert (told.body, "stored" in told["cache-status"]) == (body, False)
        await stage.at_rest()


async def test_late_at_the_drain_it_is_given_up_and_who_waits_is_told(stage):
    stage.says(gate=asyncio.Event())
    asking = stage.asking("/plans/1")
    await stage.heard(1)
    assert await stage.background.drain(0) == 1
    assert (await asking).status == 502
    assert len(stage.parts.flights) == 0
    await stage.settled()
    assert (stage.origin.in_flight, stage.failures) == (0, [])


async def test_an_answer_that_comes_after_it_was_given_up_is_nobodys(stage):
    heard = []
    begin = stage.origin.begin

    def listening(outgoing, hear, interim):
        heard.append(hear)
        return begin(outgoing, hear, interim)

    stage.origin.begin = listening
    stage.says(gate=asyncio.Event())
    asking = stage.asking("/plans/1")
    await stage.heard(1)
    await stage.background.drain(0)
    assert (await asking).status == 502
    heard[0](OriginError("too late", 504))
    assert stage.facts.of(OriginAnswered) == []


async def test_a_drain_waits_for_it_and_for_its_save(stage):
    gate = asyncio.Event()
    stage.says(200, b"hello", gate=gate)
    asking = stage.asking("/plans/1")
    await stage.heard(1)
    asking.cancel()
    draining = asyncio.create_task(stage.background.drain(10))
    await stage.settled()
    assert not draining.done()
    gate.set()
    assert await draining == 0
    assert (await stage.asks("/plans/1")).outcome == "hit_memory"


async def test_a_mistake_of_ours_is_reported_and_nobody_is_left_waiting(stage):
    stage.parts.observer = None
    stage.says(200, b"hello")
    told = asyncio.create_task(stage.pipeline.answer(stage.request("/plans/1"), None, None))
    answer = await told
    assert answer.response.status == 502
    assert [(name, type(error)) for name, error in stage.failures] == [("flight", AttributeError)]
    assert (len(stage.background), len(stage.parts.flights)) == (0, 0)
