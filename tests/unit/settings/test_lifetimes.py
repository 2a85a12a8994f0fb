from __future__ import annotations

import pytest

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


@pytest.mark.parametrize(
    ("ttl", "found"),
    [
        pytest.param({"base": "1h"}, [], id="the shortest"),
        pytest.param(
            {"base": "1h", "hot": {"above": "1000", "factor": "2"}, "cold": {"below": "10", "factor": "0.5"},
             "window": "1h", "min": "5m", "max": "1d"}, [], id="all of it"),
        pytest.param({"base": "1hr"}, ['ttl.base: expected a duration like "30s" or "1h", got "1hr"'], id="no duration"),
        pytest.param({}, ['ttl.base: missing: expected a duration above zero, like "30s"'], id="no base"),
        pytest.param({"base": "1h", "hot": {"above": "9"}}, ["ttl.hot.factor: missing: expected a factor above 0 like 2 or 0.5"], id="no factor"),
        pytest.param({"base": "1h", "cold": {"below": "9", "factor": "0"}}, ["ttl.cold.factor: expected a factor above 0 like 2 or 0.5, got 0"], id="factor 0"),
        pytest.param({"base": "1h", "cold": {"below": "9", "factor": "half"}}, ['ttl.cold.factor: expected a factor above 0 like 2 or 0.5, got "half"'], id="no factor but a word"),
        pytest.param({"base": "1h", "min": "2h", "max": "1h"}, ["ttl.min: longer than max"], id="crossed bounds"),
        pytest.param({"base": "1h", "hott": {}}, ['ttl.hott: unknown key, did you mean "hot"?'], id="an unknown key"),
    ],
)  # fmt: skip
def test_a_ttl_that_follows_the_traffic_is_checked_and_then_refused(section, ttl, found):
    said = section({"ttl": ttl})
    read_lifetimes(said, Lifetimes())
    noted = [f"{one.path}: {one.message}".removeprefix("top.") for one in said.desk.mistakes]
    assert noted[:-1] == found
    assert noted[-1].startswith("ttl: a ttl that follows the traffic is not built yet: write its base alone, ")
