"""One more while the backend answers as usual, fewer as soon as it does not."""

from __future__ import annotations

import pytest

from proxy.warming.pace import FIRST, LONGEST_REST, Pace


@pytest.fixture
def pace():
    return Pace()


def test_it_begins_with_a_few_and_grows_with_each_answer(pace):
    assert pace.allowed == FIRST
    for _ in range(20):
        pace.took(0.3)
    assert pace.allowed == FIRST + 20


def test_it_does_not_grow_beyond_what_anybody_wants(pace):
    for _ in range(20):
        pace.took(0.3)
        pace.keep_within(8)
    assert pace.allowed == 8


@pytest.mark.parametrize(
    ("usual", "slow", "is_slow"),
    [
        pytest.param(0.3, 0.7, True, id="more than twice"),
        pytest.param(0.3, 0.6, False, id="twice"),
        pytest.param(0.001, 0.05, False, id="milliseconds are no reason"),
        pytest.param(0.001, 0.06, True, id="many of them are"),
    ],
)
def test_what_slow_is(pace, usual, slow, is_slow):
    for _ in range(4):
        pace.took(usual)
    before = pace.allowed
    pace.took(slow)
    assert (pace.allowed < before) is is_slow


def test_a_backend_that_stays_slow_is_asked_one_at_a_time_and_then_that_becomes_usual(pace):
    pace.took(0.1)
    for _ in range(10):
        pace.took(1.0)
    assert pace.allowed == 1
    for _ in range(300):
        pace.took(1.0)
    assert pace.allowed > 1


def test_after_a_slow_one_it_grows_slowly(pace):
    for _ in range(6):
        pace.took(0.1)
    pace.took(9.0)
    before = pace.allowed
    for _ in range(3):
        pace.took(0.1)
    assert pace.allowed == before
    for _ in range(30):
        pace.took(0.1)
    assert pace.allowed > before


def test_a_backend_that_fails_is_left_alone_twice_as_long_each_time(pace):
    rests = [pace.rest]
    for _ in range(8):
        pace.failed()
        rests.append(pace.rest)
    assert rests == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, LONGEST_REST, LONGEST_REST, LONGEST_REST]
    assert pace.allowed == 1
    for _ in range(2000):
        pace.failed()
    assert pace.rest == LONGEST_REST
    pace.took(0.1)
    assert pace.rest == 0.0
