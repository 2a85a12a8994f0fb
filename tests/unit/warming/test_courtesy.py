"""How many of the places live traffic can spare."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from clocks import Clock

from proxy.warming.courtesy import REMEMBERED, Courtesy


@pytest.fixture
def clock():
    return Clock(100.0)


def courtesy(clock, *, limit, live=0, mine=0, waiting=0):
    made = Courtesy(SimpleNamespace(limit=limit, in_flight=live + mine, waiting=waiting), clock)
    made.under_way = mine
    return made


@pytest.mark.parametrize(
    ("state", "has_room"),
    [
        pytest.param({"limit": 12, "mine": 8}, True, id="a quarter stays free"),
        pytest.param({"limit": 12, "mine": 9}, False, id="and no less"),
        pytest.param({"limit": 12, "live": 5, "mine": 6}, True, id="as many as live traffic has stay free"),
        pytest.param({"limit": 12, "live": 5, "mine": 7}, False, id="and no less than it has"),
        pytest.param({"limit": 12, "live": 12}, False, id="all are live"),
        pytest.param({"limit": 12, "waiting": 1}, False, id="somebody waits"),
        pytest.param({"limit": 1}, True, id="the only place, while nobody needs it"),
        pytest.param({"limit": 1, "live": 1}, False, id="the only place, taken"),
    ],
)
def test_room(clock, state, has_room):
    assert courtesy(clock, **state).has_room() is has_room


def test_a_peak_is_remembered_for_a_while(clock):
    made = courtesy(clock, limit=12, live=10)
    made.has_room()
    made._origin.in_flight, made.under_way = 2, 2
    assert not made.has_room()
    clock.now += REMEMBERED
    assert not made.has_room()
    clock.now += 0.001
    assert made.has_room()


def test_of_several_peaks_the_highest_of_the_last_seconds_counts(clock):
    made = courtesy(clock, limit=12)
    for live, after in ((10, 3), (6, 1), (1, 0)):
        made._origin.in_flight = live
        made.has_room()
        clock.now += after
    assert made._peak(0) == 10
    clock.now += 2
    assert made._peak(0) == 6
    clock.now += 9
    assert made._peak(0) == 0
    assert len(made._peaks) == 1
