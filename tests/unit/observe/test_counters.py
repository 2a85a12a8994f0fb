import pytest

from proxy.observe.counters import BOUNDS, CLASSES, MOST_ROUTES, OVERFLOW, Counters, Timing, class_index
from proxy.observe.events import (
    BreakerMoved,
    OriginAnswered,
    Outcome,
    Purged,
    RequestServed,
    ResponseStored,
    StoreAnswered,
    TaskFailed,
)


def served(route="plan", outcome=Outcome.MISS, status=200, seconds=0.3, namespace="", saved=0.0):
    return RequestServed(
        route, outcome, "GET", "/x", status, seconds, 10, "id", "::1", namespace=namespace, seconds_saved=saved
    )


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (0, "none"),
        (-1, "none"),
        (101, "1xx"),
        (200, "2xx"),
        (304, "3xx"),
        (404, "4xx"),
        (599, "5xx"),
        (600, "other"),
        (999, "other"),
    ],
)
def test_a_status_belongs_to_one_class(status, name):
    assert CLASSES[class_index(status)] == name


@pytest.mark.parametrize(
    ("seconds", "place"),
    [
        pytest.param(0.0, 0, id="nothing"),
        pytest.param(BOUNDS[0], 0, id="a bound belongs to its own bucket"),
        pytest.param(BOUNDS[0] * 1.01, 1, id="just over a bound"),
        pytest.param(31.0, len(BOUNDS), id="longer than all bounds"),
    ],
)
def test_a_time_falls_into_the_first_bucket_that_holds_it(seconds, place):
    timing = Timing()
    timing.add(seconds)
    assert timing.counts.index(1) == place
    assert timing.total == seconds


def test_requests_are_counted_by_route_namespace_outcome_and_class():
    counters = Counters(lambda: 1000.0)
    counters.tell(served(namespace="plans", saved=0.2))
    counters.tell(served(namespace="plans", status=404))
    counters.tell(served(outcome=Outcome.HIT_MEMORY, namespace="plans"))
    row = counters.served["plan", "plans", Outcome.MISS]
    assert row.classes == [0, 0, 1, 0, 1, 0, 0]
    assert (row.saved, row.last, row.timing.total) == (0.2, 1000.0, 0.6)
    assert counters.served["plan", "plans", Outcome.HIT_MEMORY].classes[2] == 1


def test_the_backend_the_store_purges_and_stored_responses_are_counted():
    counters = Counters(lambda: 0.0)
    for event in (
        OriginAnswered("plan", 200, 0.3),
        OriginAnswered("plan", 0, 30.0, "timeout"),
        StoreAnswered("load", 0.001),
        StoreAnswered("load", 2.0, "timed out"),
        ResponseStored("plan", "plans", 100, 60.0),
        ResponseStored("plan", "plans", 300, 120.0),
        Purged("api", "hard", ("tag:a",), "e:1"),
        Purged("api", "hard", ("tag:a",), "", failure="timed out"),
        TaskFailed("refresh", ValueError()),
    ):
        counters.tell(event)
    assert counters.upstream["plan"][0] == 1
    assert counters.upstream["plan"][2] == 1
    assert counters.upstream_answers is False
    assert sum(counters.operations["load"].counts) == 2
    assert counters.failures == {"load": 1}
    assert counters.store.is_up is False
    kept = counters.kept["plan", "plans"]
    assert (kept.count, kept.stored_bytes, kept.ttl) == (2, 400, 180.0)
    assert counters.purges == {("api", "hard"): 1}


def test_the_store_is_down_while_the_breaker_is_open():
    counters = Counters(lambda: 0.0)
    counters.tell(BreakerMoved(is_open=True))
    assert (counters.store.is_up, counters.store.breaker_open) == (False, True)
    counters.tell(BreakerMoved(is_open=False))
    assert (counters.store.is_up, counters.store.breaker_open) == (True, False)


def test_the_number_of_labels_is_bounded():
    counters = Counters(lambda: 0.0)
    for number in range(MOST_ROUTES + 50):
        counters.tell(served(route=f"r{number}", namespace="n"))
        counters.tell(OriginAnswered(f"r{number}", 200, 0.1))
        counters.tell(ResponseStored(f"r{number}", "n", 1, 1.0))
    assert len(counters.served) == len(counters.upstream) == len(counters.kept) == MOST_ROUTES + 1
    assert counters.served[OVERFLOW, "", Outcome.MISS].classes[2] == 50
    assert counters.upstream[OVERFLOW][2] == 50
    counters.tell(served(route="r0", namespace="n"))
    assert counters.served["r0", "n", Outcome.MISS].classes[2] == 2


@pytest.mark.parametrize(
    ("failure", "is_up", "refuses"),
    [
        pytest.param("", True, False, id="saved"),
        pytest.param("reply", True, True, id="full: it is there, and refuses"),
        pytest.param("cancelled", True, False, id="nobody waited"),
        pytest.param("timeout", False, False, id="silent"),
        pytest.param("connection", False, False, id="gone"),
    ],
)
def test_what_a_failed_save_says_of_the_store(failure, is_up, refuses):
    counters = Counters(lambda: 0.0)
    counters.tell(StoreAnswered("save", 0.001, failure))
    assert (counters.store.is_up, counters.store.refuses) == (is_up, refuses)
    assert counters.failures["save"] == (failure not in {"", "cancelled"})
