"""Each query of the dashboard asks for metrics and labels that a running sidecar exports, and is one that Prometheus reads."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from scraping import exported, named, played

from proxy.observe.events import Outcome

DASHBOARD = Path(__file__).parents[2] / "deploy" / "grafana" / "sapwood.json"
DOCUMENT = json.loads(DASHBOARD.read_text("utf-8"))

FROM_PROMETHEUS = {"job", "instance", "namespace", "le"}
SUFFIXES = ("_bucket", "_count", "_sum")


def _panels():
    for panel in DOCUMENT["panels"]:
        yield panel
        yield from panel.get("panels", [])


def _queries():
    for panel in _panels():
        for target in panel.get("targets", []):
            yield pytest.param(target, id=f"{panel['title']}: {target['refId']}")
    for variable in DOCUMENT["templating"]["list"]:
        if found := re.fullmatch(r"label_values\((.*), (\w+)\)", variable.get("definition", "")):
            query = {"expr": f"count by ({found[2]}) ({found[1]})", "legendFormat": ""}
            yield pytest.param(query, id=f"variable {variable['name']}")


QUERIES = list(_queries())


def plain(expression: str) -> str:
    """Put something in the place of Grafana's variables."""
    return (
        expression.replace("$__rate_interval", "5m")
        .replace("$job", ".*")
        .replace("$instance", ".*")
        .replace("$route", ".*")
    )


@pytest.fixture(scope="module")
def metrics():
    return exported(asyncio.run(played()))


def _family(name: str, metrics) -> str:
    bare = next((name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix)), name)
    return name if name in metrics else bare


@pytest.mark.parametrize("target", QUERIES)
def test_every_metric_and_label_of_a_query_is_exported(target, metrics):
    expression = target["expr"]
    asked = re.findall(r"(sapwood_\w+)(?:\{([^}]*)\})?", expression)
    assert asked
    labels = set(FROM_PROMETHEUS)
    for name, selector in asked:
        assert _family(name, metrics) in metrics
        known = metrics[_family(name, metrics)]
        assert set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector)) <= known | FROM_PROMETHEUS
        labels |= known
    grouped = {label for group in re.findall(r"by \(([^)]*)\)", expression) for label in re.findall(r"\w+", group)}
    assert grouped <= labels
    assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= grouped


@pytest.mark.parametrize("target", QUERIES)
def test_an_outcome_that_is_asked_for_is_one(target):
    asked = [value for group in re.findall(r'outcome=~?"([^"]*)"', target["expr"]) for value in group.split("|")]
    assert set(asked) <= {outcome.value for outcome in Outcome}


def test_prometheus_reads_every_query(tmp_path):
    path = shutil.which("promtool")
    assert path is not None, "missing: promtool (Debian package prometheus), which bench/tools.sh installs"
    rules = [
        {"record": f"query:number_{number}", "expr": plain(query.values[0]["expr"])}
        for number, query in enumerate(QUERIES)
    ]
    assert not [rule for rule in rules if "$" in rule["expr"]]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}), "utf-8")
    said = subprocess.run([path, "check", "rules", str(file)], capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 0, said.stdout + said.stderr


def test_every_metric_of_the_interface_is_shown():
    everything = " ".join(query.values[0]["expr"] for query in QUERIES)
    assert {name for name in named() if not re.search(rf"\b{name}(?:_bucket|_count|_sum)?\b", everything)} == set()


def test_the_hit_rate_is_red_below_60_and_green_from_80_percent():
    shown = [panel for panel in _panels() if panel["title"] == "Hit rate"]
    assert {panel["type"] for panel in shown} == {"stat", "timeseries"}
    for panel in shown:
        steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert [(step["color"], step["value"]) for step in steps] == [("red", None), ("yellow", 0.6), ("green", 0.8)]


def test_the_source_of_the_numbers_is_a_variable():
    (source,) = [variable for variable in DOCUMENT["templating"]["list"] if variable["type"] == "datasource"]
    uid = f"${{{source['name']}}}"
    used = [panel["datasource"] for panel in _panels() if panel["type"] != "row"]
    used += [query.values[0]["datasource"] for query in QUERIES if "datasource" in query.values[0]]
    assert used
    assert {one["uid"] for one in used} == {uid}


def test_panels_have_their_own_numbers_and_do_not_lie_on_each_other():
    panels = list(_panels())
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
