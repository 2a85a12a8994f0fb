"""Statistics as a person sees them."""

import io

import pytest
from rich.console import Console

from proxy.cli.statistics import view

LINE = {"requests": 9, "hits": 8, "misses": 1, "hit_rate": 88.89, "avg_ttl": 60.0, "last_accessed": None}
DOCUMENT = {
    "total_requests": 30,
    "cache_hits": 20,
    "cache_misses": 5,
    "hit_rate": 80.0,
    "enabled": True,
    "replicas": {"live": 3, "left": 2, "as_of": None},
    "replica": {"total_requests": 10, "cache_hits": 3, "cache_misses": 7, "hit_rate": 30.0},
    "routes": {"quiet": LINE, "busy[red]": {**LINE, "requests": 99}, "passing": {"requests": 50, "hit_rate": 0.0}},
    "namespaces": {},
}


def shown(document, *, terminal=False):
    out = io.StringIO()
    Console(
        file=out, width=220, force_terminal=terminal, color_system="standard" if terminal else None, markup=False
    ).print(view(document))
    return out.getvalue()


def test_the_totals_of_all_stand_beside_those_of_one():
    text = shown(DOCUMENT)
    assert "all replicas (3 live, 2 left)" in text
    (line,) = [line for line in text.splitlines() if line.startswith("total_requests")]
    assert line.split() == ["total_requests", "30", "10"]
    assert "miss_rate" not in text.partition("route")[0], "what a document does not have is left out"


def test_the_busiest_route_comes_first_and_no_name_is_markup():
    text = shown(DOCUMENT)
    assert text.index("busy[red]") < text.index("passing") < text.index("quiet")


def test_an_older_sidecar_without_replicas_is_shown_too():
    text = shown({"total_requests": 9, "enabled": False})
    assert [line.split() for line in text.splitlines()] == [["total_requests", "9"], ["enabled", "no"]]


def test_each_warmer_has_its_last_run():
    run = {"state": "done", "trigger": "startup", "warmed": 3, "failed": 1, "error": "[red] no list"}
    warming = {"total_items_warmed": 7, "errors": 2, "last_runs": {"plans": run, "never": None}}
    text = shown({"total_requests": 0, "warming": warming})
    assert "warmers (7 items warmed, 2 errors)" in text
    (line,) = [line for line in text.splitlines() if "plans" in line]
    assert line.replace("\u2502", " ").split()[:3] == ["plans", "done", "startup"]
    assert "[red] no list" in line
    assert "never" in text
    assert "warmers" not in shown({"total_requests": 0, "warming": {"total_items_warmed": 0, "last_runs": {}}})


@pytest.mark.parametrize(
    ("rate", "colour"),
    [
        pytest.param(59.99, "31", id="red below 60"),
        pytest.param(60.0, "33", id="yellow from 60"),
        pytest.param(79.99, "33", id="yellow below 80"),
        pytest.param(80.0, "32", id="green from 80"),
    ],
)
def test_a_hit_rate_has_the_colour_of_the_strategys_dashboards(rate, colour):
    assert f"\x1b[{colour}m{rate}" in shown({"hit_rate": rate, "cache_hits": 1}, terminal=True)


def test_where_nothing_could_be_a_hit_there_is_no_colour():
    assert "\x1b[31m" not in shown({"hit_rate": 0.0, "cache_hits": 0, "cache_misses": 0}, terminal=True)
