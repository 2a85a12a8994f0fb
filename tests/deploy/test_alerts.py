"""Each alert fires when it should and is silent when it should be, as promtool sees it; each has a runbook section."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "sapwood.rules.yaml"
RUNBOOK = ROOT / "docs" / "runbook.md"

ALERTS = {
    rule["alert"]: rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]
}

TARGET = 'namespace="shop",job="api",instance="10.0.0.1:9092"'
SAFE_LABELS = {"job", "instance", "route", "warmer"}
"""Names from a configuration or from Prometheus: nothing that a user has written."""


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    path = shutil.which("promtool")
    assert path is not None, "missing: promtool (Debian package prometheus), which bench/tools.sh installs"
    return subprocess.run([path, *arguments], capture_output=True, text=True, timeout=60, check=False)


def served(outcome: str, values: str, route: str = "plan", job: str = "api") -> tuple[str, str]:
    labels = f'namespace="shop",job="{job}",instance="10.0.0.1:9092",route="{route}",outcome="{outcome}",code="2xx"'
    return f"sapwood_requests_total{{{labels}}}", values


def upstream(code: str, values: str) -> tuple[str, str]:
    return f'sapwood_upstream_requests_total{{{TARGET},route="plan",code="{code}"}}', values


def gauge(name: str, values: str, more: str = "") -> tuple[str, str]:
    return f"{name}{{{TARGET}{more}}}", values


def store_errors(operation: str, values: str) -> tuple[str, str]:
    return f'sapwood_store_errors_total{{{TARGET},operation="{operation}"}}', values


def timing(name: str, labels: str, fast: str, slow: str) -> list[tuple[str, str]]:
    """Return a histogram of two bounds: ``fast`` up to 5 ms, ``slow`` up to 25 ms, as growing counts."""
    return [
        (f'{name}_bucket{{{TARGET},{labels},le="0.005"}}', fast),
        (f'{name}_bucket{{{TARGET},{labels},le="0.01"}}', fast),
        (f'{name}_bucket{{{TARGET},{labels},le="0.025"}}', slow),
        (f'{name}_bucket{{{TARGET},{labels},le="+Inf"}}', slow),
        (f"{name}_count{{{TARGET},{labels}}}", slow),
    ]


@dataclass(frozen=True)
class Case:
    alert: str
    fires: bool
    series: list[tuple[str, str]] = field(default_factory=list)
    at: str = "60m"
    interval: str = "1m"


HITS, STORE = 'route="plan",outcome="hit_memory"', 'operation="load"'

CASES = {
    "two in three are hits": Case("SapwoodHitRateLow", True, [served("hit_redis", "0+66x90"), served("miss", "0+34x90")]),
    "nine in ten are hits": Case("SapwoodHitRateLow", False, [served("hit_redis", "0+90x90"), served("miss", "0+10x90")]),
    "stale and revalidated are hits; what passes by and what fails does not count": Case(
        "SapwoodHitRateLow",
        False,
        [
            *(served("stale", "0+50x90"), served("revalidated", "0+30x90"), served("miss", "0+10x90")),
            *(served("bypass", "0+900x90"), served("error", "0+9x90")),
        ],
    ),
    "hits of one job do not hide another's misses": Case(
        "SapwoodHitRateLow",
        True,
        [served("hit_redis", "0+900x90", job="other"), served("hit_redis", "0+1x90"), served("miss", "0+99x90")],
    ),
    "only misses, but five requests an hour": Case("SapwoodHitRateLow", False, [served("miss", "0x10 1x10 2x10 3x60")]),
    "a low rate for ten minutes after a deployment": Case(
        "SapwoodHitRateLow", False, [served("hit_redis", "0+10x10 200+90x80"), served("miss", "0+90x10 900+1x80")], at="14m"
    ),
    "one route misses, the sum is fine": Case(
        "SapwoodMissRateHigh",
        True,
        [
            *(served("hit_redis", "0+900x90", route="catalog"), served("miss", "0+9x90", route="catalog")),
            *(served("hit_redis", "0+60x90"), served("collapsed", "0+20x90"), served("miss", "0+20x90")),
        ],
    ),
    "one in five misses": Case("SapwoodMissRateHigh", False, [served("hit_redis", "0+80x90"), served("miss", "0+20x90")]),
    "six in a hundred are errors": Case("SapwoodErrorRateHigh", True, [served("hit_redis", "0+94x90"), served("error", "0+6x90")]),
    "four in a hundred are errors": Case("SapwoodErrorRateHigh", False, [served("hit_redis", "0+96x90"), served("error", "0+4x90")]),
    "a burst of errors that is over": Case(
        "SapwoodErrorRateHigh", False, [served("hit_redis", "0+96x90"), served("error", "0x10 50x80")]
    ),
    "one hit in ten takes 25 ms": Case("SapwoodHitsSlow", True, timing("sapwood_request_seconds", HITS, "0+90x90", "0+100x90")),
    "one hit in a hundred takes 25 ms": Case(
        "SapwoodHitsSlow", False, timing("sapwood_request_seconds", HITS, "0+99x90", "0+100x90")
    ),
    "misses may be slow": Case(
        "SapwoodHitsSlow", False, timing("sapwood_request_seconds", 'route="plan",outcome="miss"', "0+0x90", "0+100x90")
    ),
    "one look-up in ten takes 25 ms": Case("SapwoodStoreSlow", True, timing("sapwood_store_seconds", STORE, "0+90x90", "0+100x90")),
    "look-ups are quick, saving is slow": Case(
        "SapwoodStoreSlow",
        False,
        [
            *timing("sapwood_store_seconds", STORE, "0+100x90", "0+100x90"),
            *timing("sapwood_store_seconds", 'operation="save"', "0+0x90", "0+100x90"),
        ],
    ),
    "Redis fails for a minute and a half": Case(
        "SapwoodRedisErrors", True, [store_errors("load", "0x20 1+1x20"), gauge("sapwood_store_up", "1x20 0x20")], at="7m", interval="15s"
    ),
    "Redis is down and nobody asks": Case(
        "SapwoodRedisErrors", True, [store_errors("load", "0x40"), gauge("sapwood_store_up", "1x20 0x20")], at="7m", interval="15s"
    ),
    "one failure": Case(
        "SapwoodRedisErrors", False, [store_errors("load", "0x20 1x20"), gauge("sapwood_store_up", "1x40")], at="5m45s", interval="15s"
    ),
    "Redis is well": Case("SapwoodRedisErrors", False, [store_errors("load", "7x90"), gauge("sapwood_store_up", "1x90")]),
    "the breaker is open": Case("SapwoodBreakerOpen", True, [gauge("sapwood_breaker_open", "0x50 1x40")]),
    "the breaker was open": Case("SapwoodBreakerOpen", False, [gauge("sapwood_breaker_open", "1x50 0x40")]),
    "91 % of the memory": Case("SapwoodRedisMemoryHigh", True, [gauge("sapwood_redis_memory_ratio", "0.91x90")]),
    "89 % of the memory": Case("SapwoodRedisMemoryHigh", False, [gauge("sapwood_redis_memory_ratio", "0.89x90")]),
    "120 keys a minute": Case("SapwoodRedisEvictions", True, [gauge("sapwood_redis_evictions_total", "0+120x90")]),
    "80 keys a minute, told by two replicas": Case(
        "SapwoodRedisEvictions",
        False,
        [
            gauge("sapwood_redis_evictions_total", "0+80x90"),
            ('sapwood_redis_evictions_total{namespace="shop",job="api",instance="10.0.0.2:9092"}', "0+80x90"),
        ],
    ),
    "120 entries a minute": Case("SapwoodMemoryEvictions", True, [gauge("sapwood_memory_evictions_total", "0+120x90")]),
    "80 entries a minute": Case("SapwoodMemoryEvictions", False, [gauge("sapwood_memory_evictions_total", "0+80x90")]),
    "the mirror is 12 s old": Case("SapwoodPurgeMirrorLag", True, [gauge("sapwood_purge_mirror_lag_seconds", "0.05x50 12x40")]),
    "the mirror is 50 ms old": Case("SapwoodPurgeMirrorLag", False, [gauge("sapwood_purge_mirror_lag_seconds", "0.05x90")]),
    "a purge failed": Case("SapwoodPurgesFailing", True, [store_errors("purge", "0x58 1x40")]),
    "only look-ups failed": Case("SapwoodPurgesFailing", False, [store_errors("purge", "0x90"), store_errors("load", "0+1x90")]),
    "a reload was refused": Case("SapwoodReloadFailed", True, [gauge("sapwood_config_reload_ok", "1x50 0x40")]),
    "the next reload was taken": Case("SapwoodReloadFailed", False, [gauge("sapwood_config_reload_ok", "0x50 1x40")]),
    "two configurations for an hour": Case(
        "SapwoodConfigDiffers",
        True,
        [gauge("sapwood_config_info", "1x90", ',hash="a"'), ('sapwood_config_info{namespace="shop",job="api",instance="2",hash="b"}', "1x90")],
    ),
    "two replicas, one configuration": Case(
        "SapwoodConfigDiffers",
        False,
        [gauge("sapwood_config_info", "1x90", ',hash="a"'), ('sapwood_config_info{namespace="shop",job="api",instance="2",hash="a"}', "1x90")],
    ),
    "six in a hundred fetches fail": Case("SapwoodBackendErrors", True, [upstream("2xx", "0+94x90"), upstream("5xx", "0+3x90"), upstream("none", "0+3x90")]),
    "404 is an answer": Case("SapwoodBackendErrors", False, [upstream("2xx", "0+50x90"), upstream("4xx", "0+50x90")]),
    "a run could not be made": Case("SapwoodWarmerFailing", True, [gauge("sapwood_warm_total", "0x40 1x50", ',warmer="plans",result="failed"')]),
    "one thing in five failed": Case(
        "SapwoodWarmerFailing",
        True,
        [gauge("sapwood_warm_total", "0+1x90", ',warmer="plans",result="failed"'), gauge("sapwood_warm_total", "0+4x90", ',warmer="plans",result="warmed"')],
    ),
    "one thing in a hundred failed": Case(
        "SapwoodWarmerFailing",
        False,
        [gauge("sapwood_warm_total", "0+1x90", ',warmer="plans",result="failed"'), gauge("sapwood_warm_total", "0+99x90", ',warmer="plans",result="warmed"')],
    ),
    "a worker every minute": Case("SapwoodWorkersRestarting", True, [gauge("sapwood_worker_restarts_total", "0+1x90")]),
    "a worker in an hour": Case("SapwoodWorkersRestarting", False, [gauge("sapwood_worker_restarts_total", "0x50 1x40")]),
    "nobody is scraped": Case("SapwoodAbsent", True),
    "somebody is scraped": Case("SapwoodAbsent", False, [gauge("sapwood_config_info", "1x90", ',hash="a"')]),
    "no request any more": Case("SapwoodNoTraffic", True, [served("hit_redis", "0+60x40 2400x50")]),
    "requests go on": Case("SapwoodNoTraffic", False, [served("hit_redis", "0+60x90")]),
    "it is night, and was an hour ago": Case("SapwoodNoTraffic", False, [served("hit_redis", "7x120")], at="90m"),
}  # fmt: skip


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """Run all cases in one go; return what promtool says of those that went wrong, by their name."""
    folder = tmp_path_factory.mktemp("alerts")
    files = []
    for interval in sorted({case.interval for case in CASES.values()}):
        cases = [(name, case) for name, case in CASES.items() if case.interval == interval]
        tests = {"evaluation_interval": interval, "rule_files": [str(RULES)], "tests": [_test(*one) for one in cases]}
        files.append(folder / f"{interval}.yaml")
        files[-1].write_text(json.dumps(tests), "utf-8")
    said = promtool("test", "rules", *map(str, files))
    text = said.stdout + said.stderr
    failed = {re.search(r"# (.*?)\",", part)[1]: part for part in text.split("expr: ")[1:]}
    assert bool(failed) == (said.returncode != 0), text
    return failed


def _test(name: str, case: Case) -> dict[str, object]:
    firing = f'ALERTS{{alertname="{case.alert}",alertstate="firing"}}'
    # promtool repeats the expression of what failed, and nothing else that would tell the cases apart.
    asked = {
        "expr": f"count by (alertname, severity) ({firing}) # {name}",
        "eval_time": case.at,
        "exp_samples": [_firing(case)] if case.fires else [],
    }
    series = [{"series": series, "values": values} for series, values in case.series]
    return {"interval": case.interval, "input_series": series, "promql_expr_test": [asked]}


def _firing(case: Case) -> dict[str, object]:
    severity = ALERTS[case.alert]["labels"]["severity"]
    return {"labels": f'{{alertname="{case.alert}",severity="{severity}"}}', "value": 1}


@pytest.mark.parametrize("name", CASES)
def test_the_alert_fires_or_is_silent(name, verdicts):
    assert name not in verdicts, verdicts[name]


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_is_silent():
    assert {(case.alert, case.fires) for case in CASES.values()} == {
        (name, fires) for name in ALERTS for fires in (True, False)
    }


def test_promtool_accepts_the_file():
    said = promtool("check", "rules", str(RULES))
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_how_grave_it_is_and_where_to_read_on_without_any_users_text(name):
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])) <= SAFE_LABELS
    assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{name.lower()}"


@pytest.mark.parametrize("name", ALERTS)
def test_the_runbook_says_what_an_alert_means_how_to_look_and_what_to_do(name):
    sections = re.split(r"^## ", RUNBOOK.read_text("utf-8"), flags=re.MULTILINE)
    (section,) = [section for section in sections if section.startswith(f"{name}\n")]
    assert re.findall(r"^\*\*(.+?)\.\*\*", section, flags=re.MULTILINE) == ["It means", "Look", "Do"]


def test_the_runbook_has_no_section_for_an_alert_that_is_gone():
    headings = re.findall(r"^## (Sapwood\w+)$", RUNBOOK.read_text("utf-8"), flags=re.MULTILINE)
    assert sorted(headings) == sorted(ALERTS)
