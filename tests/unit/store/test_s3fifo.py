from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.message.stored import Uncacheable
from proxy.store.kept import Kept
from proxy.store.s3fifo import S3Fifo

NOW = 1000.0
VALUE = Uncacheable("private", 0.0)


class Cache:
    """The queues with what they decide about, by name."""

    def __init__(self, budget):
        self.queues = S3Fifo(budget)
        self.items = {}

    def ask(self, name, size=10, *, ends=NOW + 60):
        """Hit it, or else keep it; say whether it was a hit."""
        if name in self.items:
            self.items[name].hits += 1
            return True
        self.add(name, size, ends=ends)
        return False

    def add(self, name, size=10, *, ends=NOW + 60):
        self.items[name] = Kept(str(name), b"", VALUE, ends, size)
        self.out(self.queues.add(self.items[name], NOW))

    def replace(self, name, size):
        before, after = self.items[name], Kept(str(name), b"", VALUE, NOW + 60, size)
        self.items[name] = after
        self.out(self.queues.replace(before, after, NOW))

    def resize(self, name, size):
        self.out(self.queues.resize(self.items[name], size, NOW))

    def remove(self, name):
        self.queues.remove(self.items.pop(name))

    def out(self, gone):
        for item in gone:
            names = [name for name, kept in self.items.items() if kept is item]
            assert len(names) == 1  # what goes was there, and goes once
            del self.items[names[0]]


BUDGET = 1000
SIZES = st.one_of(st.integers(1, 60), st.integers(1, BUDGET))
STEPS = st.tuples(
    st.sampled_from(["ask", "ask", "ask", "replace", "resize", "remove"]),
    st.integers(0, 60),
    SIZES,
    st.sampled_from([NOW - 1, NOW + 60]),
)


@given(st.lists(STEPS, max_size=300))
@settings(max_examples=200, deadline=None)
def test_whatever_happens_the_budget_holds_and_every_byte_is_counted(steps):
    cache = Cache(BUDGET)
    for what, name, size, ends in steps:
        if what == "ask":
            cache.ask(name, size, ends=ends)
        elif name in cache.items:
            getattr(cache, what)(*(name, size) if what != "remove" else (name,))
        if what != "remove" and name in cache.items:
            assert cache.queues.size <= BUDGET
        assert cache.queues.size == sum(item.size for item in cache.items.values())
        assert len(cache.queues) == len(cache.items)
        assert cache.queues.remembered <= 2 * 17 + 61
    cache.queues.clear()
    assert (cache.queues.size, len(cache.queues), cache.queues.remembered) == (0, 0, 0)


@given(st.lists(st.tuples(st.sampled_from(["ask", "replace", "resize"]), st.integers(0, 30), SIZES), max_size=200))
def test_what_was_just_kept_replaced_or_resized_stays(steps):
    cache = Cache(BUDGET)
    for what, name, size in steps:
        if what == "ask":
            cache.ask(name, size)
        elif name in cache.items:
            getattr(cache, what)(name, size)
        else:
            continue
        assert name in cache.items


def test_what_came_back_stays_among_the_popular():
    cache = Cache(1000)
    for name in range(40):
        cache.add(name, 20)
        cache.items[name].hits = 9
    for name in range(100, 120):
        cache.ask(name, 20)
    for name in range(40):
        cache.items[name].hits = 9
    assert all(cache.items[name].is_proven for name in range(40))
    assert 100 not in cache.items

    cache.ask(100, 400)

    assert cache.items[100].is_proven


def test_what_is_asked_for_once_drives_out_only_its_like():
    cache = Cache(1000)
    for _ in range(3):
        for name in range(50):
            cache.ask(name)

    for name in range(1000, 3000):
        cache.ask(name)

    assert all(cache.ask(name) for name in range(50))


def test_what_comes_back_soon_is_kept_without_a_hit():
    cache = Cache(1000)
    for name in range(100, 200):  # full; these were all asked for
        cache.ask(name)
        cache.ask(name)
    cache.ask("back")
    for name in range(200, 220):
        cache.ask(name)
    assert "back" not in cache.items

    cache.ask("back")
    for name in range(300, 340):
        cache.ask(name)

    assert "back" in cache.items


def test_what_comes_back_late_is_forgotten():
    cache = Cache(1000)
    cache.ask("back")
    for name in range(1000):
        cache.ask(name)

    cache.ask("back")
    for name in range(2000, 2200):
        cache.ask(name)

    assert "back" not in cache.items


def test_in_the_place_of_a_large_one_many_small_ones_stay():
    cache = Cache(1000)
    for name in ("large", *range(30)):
        cache.ask(name, 300 if name == "large" else 10)
        cache.ask(name)
        cache.ask(name)
    for name in range(100, 141):
        cache.ask(name)

    assert "large" not in cache.items
    assert all(name in cache.items for name in range(30))


def test_a_large_one_that_is_asked_for_often_stays():
    cache = Cache(1000)
    for _ in range(30):
        for name in range(60):
            cache.ask(name)
        for _ in range(20):
            cache.ask("large", 300)

    assert "large" in cache.items


def test_what_has_ended_goes_whatever_its_hits_and_is_not_remembered():
    cache = Cache(1000)
    for name in range(100):
        cache.ask(name, ends=NOW)
        for _ in range(9):
            cache.ask(name)
    for name in range(100, 110):
        cache.ask(name)

    assert not set(range(10)) & set(cache.items)
    cache.ask(0)
    assert not cache.items[0].is_proven


def a_popular_lot(hits):
    """45 in the main queue, and the small one at its share of 50 bytes."""
    cache = Cache(1000)
    for name in range(45):
        cache.add(name, 20)
        cache.items[name].hits = 9
    for name in range(100, 120):
        cache.ask(name)
    for name in range(45):
        assert cache.items[name].is_proven
        cache.items[name].hits = hits
    return cache


def test_what_has_ended_leaves_the_main_queue_whatever_its_hits():
    cache = a_popular_lot(9)
    cache.items[5].ends = NOW

    cache.ask(100, 60)  # remembered, so to the main queue

    assert set(range(45)) - set(cache.items) == {5}


def test_of_the_popular_looked_at_the_one_with_fewest_hits_goes():
    cache = a_popular_lot(6)
    cache.items[40].hits = 5

    cache.ask(100, 60)

    assert set(range(45)) - set(cache.items) == {40}


def test_no_more_is_remembered_than_kept():
    cache = Cache(1000)
    for name in range(2000):
        cache.ask(name)

    assert len(cache.items) == 100
    assert 50 <= cache.queues.remembered <= 102


def test_a_replacement_has_the_place_and_the_hits():
    cache = Cache(1000)
    for _ in range(3):
        cache.ask("one")
    cache.replace("one", 20)
    assert cache.items["one"].hits == 2
    for name in range(200):
        cache.ask(name)

    assert cache.items["one"].is_proven


def test_where_all_are_popular_the_look_for_one_to_go_ends():
    cache = Cache(100_000)
    for name in range(10_000):
        cache.add(name)
        cache.items[name].hits = 9

    assert touched_by(cache, lambda: cache.ask("first")) <= 64 + 64 + 1
    for name in range(20_000, 20_400):
        cache.ask(name)
        cache.ask(name)
    for item in cache.items.values():
        item.hits = 9
    assert touched_by(cache, lambda: cache.resize(20_399, 20)) <= 64 + 64


def touched_by(cache, step):
    before = {name: item.hits for name, item in cache.items.items()}
    step()
    return sum(1 for name, hits in before.items() if name not in cache.items or cache.items[name].hits != hits)
