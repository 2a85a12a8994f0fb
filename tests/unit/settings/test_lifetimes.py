from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.policy.adaptive import Adaptive, Bound
from proxy.settings.lifetimes import Lifetimes, read_lifetimes


def test_the_house_has_defaults(section):
    lifetimes = read_lifetimes(section({}), Lifetimes())
    assert (lifetimes.ttl, lifetimes.negative_ttl) == (300, 60)
    assert (lifetimes.stale_while_revalidate, lifetimes.stale_if_error) == (30, 3600)
    assert lifetimes.on_store_failure == "pass"
    assert b"x-ratelimit-*" in lifetimes.never_store


def test_what_is_said_beats_what_is_above(section):
    said = section({"ttl": "1h", "stale_if_error": "0", "on_store_failure": "refuse", "never_store": ["X-A"]})
    lifetimes = read_lifetimes(said, Lifetimes(ttl=1.0, negative_ttl=2.0))
    assert lifetimes == Lifetimes(3600.0, 2.0, 30.0, 0.0, "refuse", (b"x-a",))


def test_none_leaves_it_to_the_backend(section):
    said = section({"ttl": "none", "negative_ttl": "none"})
    lifetimes = read_lifetimes(said, Lifetimes())
    assert (lifetimes.ttl, lifetimes.negative_ttl) == (None, None)
    assert (said.shown["ttl"], said.shown["negative_ttl"]) == ("none", "none")


ALL = {
    "base": "1h", "hot": {"above": "1000", "factor": "2"}, "cold": {"below": "10", "factor": "0.5"},
    "window": "30m", "min": "5m", "max": "1d",
}  # fmt: skip
STRATEGY = Adaptive(1800.0, hot=Bound(1000, 2.0), cold=Bound(10, 0.5), least=300.0, most=86400.0)


def test_a_ttl_may_follow_the_traffic(section):
    said = section({"ttl": ALL})
    lifetimes = read_lifetimes(said, Lifetimes())
    assert (lifetimes.ttl, lifetimes.adaptive) == (3600, STRATEGY)
    assert said.desk.mistakes == []


def test_a_ttl_that_follows_the_traffic_is_inherited_whole_or_not_at_all(section):
    above = read_lifetimes(section({"ttl": ALL}), Lifetimes())
    said = section({})
    inherited = read_lifetimes(said, above)
    assert (inherited.ttl, inherited.adaptive) == (3600, STRATEGY)
    assert said.shown["ttl"] == {
        "base": "1h", "hot": {"above": 1000, "factor": 2.0}, "cold": {"below": 10, "factor": 0.5},
        "window": "30m", "min": "5m", "max": "1d",
    }  # fmt: skip
    written = section({"ttl": ALL})
    read_lifetimes(written, Lifetimes())
    assert written.shown["ttl"] == said.shown["ttl"], "or the two would have different fingerprints"
    assert read_lifetimes(section({"ttl": "5m"}), above).adaptive is None
    assert read_lifetimes(section({"ttl": "none"}), above) == replace(above, ttl=None, adaptive=None)


def test_half_of_it_is_shown_as_half(section):
    half = {"base": "1h", "cold": {"below": "10", "factor": "0.5"}}
    said = section({})
    read_lifetimes(said, read_lifetimes(section({"ttl": half}), Lifetimes()))
    assert said.shown["ttl"] == {"base": "1h", "cold": {"below": 10, "factor": 0.5}, "window": "1h"}


HOT, COLD = {"above": "9", "factor": "2"}, {"below": "9", "factor": "0.5"}


@pytest.mark.parametrize(
    ("ttl", "found"),
    [
        pytest.param({"base": "1h", "hot": HOT, "cold": COLD}, [], id="bounds that meet"),
        pytest.param({"base": "1hr", "hot": HOT}, ['ttl.base: expected a duration like "30s" or "1h", got "1hr"'], id="no duration"),
        pytest.param({"hot": HOT}, ['ttl.base: missing: expected a duration above zero, like "30s"'], id="no base"),
        pytest.param({"base": "1h"}, ["ttl.base: follows nothing without hot or cold: write it alone, ttl: 1h"], id="follows nothing"),
        pytest.param({"base": "1h", "hot": {"above": "9"}}, ["ttl.hot.factor: missing: expected a factor from 1 to 100"], id="no factor"),
        pytest.param({"base": "1h", "hot": {"factor": "2"}}, ["ttl.hot.above: missing: expected a whole number from 0 up"], id="no bound"),
        pytest.param({"base": "1h", "hot": {"above": "9", "factor": "0.5"}}, ["ttl.hot.factor: expected a factor from 1 to 100, got 0.5"], id="hot and shorter"),
        pytest.param({"base": "1h", "hot": {"above": "9", "factor": "101"}}, ["ttl.hot.factor: expected a factor from 1 to 100, got 101"], id="hot for ever"),
        pytest.param({"base": "1h", "cold": {"below": "9", "factor": "2"}}, ["ttl.cold.factor: expected a factor from 0.01 to 1, got 2"], id="cold and longer"),
        pytest.param({"base": "1h", "cold": {"below": "9", "factor": "0"}}, ["ttl.cold.factor: expected a factor from 0.01 to 1, got 0"], id="factor 0"),
        pytest.param({"base": "1h", "cold": {"below": "9", "factor": "half"}}, ['ttl.cold.factor: expected a factor from 0.01 to 1, got "half"'], id="a word"),
        pytest.param({"base": "1h", "hot": HOT, "min": "2h"}, ["ttl.min: longer than the base, 1h"], id="min above the base"),
        pytest.param({"base": "1h", "hot": HOT, "max": "30m"}, ["ttl.max: shorter than the base, 1h"], id="max below the base"),
        pytest.param({"base": "1h", "hot": HOT, "cold": {"below": "10", "factor": "0.5"}}, ["ttl.cold: below 10 is cold, and above 9 is hot: some would be both"], id="hot and cold"),
        pytest.param({"base": "1h", "hot": HOT, "window": "30s"}, ['ttl.window: expected a duration from "1m" to "7d", got "30s"'], id="a short window"),
        pytest.param({"base": "1h", "hot": HOT, "window": "8d"}, ['ttl.window: expected a duration from "1m" to "7d", got "8d"'], id="a long window"),
        pytest.param({"base": "1h", "hot": HOT, "window": "x"}, ['ttl.window: expected a duration like "30s" or "1h", got "x"'], id="no window"),
        pytest.param({"base": "1h", "hot": HOT, "hott": {}}, ['ttl.hott: unknown key, did you mean "hot"?'], id="an unknown key"),
        pytest.param({"base": "1h", "hot": "9"}, ["ttl.hot: expected a mapping, got 9"], id="no mapping"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_ttl_that_follows_the_traffic(section, ttl, found):
    said = section({"ttl": ttl})
    read_lifetimes(said, Lifetimes())
    assert [f"{one.path}: {one.message}".removeprefix("top.") for one in said.desk.mistakes] == found
