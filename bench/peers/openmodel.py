"""k6: an open model, in which requests come at their rate whether or not earlier ones are answered."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bench.peers.behind import URLS
from bench.peers.machine import find_tool
from bench.peers.wrk import FIELDS

if TYPE_CHECKING:
    from pathlib import Path

#: k6 spends 0.2 ms of CPU on a request: at 5,000 a second on one core its latencies are its own.
RATE: Final = 2500
#: How many requests may wait for their answers before k6 leaves some out, and says so.
WAITING: Final = 500
SCRIPT: Final = """
import http from 'k6/http';
import exec from 'k6/execution';
export const options = {{
  discardResponseBodies: true,
  summaryTrendStats: ['med', 'p(99)'],
  systemTags: ['status'],
  scenarios: {{ open: {{
    executor: 'constant-arrival-rate', rate: {rate}, timeUnit: '1s', duration: '{seconds}s', preAllocatedVUs: {waiting},
    gracefulStop: '5s',
  }} }},
}};
const fields = {fields};
export default function () {{
  const turn = exec.scenario.iterationInTest;
  http.get('http://127.0.0.1:{port}/2k/' + turn % {urls},
    {{ headers: Object.assign({{ 'X-Request-ID': '{salt}-' + turn }}, fields) }});
}}
"""


@dataclass(frozen=True, slots=True)
class Opened:
    """What k6 said: requests done, failed and left out for want of time, and latencies in milliseconds."""

    requests: int
    failed: int
    dropped: int
    p50: float
    p99: float


def understood(summary: dict[str, Any]) -> Opened:
    """Read k6's summary."""
    metrics = summary["metrics"]
    took = metrics["http_req_duration"]
    return Opened(
        requests=metrics["http_reqs"]["count"],
        failed=metrics["http_req_failed"]["passes"],  # passes: how often it was true that one failed
        dropped=metrics.get("dropped_iterations", {}).get("count", 0),
        p50=took["med"],
        p99=took["p(99)"],
    )


def run(port: int, seconds: float, salt: str, folder: Path, cores: frozenset[int]) -> Opened:
    """Ask one server for so many seconds."""
    script, summary = folder / "open.js", folder / "open.json"
    fields = json.dumps({**FIELDS, "Host": "api.example"})
    said = {"rate": RATE, "seconds": max(1, round(seconds)), "waiting": WAITING, "urls": URLS}
    script.write_text(SCRIPT.format(fields=fields, port=port, salt=salt, **said))
    summary.unlink(missing_ok=True)
    placed = ["taskset", "-c", ",".join(map(str, sorted(cores)))]
    words = [find_tool("k6", "k6"), "run", "--quiet", "--no-usage-report", "--address", "", "--summary-export"]
    done = subprocess.run(
        [*placed, *words, str(summary), str(script)],
        check=False,
        capture_output=True,
        text=True,
        timeout=seconds + 60,
    )
    if not summary.exists():
        raise ValueError(f"k6 said nothing of its result: {(done.stdout + done.stderr)[-500:]!r}")
    return understood(json.loads(summary.read_text()))
