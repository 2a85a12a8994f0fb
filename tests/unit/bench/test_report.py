"""What the record keeps, and how it is judged."""

import pytest

from bench.peers.measure import Measured
from bench.peers.report import cell, judged, number, piece_of, reach, show, spoilt, spread_of
from bench.peers.scenarios import SCENARIOS, Goal
from bench.peers.stats import Spread
from bench.peers.ways import Run
from bench.record import Record, dumped

HOT, *_ = SCENARIOS


def measured(label, *costs, failed=0, backend=0.0):
    return Measured(label, [Run({"cost": cost, "backend": backend}, failed) for cost in costs], memory=3 * 2**20)


@pytest.fixture
def pieces():
    return {"hot": piece_of(HOT, [measured("sapwood", 30, 20, 10), measured("nginx", 15, 10, 5)], 2.0)}


def test_a_piece_has_each_round_of_what_was_measured(pieces):
    assert pieces["hot"]["rounds"] == 3
    assert pieces["hot"]["servers"]["sapwood"]["runs"] == {"cost": [30, 20, 10], "backend": [0, 0, 0]}


def test_a_multiple_is_of_the_same_round(pieces):
    assert judged(Goal("hot", "cost", 1.0, theirs="nginx"), pieces) == Spread(2, 2, 2)


def test_a_goal_may_be_absolute(pieces):
    assert judged(Goal("hot", "cost", 1.0), pieces) == Spread(15, 20, 25)


@pytest.mark.parametrize(
    "goal",
    [
        pytest.param(Goal("hot", "cost", 1.0, theirs="varnish"), id="the other was left out"),
        pytest.param(Goal("hot", "cost", 1.0, ours="apache", theirs="nginx"), id="we were left out"),
        pytest.param(Goal("miss", "cost", 1.0), id="the scenario was left out"),
        pytest.param(Goal("hot", "p99", 1.0, theirs="nginx"), id="the quantity was not measured"),
    ],
)
def test_what_was_not_measured_is_not_judged(goal, pieces):
    assert judged(goal, pieces) is None


def test_a_goal_that_is_missed_is_said(pieces):
    record = Record("peers", "", {})
    reach(record, pieces)
    missed = [finding for finding in record.findings if finding.ok is False]
    assert [finding.found for finding in missed] == ["2"]
    assert "multiple of nginx" in missed[0].what
    assert missed[0].asked == "at most 1 times"
    assert not spoilt(record)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        pytest.param(measured("nginx", 1, failed=2), "hot, nginx: failed", id="a request failed"),
        pytest.param(measured("nginx", 1, backend=50.0), "hot, nginx: % of requests to the backend", id="no hits"),
    ],
)
def test_a_run_that_was_not_what_it_should_be_is_said(one, expected):
    record = Record("peers", "", {})
    reach(record, {"hot": piece_of(HOT, [one], 2.0)})
    assert expected in [finding.what for finding in record.findings if finding.ok is False]
    assert spoilt(record)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1234.5, "1,234"), (123.4, "123"), (12.34, "12.3"), (1.234, "1.23"), (0.01234, "0.01"), (4.0, "4"), (0.0, "0")],
)
def test_numbers_have_three_figures(value, expected):
    assert number(value) == expected


def test_quartiles_are_said_where_they_differ():
    assert cell(Spread(1, 2, 3)) == "2 (1 to 3)"
    assert cell(Spread(2, 2, 2)) == "2"
    assert cell(None) == ""


def test_the_table_shows_only_what_was_measured(pieces, capsys):
    show("hot", pieces["hot"])
    said = capsys.readouterr().out
    assert "µs CPU" in said
    assert "requests/s" not in said
    assert spread_of(pieces["hot"], "nobody", "cost") is None


def test_a_list_of_numbers_is_on_one_line():
    assert dumped({"runs": [1.5, None, -2], "names": ["a"]}) == (
        '{\n "runs": [1.5, null, -2],\n "names": [\n  "a"\n ]\n}\n'
    )
