"""How what a run took is divided among its requests."""

import pytest

from bench.peers.crowd import Answers
from bench.peers.ways import Used, latencies, shares


@pytest.mark.parametrize(
    ("used", "requests", "open_at_end", "expected"),
    [
        pytest.param(Used(1.0, 0), 10_000, 64, {"cost": 100, "busy": 50, "backend": 0}, id="hits"),
        pytest.param(
            Used(1.0, 1064), 1000, 64, {"cost": 1000, "busy": 50, "backend": 100}, id="misses, some under way"
        ),
        pytest.param(Used(1.0, 1200), 1000, 64, {"cost": 1000, "busy": 50, "backend": 113.6}, id="more than that"),
        pytest.param(Used(0.0, 0), 0, 64, {"cost": 0, "busy": 0, "backend": 0}, id="nothing was done"),
    ],
)
def test_costs_are_of_requests_done(used, requests, open_at_end, expected):
    assert shares(used, requests, 2.0, open_at_end) == pytest.approx(expected)


def test_latencies_are_in_milliseconds():
    assert latencies(Answers([0.001] * 98 + [0.5, 1.0])) == {"p50": 1.0, "p99": 500.0}
    assert latencies(Answers()) == {}
