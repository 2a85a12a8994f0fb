"""Jobs: how they stand, and how many are remembered."""

from __future__ import annotations

import pytest

from proxy.warming.jobs import MOST_JOBS, Job, Jobs
from proxy.warming.runs import Run


@pytest.mark.parametrize(
    ("states", "state"),
    [
        pytest.param(["pending", "pending"], "pending", id="not begun"),
        pytest.param(["pending", "done"], "running", id="half"),
        pytest.param(["running", "failed"], "running", id="not at its end"),
        pytest.param(["done", "done"], "done", id="done"),
        pytest.param(["done", "failed"], "failed", id="one failed"),
    ],
)
def test_a_job_stands_as_its_runs_do(states, state):
    job = Job("order", 0.0, tuple(Run("w", "order", state=one) for one in states))
    assert job.state == state
    assert job.as_dict()["state"] == state


def test_the_newest_comes_first_and_the_oldest_is_forgotten():
    jobs = Jobs()
    made = [jobs.add(Job("order", float(number), (Run("w", "order"),))) for number in range(MOST_JOBS + 5)]
    assert [job["id"] for job in jobs.shown()] == [job.id for job in reversed(made[5:])]
    assert jobs.under_way == MOST_JOBS
    made[-1].runs[0].state = "done"
    assert jobs.under_way == MOST_JOBS - 1
    jobs.drop(made[-1])
    jobs.drop(made[-1])
    assert len(jobs.shown()) == MOST_JOBS - 1
