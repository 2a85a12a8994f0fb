"""The policies beside which the hot tier is measured, and what nobody can pass."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.rivals import RIVALS, Belady, Fifo, Lru, S3FifoOfThePaper, Sieve, WTinyLfu, bound

SIZES = [1 + name * 7 % 13 for name in range(40)]
TRACES = st.lists(st.integers(0, 39), min_size=1, max_size=400)


def hits(cache, names, sizes=SIZES):
    return [cache.ask(name, sizes[name]) for name in names]


@given(TRACES, st.integers(14, 300))
@settings(deadline=None)
def test_nobody_passes_the_bound_nor_hits_what_was_never_asked_for(names, budget):
    best = bound(names, SIZES, budget)
    for cache in (*(rival(budget) for rival in RIVALS.values()), Belady(budget, names)):
        found = hits(cache, names)
        seen = set()
        for name, hit in zip(names, found, strict=True):
            assert not hit or name in seen
            seen.add(name)
        assert sum(found) / len(names) <= best + 1e-9


@given(TRACES)
def test_where_all_fits_everything_asked_for_again_is_a_hit(names):
    again = len(names) - len(set(names))
    for cache in (Fifo(9999), Lru(9999), Sieve(9999), S3FifoOfThePaper(9999), Belady(9999, names)):
        assert sum(hits(cache, names)) == again
    assert bound(names, SIZES, 9999) == pytest.approx(again / len(names))


@pytest.mark.parametrize(
    ("rival", "stays"),
    [
        pytest.param(Fifo, {2, 3, 4}, id="FIFO: the oldest goes, hit or not"),
        pytest.param(Lru, {1, 3, 4}, id="LRU: the least recently used goes"),
        pytest.param(Sieve, {1, 3, 4}, id="SIEVE: what was hit is spared once"),
    ],
)
def test_who_goes_for_the_fourth_of_three(rival, stays):
    cache = rival(3)
    for name in (1, 2, 3, 1, 4):
        cache.ask(name, 1)

    assert {name for name in (1, 2, 3, 4) if name in (cache.items if rival is Sieve else cache.sizes)} == stays


def test_sieve_leaves_what_it_spares_where_it_is():
    cache = Sieve(4)
    asked = (1, 2, 3, 4, 1, 5, 6, 7, 8)  # the hand spares 1 and goes on to younger ones; 1 does not move behind them
    for name in asked:
        cache.ask(name, 1)

    assert set(cache.items) == {1, 6, 7, 8}


def test_a_scan_passes_the_small_queue_and_the_window():
    for rival in (S3FifoOfThePaper, WTinyLfu):
        cache = rival(1000)
        for _ in range(4):
            hits(cache, range(40), [10] * 40)
        for name in range(1000, 3000):
            cache.ask(name, 10)
        assert sum(hits(cache, range(40), [10] * 40)) >= 38


def test_foresight_beats_everyone_on_a_loop():
    names = [name % 20 for name in range(2000)]
    sizes = [1] * 20

    assert sum(hits(Lru(10), names, sizes)) == 0
    assert sum(hits(Belady(10, names), names, sizes)) > 800


def test_sizes_and_names_are_the_same_in_every_run():
    from bench.plans import page

    assert page(7) == page(7)
    assert page(7) != page(8)
    assert 15_000 < len(page(random.Random(1).randrange(10**6))) < 26_000
    assert page(0)[:49] == b'{"items":[{"id":"95e6fbcd-7bec-428d-84e1-cb9f58ef'
