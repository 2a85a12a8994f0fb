"""What is understood of k6's summary."""

from bench.peers.openmodel import Opened, understood

METRICS = {
    "http_reqs": {"count": 5000, "rate": 2500.0},
    "http_req_failed": {"passes": 2, "fails": 4998, "value": 0.0004},
    "http_req_duration": {"med": 0.4, "p(99)": 3.5},
}


def test_failures_are_what_passed_as_failed():
    assert understood({"metrics": METRICS}) == Opened(requests=5000, failed=2, dropped=0, p50=0.4, p99=3.5)


def test_what_was_left_out_is_counted():
    metrics = METRICS | {"dropped_iterations": {"count": 7, "rate": 3.5}}
    assert understood({"metrics": metrics}).dropped == 7
