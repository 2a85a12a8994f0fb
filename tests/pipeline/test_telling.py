"""Telling of answers that have left: hits are only counted, unless somebody watches or chance wants a line."""

import pytest

from proxy.message.response import Response
from proxy.observe.counters import Counters
from proxy.observe.events import Outcome
from proxy.pipeline.reply import Answer, Facts
from proxy.pipeline.telling import tell
from tests.pipeline.stage import Stage


class Chance:
    """Stands where ``Repeats`` does; ``wants`` says whether an event is wanted."""

    def __init__(self, clock, *, wants):
        self.counters = Counters(clock)
        self.wants = wants
        self.told = []

    def wants_event(self):
        return self.wants

    def tell(self, event):
        self.told.append(event)


def left(stage, repeats, outcome, **facts):
    answer = Answer(Response(200), b"", Facts("plans", "v1", outcome, **facts))
    tell(stage.parts, repeats, stage.request(), answer, seconds=0.002, sent_bytes=10, aborted=False)


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("wants", [False, True])
async def test_a_hit_is_counted_here_and_all_else_by_who_is_told(outcome, wants):
    stage = Stage()
    repeats = Chance(stage.clock, wants=wants)
    left(stage, repeats, outcome, ttl=5.0, age=2.0)
    is_hit = outcome in {Outcome.HIT_MEMORY, Outcome.HIT_REDIS}
    assert len(stage.facts.told) == (not is_hit)
    assert len(repeats.told) == (is_hit and wants)
    assert len(repeats.counters.served) == is_hit


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({"ttl": 5.0, "age": 2.0, "seconds_saved": 0.3}, id="fresh"),
        pytest.param({"ttl": -5.0, "age": 2.0}, id="past its time"),
        pytest.param({}, id="of no age"),
    ],
)
async def test_it_counts_as_the_counters_do_that_are_told(facts):
    stage = Stage()
    repeats, counters = Chance(stage.clock, wants=False), Counters(stage.clock)
    left(stage, repeats, Outcome.HIT_REDIS, **facts)
    left(stage, None, Outcome.HIT_REDIS, **facts)
    counters.tell(stage.facts.told[0])
    place = ("plans", "v1", Outcome.HIT_REDIS)
    one, other = repeats.counters.served[place], counters.served[place]
    for row in (one, other):
        assert (sum(row.timing.counts), row.timing.total) == (1, 0.002)
    assert (one.classes, one.saved, one.aged, one.left, one.last) == (
        other.classes, other.saved, other.aged, other.left, other.last,
    )  # fmt: skip
