"""The table of scenarios fits together."""

import pytest

from bench.peers.scenarios import GOALS, SCENARIOS
from bench.peers.ways import UNITS, WAYS


def test_names_and_labels_are_unique():
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)
    for scenario in SCENARIOS:
        assert len({entry.label for entry in scenario.entries}) == len(scenario.entries)


def test_every_scenario_is_asked_in_a_way_that_there_is():
    assert {scenario.way for scenario in SCENARIOS} == set(WAYS)


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: f"{goal.scenario} {goal.quantity} beside {goal.theirs}")
def test_a_goal_is_of_what_is_measured(goal):
    (scenario,) = (scenario for scenario in SCENARIOS if scenario.name == goal.scenario)
    labels = {entry.label for entry in scenario.entries}
    assert goal.quantity in UNITS
    assert {goal.ours, goal.theirs or goal.ours} <= labels


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_labels_begin_with_the_kind_that_is_chosen_by(scenario):
    assert {entry.label.split(",")[0] for entry in scenario.entries} <= {"sapwood", "nginx", "varnish", "haproxy"}
