"""Reads per entry, and which of them a purge would hit."""

from __future__ import annotations

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
