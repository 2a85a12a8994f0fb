import pytest

from proxy.observe.counters import Counters
from proxy.observe.events import Outcome, RequestServed
from proxy.observe.intervals import Datum, Look, between, look
from proxy.observe.stats import RedisFacts
from proxy.observe.totals import Totals

BEFORE = Look(Totals(hits=100, misses=50, seconds_saved=3.0), 1.0, RedisFacts(0, 0, 0, 10, 100, evicted_keys=7))


def named(data):
    return {datum.name: (datum.unit, datum.value) for datum in data}


def test_an_interval_is_the_difference_of_two_looks():
    after = Look(
        Totals(hits=160, misses=60, stale=10, collapsed=10, bypass=5, errors=5, seconds_saved=4.5),
        1.3,
        RedisFacts(0, 0, 0, 91, 100, evicted_keys=10),
    )
    data = between(BEFORE, after, 60.0)
    assert {datum.at for datum in data} == {60.0}
    assert named(data) == {
        "HitRate": ("Percent", 77.78),
        "MissRate": ("Percent", 22.22),
        "ErrorRate": ("Percent", 5.0),
        "TotalRequests": ("Count", 100.0),
        "CacheHits": ("Count", 70.0),
        "CacheMisses": ("Count", 20.0),
        "Errors": ("Count", 5.0),
        "Latency": ("Milliseconds", 5.0),
        "BackendSecondsSaved": ("Seconds", 1.5),
        "MemoryUsage": ("Percent", 91.0),
        "Evictions": ("Count", 3.0),
    }


def test_a_rate_of_nothing_is_left_out():
    quiet = Look(BEFORE.totals, BEFORE.hit_seconds, None)
    assert set(named(between(BEFORE, quiet, 1.0))) == {
        "TotalRequests", "CacheHits", "CacheMisses", "Errors", "BackendSecondsSaved",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "evictions"),
    [
        pytest.param(RedisFacts(0, 0, 0, 1, evicted_keys=7), RedisFacts(0, 0, 0, 1, evicted_keys=9), 2.0, id="two"),
        pytest.param(
            RedisFacts(0, 0, 0, 1, evicted_keys=7), RedisFacts(0, 0, 0, 1, evicted_keys=1), 0.0, id="restarted"
        ),
        pytest.param(None, RedisFacts(0, 0, 0, 1, evicted_keys=9), None, id="no answer before"),
        pytest.param(RedisFacts(0, 0, 0, 1), None, None, id="no answer now"),
    ],
)
def test_evictions(before, after, evictions):
    found = named(between(Look(Totals(), redis=before), Look(Totals(), redis=after), 1.0)).get("Evictions")
    assert found == (None if evictions is None else ("Count", evictions))
    assert Datum("Evictions", "Count", 1.0, 2.0).at == 2.0


def test_a_look_adds_up_all_routes_and_only_hits_have_a_latency():
    counters = Counters(lambda: 0.0)
    for route, outcome in (("a", Outcome.HIT_MEMORY), ("b", Outcome.HIT_REDIS), ("b", Outcome.MISS)):
        counters.tell(RequestServed(route, outcome, "GET", "/", 200, 0.5, 1, "i", "c"))
    seen = look(counters, None)
    assert (seen.totals.hits, seen.totals.misses, seen.hit_seconds, seen.redis) == (2, 1, 1.0, None)
