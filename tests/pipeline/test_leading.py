"""Who leads a flight and is told without waiting: at once, in a task, or not at all because it has left."""

import asyncio

import pytest

from proxy.message.errors import OriginError
from proxy.pipeline.leading import _Leader
from tests.pipeline.rules import PLANS
from tests.pipeline.stage import Stage


class Asker:
    """One who asks and is told; what it has to go on with is not begun before the test says so."""

    def __init__(self):
        self.has_left = False
        self.answers = []
        self.rests = []
        self.interims = []

    def interim(self, response):
        self.interims.append(response.status)

    def answered(self, answer):
        self.answers.append(answer)

    def goes_on(self, rest):
        self.rests.append(rest)


@pytest.fixture(params=[True, False], ids=["sets out at once", "by a crew"])
def stage(request):
    stage = Stage(PLANS)
    stage.origin.is_free = request.param
    return stage


def ask(stage, **more):
    asker = Asker()
    stage.pipeline.ask(stage.request("/plans/1", **more), None, asker)
    return asker


async def test_what_is_all_here_is_answered_without_a_task(stage):
    gate = asyncio.Event()
    stage.says(200, b"hello", gate=gate, interim=[103])
    asker = ask(stage)
    await stage.settled()
    assert (asker.answers, asker.rests, asker.interims) == ([], [], [103])
    gate.set()
    await stage.settled()
    (answer,) = asker.answers
    assert (answer.body, answer.facts.outcome.value, asker.rests) == (b"hello", "miss", [])
    assert (await stage.asks("/plans/1")).outcome == "hit_memory"


async def test_it_is_answered_once_what_it_led_to_is_on_its_way_into_the_store(stage):
    stage.says(200, b"hello")
    asker = ask(stage)
    asker.answered = lambda answer: asker.answers.append(ask(stage).answers)  # the next request of a pipeline
    await stage.settled()
    (((second,),),) = (asker.answers,)
    assert second.facts.outcome.value == "hit_memory"
    assert len(stage.origin.heard) == 1


async def test_its_own_conditions_are_answered(stage):
    stage.says(200, b"hello", etag='"1"')
    asker = ask(stage, If_None_Match='"1"')
    await stage.settled()
    (answer,) = asker.answers
    assert (answer.response.status, answer.body) == (304, b"")


async def test_what_is_stored_is_better_than_an_error(stage):
    stage.says(200, b"old", cache_control="max-age=1, stale-if-error=600")
    await stage.asks("/plans/1")
    await stage.at_rest()
    stage.passes(100)
    stage.says(503, b"sorry")
    asker = ask(stage)
    await stage.settled()
    told = [*asker.answers, *[await rest() for rest in asker.rests]]
    assert [(answer.body, answer.facts.outcome.value) for answer in told] == [(b"old", "stale")]


async def test_who_comes_later_follows_in_a_task(stage):
    gate = asyncio.Event()
    stage.says(200, b"hello", gate=gate)
    first, second = ask(stage), ask(stage)
    (rest,) = second.rests
    following = asyncio.create_task(rest())
    await stage.settled()
    gate.set()
    assert (await following).facts.outcome.value == "collapsed"
    assert [answer.facts.outcome.value for answer in first.answers] == ["miss"]


async def test_a_stream_is_gone_on_with(stage):
    body_gate = asyncio.Event()
    stage.says(200, b"hello", body_gate=body_gate)
    asker = ask(stage)
    await stage.settled()
    (rest,) = asker.rests
    answering = asyncio.create_task(rest())
    body_gate.set()
    assert (await stage.read(await answering)).body == b"hello"
    assert asker.answers == []


async def test_a_failure_is_gone_on_with(stage):
    stage.says(error=OriginError("nobody is there", 502))
    asker = ask(stage)
    await stage.settled()
    (rest,) = asker.rests
    assert (await rest()).response.status == 502


@pytest.mark.parametrize("says", [{}, {"cache_control": "private"}], ids=["kept", "its own"])
async def test_who_leaves_before_the_landing_is_not_told_and_what_may_be_kept_is(stage, says):
    gate = asyncio.Event()
    stage.says(200, b"hello", gate=gate, **says)
    asker = ask(stage)
    await stage.heard(1)
    asker.has_left = True
    gate.set()
    await stage.settled()
    await stage.at_rest()
    assert (asker.answers, asker.rests) == ([], [])
    if says:
        assert stage.origin.bodies[0].closed
    else:
        assert (await stage.asks("/plans/1")).outcome == "hit_memory"


@pytest.mark.parametrize("says", [{"cache_control": "private"}, {"length": None}], ids=["its own", "a stream"])
@pytest.mark.parametrize("is_told", [False, True], ids=["before it is told", "before its task has begun"])
async def test_who_leaves_after_the_landing_holds_nothing(stage, says, is_told, monkeypatch):
    asker = Asker()
    landed = _Leader.landed

    def leaving(self, flight, landing):
        asker.has_left = not is_told
        landed(self, flight, landing)
        asker.has_left = True

    monkeypatch.setattr(_Leader, "landed", leaving)
    stage.says(200, b"hello", **says)
    stage.pipeline.ask(stage.request("/plans/1"), None, asker)
    await stage.settled()
    await stage.at_rest()
    assert (asker.answers, len(asker.rests)) == ([], is_told)
    assert stage.parts.budget.taken == 0
    assert stage.origin.bodies[0].closed


async def test_a_mistake_of_ours_in_the_answer_is_the_askers(stage, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr("proxy.pipeline.flying.at_once", broken)
    stage.says(200, b"hello")
    asker = ask(stage)
    await stage.settled()
    (rest,) = asker.rests
    with pytest.raises(ZeroDivisionError):
        await rest()
