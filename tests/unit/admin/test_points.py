import pytest

from proxy.admin.points import Sample, point_of, quantile
from proxy.observe.counters import BOUNDS
from proxy.observe.pulse import Pulse

NONE = (0,) * (len(BOUNDS) + 1)


def buckets(**counts):
    """``b5=3``: three answers in the fifth bucket."""
    made = list(NONE)
    for name, count in counts.items():
        made[int(name[1:])] = count
    return tuple(made)


def sample(at, outcomes=None, cached=NONE, fetched=NONE, saved=0.0, in_flight=0):
    return Sample(at, 1_790_000_000.0 + at, Pulse(outcomes or {}, cached, fetched, saved, in_flight))


@pytest.mark.parametrize(
    ("counts", "share", "seconds"),
    [
        pytest.param(NONE, 0.5, None, id="of nothing"),
        pytest.param(buckets(b0=10), 0.5, BOUNDS[0] / 2, id="the middle of the first bucket"),
        pytest.param(buckets(b0=10), 1.0, BOUNDS[0], id="all of it"),
        pytest.param(buckets(b0=50, b1=50), 0.75, 0.00075, id="the middle of the second"),
        pytest.param(buckets(b0=50, b1=50), 0.5, BOUNDS[0], id="where two meet"),
        pytest.param(buckets(b0=1, b9=1), 0.95, 0.475, id="buckets between that are empty"),
        pytest.param(buckets(b0=1, b15=99), 0.95, BOUNDS[-1], id="beyond the last bound"),
    ],
)
def test_a_quantile_is_estimated_from_buckets(counts, share, seconds):
    assert quantile(counts, share) == (None if seconds is None else pytest.approx(seconds))


def test_rates_are_of_the_last_second_by_how_answers_came_about():
    before = sample(9.0, {"hit_memory": 5, "miss": 1}, saved=1.0)
    outcomes = {"hit_memory": 15, "hit_redis": 4, "stale": 2, "miss": 2, "collapsed": 2, "revalidated": 2, "bypass": 6}
    last = sample(11.0, {**outcomes, "error": 3, "refused": 1}, saved=4.0, in_flight=7)
    point = point_of([before, last])
    assert point["t"] == 1_790_000_011.0
    shown = {name: point[name] for name in ("hit", "stale", "fetched", "bypass", "failed", "saved", "in_flight")}
    assert shown == {
        "hit": 7.0,
        "stale": 1.0,
        "fetched": 2.5,
        "bypass": 3.0,
        "failed": 2.0,
        "saved": 1.5,
        "in_flight": 7,
    }
    assert point["hit_rate"] == round(100 * 18 / 21, 2)


def test_hit_rate_and_latency_are_of_the_last_ten_seconds():
    old = sample(0.0, {"miss": 0}, cached=NONE)
    first = sample(1.0, {"miss": 100}, cached=buckets(b5=100), fetched=NONE)
    last = sample(11.0, {"miss": 101, "hit_redis": 3}, cached=buckets(b5=100, b0=4), fetched=buckets(b9=2))
    point = point_of([old, first, sample(10.0, {"miss": 100}), last])
    assert point["hit_rate"] == 75.0
    assert (point["cached_p50"], point["cached_p95"]) == (0.25, 0.475)
    assert (point["fetched_p50"], point["fetched_p95"]) == (375.0, 487.5)


def test_of_a_gap_that_is_longer_the_last_two_are_compared():
    point = point_of([sample(0.0), sample(1.0, {"miss": 1}), sample(61.0, {"miss": 61})])
    assert (point["fetched"], point["hit_rate"]) == (1.0, 0.0)


def test_of_no_answers_nothing_is_claimed():
    point = point_of([sample(0.0), sample(1.0)])
    assert {point[name] for name in ("hit_rate", "cached_p50", "cached_p95", "fetched_p50", "fetched_p95")} == {None}
    assert {point[name] for name in ("hit", "stale", "fetched", "bypass", "failed", "saved")} == {0.0}


def test_counts_that_went_back_are_no_negative_rates():
    point = point_of([
        sample(0.0, {"miss": 50}, fetched=buckets(b1=50), saved=9.0), sample(0.0, {"miss": 1}, fetched=buckets(b1=1)),
    ])  # fmt: skip
    assert (point["fetched"], point["saved"], point["hit_rate"], point["fetched_p50"]) == (0.0, 0.0, None, None)
