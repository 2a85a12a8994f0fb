from proxy.observe.counters import BOUNDS, Counters
from proxy.observe.events import Outcome, RequestServed
from proxy.observe.pulse import FETCHED, FROM_CACHE, pulse_of


def served(counters, outcome, seconds, *, route="plan", saved=0.0):
    counters.tell(RequestServed(route, outcome, "GET", "/", 200, seconds, 1, "i", "c", seconds_saved=saved))


def test_all_routes_are_one_sum():
    counters = Counters(lambda: 0.0)
    served(counters, Outcome.HIT_MEMORY, 0.0001, saved=0.3)
    served(counters, Outcome.HIT_REDIS, 0.0004, saved=0.2, route="catalog")
    served(counters, Outcome.STALE, 0.002)
    served(counters, Outcome.MISS, 0.3)
    served(counters, Outcome.REVALIDATED, 99.0)
    served(counters, Outcome.BYPASS, 0.0001)
    seen = pulse_of(counters, in_flight=3, memory_bytes=10, memory_entries=2)
    assert seen.outcomes == {
        **dict.fromkeys((outcome.value for outcome in Outcome), 0),
        **dict.fromkeys(("hit_memory", "hit_redis", "stale", "miss", "revalidated", "bypass"), 1),
    }
    assert seen.cached[:3] == (2, 0, 1)
    assert sum(seen.cached) == 3
    assert (seen.fetched[BOUNDS.index(0.5)], seen.fetched[-1], sum(seen.fetched)) == (1, 1, 2)
    assert seen.seconds_saved == 0.5
    assert (seen.in_flight, seen.memory_bytes, seen.memory_entries) == (3, 10, 2)


def test_no_answer_is_both_from_the_cache_and_fetched():
    assert FROM_CACHE.isdisjoint(FETCHED)
