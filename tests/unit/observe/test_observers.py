import pytest

from proxy.observe.events import BreakerMoved, TaskFailed
from proxy.observe.observers import Fanout

MOVED = BreakerMoved(is_open=True)


class Listens:
    def __init__(self):
        self.heard = []

    def tell(self, event):
        self.heard.append(event)


class Breaks:
    def tell(self, event):
        raise RuntimeError("broken")


def test_each_observer_hears_each_fact_in_order():
    one, other = Listens(), Listens()
    Fanout((one, other), lambda *failure: pytest.fail(str(failure))).tell(MOVED)
    assert one.heard == other.heard == [MOVED]


def test_a_broken_observer_costs_nobody_else_the_fact_and_is_reported():
    after, reported = Listens(), []
    Fanout((Breaks(), after), lambda name, error: reported.append((name, str(error)))).tell(MOVED)
    assert after.heard == [MOVED]
    assert reported == [("Breaks", "broken")]


def test_a_report_that_comes_back_to_the_broken_observer_does_not_go_round_for_ever():
    after = Listens()
    fanout = Fanout((Breaks(), after), lambda name, error: fanout.tell(TaskFailed(name, error)))
    fanout.tell(MOVED)
    fanout.tell(MOVED)
    assert [type(event).__name__ for event in after.heard] == ["TaskFailed", "BreakerMoved"] * 2
