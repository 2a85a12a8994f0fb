"""Reads per entry, and which of them a purge would hit."""

from __future__ import annotations

import random
from collections import Counter
from itertools import accumulate

import pytest

from proxy.message.headers import Headers
from proxy.popularity.counts import MOST_SHOWN, Estimate, Popularity
from proxy.popularity.recipes import Recipe


def a_recipe(target: str) -> Recipe:
    return Recipe(target.encode(), b"api.example", b"https", Headers([]))


def read(counts, name, times=1, tags=("plans",), key=None):
    selectors = ("all", f"path:/{name}", *(f"tag:{tag}" for tag in tags), *([f"key:{key}"] if key else []))
    for _ in range(times):
        if not counts.count(name, selectors):
            counts.begin(name, a_recipe(f"/{name}"), selectors)


@pytest.fixture
def counts():
    counts = Popularity()
    read(counts, "a", 3, key="plans:v1:a")
    read(counts, "b", 5, tags=("plans", "zip"), key="plans:v1:b:x")
    read(counts, "c", 1, tags=())
    return counts


@pytest.mark.parametrize(
    ("selectors", "estimate"),
    [
        pytest.param(["tag:plans"], Estimate(2, 8, ("/b", "/a")), id="a tag, most read first"),
        pytest.param(["tag:zip", "path:/c"], Estimate(2, 6, ("/b", "/c")), id="one of several"),
        pytest.param(["all"], Estimate(3, 9, ("/b", "/a", "/c")), id="everything"),
        pytest.param(["pattern:plans:*"], Estimate(2, 8, ("/b", "/a")), id="a pattern"),
        pytest.param(["pattern:plans:*:x"], Estimate(1, 5, ("/b",)), id="a narrower one"),
        pytest.param(["pattern:users:*"], Estimate(0, 0, ()), id="a pattern that hits nothing"),
        pytest.param(["key:plans:*"], Estimate(0, 0, ()), id="a key is no pattern"),
        pytest.param(["tag:else"], Estimate(0, 0, ()), id="nothing"),
    ],
)
def test_what_a_purge_would_hit(counts, selectors, estimate):
    assert counts.hit_by(selectors) == estimate
    assert [recipe.target.decode() for recipe in counts.most_read(selectors, 9)] == list(estimate.most_read)


def test_the_most_read_are_as_many_as_asked_for(counts):
    assert [recipe.target for recipe in counts.most_read(["all"], 2)] == [b"/b", b"/a"]
    assert counts.most_read(["all"], 0) == []


def test_the_latest_selectors_hold(counts):
    read(counts, "c", tags=("plans",))
    assert counts.hit_by(["tag:plans"]).entries == 3
    assert counts.count("c", ("tag:now",), reads=0)
    assert counts.hit_by(["tag:now"]) == Estimate(1, 2, ("/c",))


def test_what_is_full_forgets_the_half_that_is_read_least_and_halves_the_rest():
    counts = Popularity(most=10)
    for number in range(10):
        read(counts, f"{number}", number + 1)
    read(counts, "new")
    assert len(counts) == 6
    assert counts.hit_by(["all"]) == Estimate(6, 5 + 4 + 4 + 3 + 3 + 1, ("/9", "/8", "/7", "/6", "/5", "/new"))


def test_it_never_holds_more_than_it_may():
    counts = Popularity(most=100)
    for number in range(1000):
        read(counts, f"{number}")
        assert len(counts) <= 100


def test_an_estimate_names_a_few_only():
    counts = Popularity()
    for number in range(50):
        read(counts, f"{number}")
    assert len(counts.hit_by(["all"]).most_read) == MOST_SHOWN


def gained(counts, most=99):
    return {gain.digest: gain.reads for gain in counts.gains(most)}


def test_gains_are_what_was_read_since_they_were_carried(counts):
    assert gained(counts) == {"b": 5, "a": 3, "c": 1}
    assert list(gained(counts, 2)) == ["b", "a"]
    counts.were_carried(counts.gains(2))
    read(counts, "a", 2)
    assert gained(counts) == {"a": 2, "c": 1}


def test_what_is_halved_keeps_what_was_not_carried():
    counts = Popularity(most=2)
    read(counts, "a", 6)
    counts.were_carried(counts.gains(9))
    read(counts, "a", 2)
    read(counts, "b")
    read(counts, "c")
    assert gained(counts) == {"a": 2, "c": 1}


def test_what_was_forgotten_and_begun_anew_while_its_reads_were_carried_counts_on(counts):
    gains = counts.gains(9)
    counts._rows.clear()
    read(counts, "b")
    counts.were_carried(gains)
    read(counts, "b", 2)
    assert gained(counts) == {"b": 2}


def test_what_nobody_asked_for_is_known_and_not_read():
    counts = Popularity()
    counts.begin("a", a_recipe("/a"), ("all",), reads=0)
    assert (gained(counts), counts.hit_by(["all"])) == ({}, Estimate(1, 0, ("/a",)))


def test_the_table_finds_the_most_read_among_many_more_than_it_holds():
    """Zipf over 20,000 entries in a table of 2,000."""
    chooser, counts = random.Random(7), Popularity(most=2000)
    weights = list(accumulate(1 / (rank + 1) for rank in range(20_000)))
    reads = chooser.choices(range(20_000), cum_weights=weights, k=60_000)
    for number in reads:
        read(counts, f"{number}")
    truth = Counter(f"/{number}".encode() for number in reads)
    found = sum(truth[recipe.target] for recipe in counts.most_read(["all"], 100))
    assert found >= 0.97 * sum(times for _, times in truth.most_common(100))


def test_who_counts_by_itself_counts_with_the_others(counts):
    row = counts.row("a")
    before = gained(counts)["a"]
    row.reads += 2
    assert gained(counts)["a"] == before + 2
    assert counts.row("unknown") is None


def test_who_counts_by_itself_learns_that_it_counts_no_more():
    counts = Popularity(most=2)
    read(counts, "often", 6)
    read(counts, "seldom")
    often, seldom = counts.row("often"), counts.row("seldom")
    read(counts, "new")
    assert (often.forgotten, seldom.forgotten) == (False, True)
    counts.begin("often", often.recipe, ())
    assert often.forgotten
    assert not counts.row("often").forgotten
