import asyncio

import pytest

from proxy.fetch.patience import Patience


class Clock:
    """A loop as far as a timer needs one: time passes when it is told to."""

    def __init__(self):
        self.now = 0.0
        self.timers = []

    def time(self):
        return self.now

    def call_later(self, seconds, callback):
        timer = Timer(self.now + seconds, callback)
        self.timers.append(timer)
        return timer

    def pass_by(self, seconds):
        until = self.now + seconds
        while due := sorted((t for t in self.timers if not t.over and t.when <= until), key=lambda t: t.when):
            self.now = due[0].when
            due[0].over = True
            due[0].callback()
        self.now = until


class Timer:
    def __init__(self, when, callback):
        self.when = when
        self.callback = callback
        self.over = False

    def cancel(self):
        self.over = True


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: clock)
    return clock


@pytest.fixture
def fired(clock):
    return []


@pytest.fixture
def patience(clock, fired):
    return Patience(lambda: fired.append(clock.now))


def test_silence_fires_once_when_the_seconds_are_over(clock, patience, fired):
    patience.allow(10)
    clock.pass_by(9.9)
    assert fired == []
    clock.pass_by(100)
    assert fired == [10]


def test_a_touch_starts_over_without_another_timer(clock, patience, fired):
    patience.allow(10)
    for _ in range(5):
        clock.pass_by(6)
        patience.touch()
    assert fired == []
    assert sum(not timer.over for timer in clock.timers) == 1
    clock.pass_by(10)
    assert fired == [40]


def test_while_somebody_holds_no_time_passes(clock, patience, fired):
    patience.allow(10)
    patience.hold()
    patience.hold()
    clock.pass_by(100)
    patience.let_go()
    clock.pass_by(100)
    assert fired == []
    patience.let_go()
    clock.pass_by(9)
    assert fired == []
    clock.pass_by(1)
    assert fired == [210]


@pytest.mark.parametrize(("first", "then"), [(300, 5), (5, 300)], ids=["sooner", "later"])
def test_another_allowance_counts_from_now(clock, patience, fired, first, then):
    patience.allow(first)
    clock.pass_by(1)
    patience.allow(then)
    clock.pass_by(1000)
    assert fired == [1 + then]


def test_in_turns_short_and_long_it_needs_no_further_timer(clock, patience, fired):
    patience.allow(30)
    for _ in range(100):
        clock.pass_by(0.01)
        patience.allow(300)
        clock.pass_by(0.01)
        patience.allow(30)
    assert len(clock.timers) == 1
    clock.pass_by(100)
    assert fired == [pytest.approx(32)]


def test_a_hold_outlasts_another_allowance(clock, patience, fired):
    patience.allow(10)
    patience.hold()
    patience.allow(5)
    clock.pass_by(100)
    assert fired == []


def test_stopped_it_never_fires(clock, patience, fired):
    patience.allow(10)
    patience.stop()
    patience.stop()
    clock.pass_by(100)
    assert fired == []
