import pytest
from clocks import Clock

from proxy.observe.counters import Counters
from proxy.observe.events import LifetimeAdapted, Outcome, RequestServed, ResponseStored
from proxy.observe.shares import Counted, Share
from proxy.observe.stats import RedisFacts, Stats, human_size, moment, numbers
from proxy.observe.totals import Totals

NOON = 1_790_000_000.0


def tell(counters, outcome, times=1, *, route="plan", namespace="plans", saved=0.0):
    for _ in range(times):
        counters.tell(
            RequestServed(route, outcome, "GET", "/", 200, 0.1, 1, "i", "c", namespace=namespace, seconds_saved=saved)
        )


@pytest.fixture
def house():
    clock = Clock(NOON)
    counters = Counters(clock)
    return clock, counters, Stats(counters, clock)


def test_totals_have_the_names_that_todays_tools_read(house):
    _, _, stats = house
    document = stats.document(enabled=True, redis=RedisFacts(7, 3, 2, 1536, 3072))
    assert {
        "total_requests": 0,
        "cache_hits": 0,
        "cache_misses": 0,
        "errors": 0,
        "hit_rate": 0.0,
        "miss_rate": 0.0,
        "error_rate": 0.0,
        "last_reset": moment(NOON),
        "redis_keyspace_hits": 7,
        "redis_keyspace_misses": 3,
        "connected_clients": 2,
        "used_memory_human": "1.50K",
        "redis_memory_ratio": 0.5,
        "enabled": True,
    }.items() <= document.items()


def test_the_hit_rate_counts_what_was_used_again_and_leaves_out_what_passes_by(house):
    _, counters, stats = house
    tell(counters, Outcome.HIT_MEMORY, 3)
    tell(counters, Outcome.HIT_REDIS, 2)
    tell(counters, Outcome.STALE)
    tell(counters, Outcome.REVALIDATED)
    tell(counters, Outcome.MISS, 2)
    tell(counters, Outcome.COLLAPSED)
    tell(counters, Outcome.BYPASS, 100, route="none", namespace="")
    tell(counters, Outcome.REFUSED)
    tell(counters, Outcome.ERROR, 4)
    document = stats.document(enabled=True)
    assert (document["cache_hits"], document["cache_misses"]) == (7, 3)
    assert (document["hit_rate"], document["miss_rate"]) == (70.0, 30.0)
    assert document["total_requests"] == 115
    assert (document["errors"], document["error_rate"]) == (4, 3.48)
    assert stats.hit_rate == 70.0


def test_without_redis_what_only_redis_knows_is_null(house):
    document = house[2].document(enabled=False)
    assert document["used_memory_human"] is document["redis_keyspace_hits"] is document["redis_memory_ratio"] is None
    assert document["enabled"] is False


def test_each_route_and_each_namespace_has_its_line(house):
    clock, counters, stats = house
    tell(counters, Outcome.HIT_REDIS, 3, saved=0.25)
    clock.now += 60
    tell(counters, Outcome.MISS, 1, route="catalog")
    tell(counters, Outcome.BYPASS, 1, route="none", namespace="")
    counters.tell(ResponseStored("plan", "plans", 100, 60.0))
    counters.tell(ResponseStored("catalog", "plans", 300, 180.0))
    for step in ("hot", "cold", "hot"):
        counters.tell(LifetimeAdapted("plan", "plans", step))
    document = stats.document(enabled=True)
    assert list(document["routes"]) == ["catalog", "none", "plan"]
    assert document["routes"]["plan"] == {
        "requests": 3,
        "hits": 3,
        "misses": 0,
        "stale": 0,
        "revalidated": 0,
        "collapsed": 0,
        "bypass": 0,
        "errors": 0,
        "hit_rate": 100.0,
        "miss_rate": 0.0,
        "stored_bytes": 100,
        "avg_ttl": 60.0,
        "ttl_steps": {"base": 0, "hot": 2, "cold": 1},
        "avg_age_at_hit": 0.0,
        "ttl_advice": {"advice": "wait", "because": "fewer than 100 hits so far"},
        "last_accessed": moment(NOON),
        "seconds_saved": 0.75,
    }
    assert list(document["namespaces"]) == ["plans"]
    plans = document["namespaces"]["plans"]
    assert (plans["hits"], plans["misses"], plans["hit_rate"], plans["avg_ttl"]) == (3, 1, 75.0, 120.0)
    assert plans["last_accessed"] == moment(NOON + 60)
    assert document["routes"]["none"]["avg_ttl"] is None


def test_a_reset_begins_at_zero_and_the_counters_go_on(house):
    clock, counters, stats = house
    tell(counters, Outcome.HIT_REDIS, 3)
    counters.tell(ResponseStored("plan", "plans", 100, 60.0))
    clock.now += 10
    stats.reset()
    tell(counters, Outcome.MISS)
    document = stats.document(enabled=True)
    assert (document["total_requests"], document["cache_hits"], document["cache_misses"]) == (1, 0, 1)
    assert document["stored_bytes"] == 0
    assert document["routes"]["plan"]["hits"] == 0
    assert document["last_reset"] == moment(NOON + 10)
    assert sum(counters.served["plan", "plans", Outcome.HIT_REDIS].classes) == 3


@pytest.mark.parametrize(
    ("octets", "text"),
    [(0, "0B"), (1023, "1023B"), (1536, "1.50K"), (1 << 20, "1.00M"), (5 << 30, "5.00G"), (1 << 50, "1024.00T")],
)
def test_sizes_read_as_redis_writes_them(octets, text):
    assert human_size(octets) == text


def test_the_totals_are_of_all_replicas_and_this_one_stands_apart(house):
    _, counters, stats = house
    tell(counters, Outcome.HIT_REDIS, 3)
    elsewhere = Share(NOON - 60, {("plan", "plans"): Counted(Totals(misses=1), NOON + 5), ("new", ""): Counted()})
    document = stats.document(enabled=True, others=[elsewhere])
    assert (document["cache_hits"], document["cache_misses"], document["hit_rate"]) == (3, 1, 75.0)
    assert document["last_reset"] == moment(NOON - 60)
    assert document["routes"]["plan"]["last_accessed"] == moment(NOON + 5)
    assert list(document["routes"]) == ["new", "plan"]
    assert document["replica"] == numbers(stats.share(), NOON)
    assert (document["replica"]["cache_misses"], document["replica"]["last_reset"]) == (0, moment(NOON))


def test_memory_ratio_needs_a_limit():
    assert RedisFacts(0, 0, 0, 10).memory_ratio is None


def test_a_route_has_the_mean_age_of_its_hits_and_what_that_advises(house):
    clock, counters, stats = house
    for _ in range(200):
        counters.tell(RequestServed("plan", Outcome.HIT_REDIS, "GET", "/", 200, 0.1, 1, "i", "c", ttl=30.0, age=30.0))
    tell(counters, Outcome.MISS, 50, namespace="")
    counters.tell(RequestServed("plan", Outcome.STALE, "GET", "/", 200, 0.1, 1, "i", "c", ttl=-9.0, age=900.0))
    clock.now += 600
    line = stats.document(enabled=True)["routes"]["plan"]
    assert line["avg_age_at_hit"] == 30.0
    assert line["ttl_advice"]["advice"] == "raise"
    assert "30 s of 60 s" in line["ttl_advice"]["because"]
    assert "20%" in line["ttl_advice"]["because"]
    stats.reset()
    line = stats.document(enabled=True)["routes"]["plan"]
    assert (line["avg_age_at_hit"], line["ttl_advice"]["advice"]) == (None, "wait")
