"""README and chart say what the record says."""

import json
from pathlib import Path

import pytest

from bench.peers.readme import BEGIN, CHART, END, between, chart_of, replaced, section_of

ROOT = Path(__file__).parents[3]
KEPT = json.loads((ROOT / "bench" / "results" / "peers.json").read_text())


def test_the_readmes_section_is_the_records():
    assert between((ROOT / "README.md").read_text()) == section_of(KEPT)


def test_the_chart_is_the_records():
    assert (ROOT / CHART).read_text() == chart_of(KEPT["details"]["scenarios"])


def test_a_section_is_put_between_its_marks_and_nothing_else_is_touched():
    readme = f"# Before\n{BEGIN}\nold\n{END}\n# After\n"
    new = replaced(readme, "new")
    assert between(new) == "new"
    assert new.startswith("# Before\n")
    assert new.endswith("\n# After\n")
    assert replaced(new, "new") == new


def test_a_readme_without_marks_is_an_error():
    with pytest.raises(ValueError, match="lacks the marks"):
        replaced("# Nothing\n", "new")


def server(**runs):
    return {"memory": 5 * 2**20, "failed": 0, "runs": runs}


def test_what_was_not_measured_is_left_out():
    scenarios = {
        "hot": {
            "title": "hot hit",
            "rounds": 9,
            "servers": {"sapwood": server(cost=[20.0]), "haproxy": server(cost=[10.0])},
        },
        "redis": {
            "title": "hit from Redis",
            "rounds": 9,
            "servers": {"sapwood": server(cost=[40.0]), "nginx, memcached": server(cost=[30.0])},
        },
        "crowd": {
            "title": "crowd",
            "rounds": 3,
            "servers": {"sapwood": server(p99=[15.0], idle=[2.5]), "nginx": server(p99=[1.25], idle=[0.5])},
        },
    }
    machine = {"cpu": "a CPU", "cores": "2", "python": "3.11", "kernel": "6"}
    value = {
        "date": "2026-11-22",
        "machine": machine,
        "details": {"versions": {"nginx": "1.22"}, "scenarios": scenarios},
    }
    lines = section_of(value).splitlines()
    assert "| hit from Redis | 40 | 30 (memcached) |  |  |" in lines
    assert "| hot hit | 20 |  |  | 10 |" in lines
    assert any("hot hits" in line and line.endswith(": 5 MiB (HAProxy 5).") for line in lines)
    assert not any("cold" in line or "nobody has" in line for line in lines)
    assert any("no errors, 99 % within 15 ms (nginx 1.25)" in line for line in lines)
    assert any("Medians of 9 interleaved rounds" in line and "nginx 1.22" in line for line in lines)
