from dataclasses import fields

import pytest
from counting import ONE_OF_EACH, counted

from proxy.observe.counters import MOST_ROUTES, OVERFLOW
from proxy.observe.events import (
    BreakerMoved,
    LifetimeAdapted,
    OriginAnswered,
    Outcome,
    Purged,
    RequestServed,
    ResponseStored,
    StoreAnswered,
    WarmerRan,
)
from proxy.observe.gauges import Gauges
from proxy.observe.metrics import Metrics
from proxy.observe.snapshots import counters_of, snapshot
from proxy.observe.stats import Stats
from proxy.observe.summing import GAUGES, add, become, ended, ended_gauges, sum_of_gauges, total

THERE = [
    RequestServed("plan", Outcome.MISS, "GET", "/x", 404, 0.5, 10, "id", "::1", namespace="plans"),
    RequestServed("other", Outcome.BYPASS, "GET", "/x", 200, 0.125, 10, "id", "::1"),
    OriginAnswered("plan", 404, 0.5),
    OriginAnswered("other", 200, 0.125),
    StoreAnswered("load", 0.25),
    StoreAnswered("save", 0.25, "timeout"),
    ResponseStored("plan", "plans", 1024, 100.0),
    LifetimeAdapted("plan", "plans", "hot"),
    LifetimeAdapted("plan", "plans", "cold"),
    Purged("api", "hard", ("tag:a",), "e:2"),
    Purged("write", "soft", ("tag:a",), "e:3"),
    WarmerRan("plans", "order", {"warmed": 2, "failed": 1}, 0.25),
    WarmerRan("plans", "order", {"warmed": 2}, 0.25),
]


def test_what_two_have_counted_is_what_one_would_have():
    apart = total([counted(*ONE_OF_EACH), counted(*THERE)])
    assert snapshot(apart) | {"store": None} == snapshot(counted(*ONE_OF_EACH, *THERE)) | {"store": None}


def test_the_sum_leaves_its_parts_alone():
    parts = [counted(*ONE_OF_EACH), counted(*THERE)]
    before = [snapshot(part) for part in parts]
    whole = total(parts)
    whole.tell(OriginAnswered("plan", 200, 0.1))
    whole.served["plan", "plans", Outcome.MISS].timing.add(1.0)
    assert [snapshot(part) for part in parts] == before


def test_snapshots_are_added_as_what_they_are_of():
    one, other = counted(*ONE_OF_EACH), counted(*THERE)
    assert add(snapshot(one), snapshot(other)) == snapshot(total([one, other]))


def test_a_route_was_last_read_when_any_of_them_read_it_last():
    whole = total([counted(*ONE_OF_EACH, at=2000.0), counted(*ONE_OF_EACH, at=1000.0)])
    assert whole.served["plan", "plans", Outcome.MISS].last == 2000.0


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param([], None, id="nobody has asked"),
        pytest.param([True], True, id="one was answered"),
        pytest.param([False, True], False, id="the first was not"),
        pytest.param([True, False], False, id="the second was not"),
        pytest.param([True, True], True, id="both were"),
    ],
)
def test_the_backend_answers_if_it_answered_everybody(answers, expected):
    parts = [counted(), *(counted(OriginAnswered("plan", 200 if answered else 0, 0.1)) for answered in answers)]
    assert total(parts).upstream_answers is expected


@pytest.mark.parametrize("first", [True, False], ids=["the first has it", "the second has it"])
@pytest.mark.parametrize(
    ("event", "state"),
    [
        pytest.param(StoreAnswered("load", 0.1, "timeout"), (False, False, False), id="no answer"),
        pytest.param(StoreAnswered("save", 0.1, "reply"), (True, True, False), id="refused"),
        pytest.param(BreakerMoved(is_open=True), (False, False, True), id="left alone"),
    ],
)
def test_the_store_is_as_bad_as_anybody_finds_it(event, state, first):
    parts = [counted(event), counted()]
    store = total(parts if first else parts[::-1]).store
    assert (store.is_up, store.refuses, store.breaker_open) == state


def test_who_is_no_more_leaves_counts_and_no_opinions():
    gone = ended(counted(*ONE_OF_EACH, OriginAnswered("plan", 0, 1.0), StoreAnswered("save", 0.1, "timeout")))
    assert total([gone, counted(OriginAnswered("plan", 200, 0.1))]).upstream_answers is True
    assert gone.store.is_up
    assert gone.failures == {"load": 0, "save": 1}
    assert gone.upstream["plan"][0] == 1


def test_sums_have_no_more_routes_than_anybody_may_have():
    parts = [
        counted(
            *(OriginAnswered(f"{who}{number}", 200, 0.1) for number in range(MOST_ROUTES)),
            *(ResponseStored(f"{who}{number}", "n", 1, 1.0) for number in range(MOST_ROUTES)),
            RequestServed(f"{who}0", Outcome.MISS, "GET", "/x", 200, 0.3, 10, "id", "::1"),
        )
        for who in "ab"
    ]
    whole = total(parts)
    assert len(whole.upstream) == len(whole.kept) == MOST_ROUTES + 1
    assert sum(whole.upstream[OVERFLOW]) == whole.kept[OVERFLOW, ""].count == MOST_ROUTES
    assert whole.served[OVERFLOW, "", Outcome.MISS].classes[2] == 1


def test_metrics_and_statistics_read_a_sum_as_they_read_one():
    one = counted(*ONE_OF_EACH, *THERE)
    whole = counters_of(add(snapshot(counted(*ONE_OF_EACH)), snapshot(counted(*THERE))))
    assert whole.store.is_up is False
    one.store = whole.store
    assert Metrics(whole, Gauges).render() == Metrics(one, Gauges).render()
    documents = [Stats(counters, lambda: 5.0).document(enabled=True) for counters in (whole, one)]
    assert documents[0] == documents[1]
    assert documents[0]["total_requests"] == 4


def test_what_others_hold_becomes_the_sum():
    held = counted(*ONE_OF_EACH)
    stats = Stats(held, lambda: 5.0)
    stats.reset()
    become(held, total([counted(*ONE_OF_EACH), counted(*THERE)]))
    assert stats.document(enabled=True)["total_requests"] == 2
    held.tell(THERE[0])
    assert held.served["plan", "plans", Outcome.MISS].last == 1000.0, "it keeps its own clock"


def test_every_gauge_can_be_summed():
    assert list(GAUGES) == [field.name for field in fields(Gauges)]


LEADER = Gauges(redis_memory_ratio=0.5, redis_evictions=9, config_hash="abc", purge_selectors=7, workers_up=2)
ONE = Gauges(3, 1000, 10, 5, 0.2, 6, {"answered": 4, "failed": 1}, config_hash="old", worker_restarts=1)
OTHER = Gauges(1, 500, 2, 0, 0.4, 7, {"answered": 2, "healed": 1}, config_reload_ok=False)


def test_gauges_of_a_sidecar():
    assert sum_of_gauges([LEADER, ONE, OTHER]) == Gauges(
        upstream_in_flight=4,
        memory_bytes=1500,
        memory_entries=12,
        memory_evictions=5,
        purge_mirror_lag=0.4,
        purge_selectors=7,
        purge_looks={"answered": 6, "failed": 1, "healed": 1},
        redis_memory_ratio=0.5,
        redis_evictions=9,
        config_reload_ok=False,
        config_hash="abc",
        workers_up=2,
        worker_restarts=1,
    )


def test_what_nobody_knows_is_not_known_of_all_either():
    assert sum_of_gauges([Gauges(), Gauges()]) == Gauges()


def test_what_only_grows_does_so_when_a_process_ends():
    assert sum_of_gauges([LEADER, ended_gauges(ONE)]) == Gauges(
        memory_evictions=5,
        purge_selectors=7,
        purge_looks={"answered": 4, "failed": 1},
        redis_memory_ratio=0.5,
        redis_evictions=9,
        config_hash="abc",
        workers_up=2,
    )
