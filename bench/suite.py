"""The public HTTP cache suite (npm `http-cache-tests` 0.4.5) against `sapwood serve` without a file."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from record import Record
from servers import free_port
from sidecar import Sidecar

PACKAGE = "http-cache-tests@0.4.5"
# The package is of 2023. What later states of the suite (not on npm) ask for the other way round, or no longer require:
CHANGED_LATER: dict[str, str] = {
    **dict.fromkeys(
        (
            *("age-parse-nonnumeric", "age-parse-negative", "age-parse-float"),
            *("age-parse-parameter", "age-parse-numeric-parameter"),
        ),
        "an Age that is no number is ignored (RFC 9111 section 5.1), the package wants it stale",
    ),
    **dict.fromkeys(
        ("age-parse-prefix-twoline", "age-parse-dup-0", "age-parse-dup-0-twoline", "age-parse-dup-old"),
        "the first of several Ages counts (RFC 9111 section 5.1), the package wants them stale",
    ),
    **dict.fromkeys(
        (
            *("stale-close-must-revalidate", "stale-close-proxy-revalidate"),
            *("stale-close-no-cache", "stale-close-s-maxage=2"),
        ),
        "answered 502 without the backend's fields, which the package takes for a stored answer",
    ),
    "304-etag-update-response-Content-MD5": "describes the stored bytes; no longer required",
    "304-etag-update-response-ETag": "no longer required",
}
KINDS = """
import suites from './tests/index.mjs'
import surrogate from './tests/surrogate-control.mjs'
const all = []
for (const [group, extra] of [[suites, false], [[surrogate], true]]) {
  for (const suite of group) {
    for (const test of suite.tests) {
      all.push({id: test.id, kind: test.kind || 'required', extra, browser: !!test.browser_only,
                needs: test.depends_on || []})
    }
  }
}
console.log(JSON.stringify(all))
"""


def install(folder: Path) -> Path:
    """Install the suite through npm, without running its scripts, and return where it is."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            sys.exit(f"missing: {tool}: the public cache suite is a package for it (Debian packages nodejs and npm)")
    words = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--omit=dev", "--loglevel=error", PACKAGE]
    subprocess.run(words, cwd=folder, check=True, timeout=300, stdout=subprocess.DEVNULL)
    return folder / "node_modules" / "http-cache-tests"


def run(suite: Path) -> tuple[dict[str, object], list[dict[str, object]]]:
    """Start the suite's origin and a sidecar before it; return the raw answers and the list of cases."""
    port = free_port()
    said = {
        "npm_config_protocol": "http",
        "npm_config_port": str(port),
        "npm_config_pidfile": str(suite / "origin.pid"),
    }
    origin = subprocess.Popen(
        ["node", "server/server.mjs"],
        cwd=suite,
        env=os.environ | said,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 20
        while not _answers(port):
            if origin.poll() is not None or time.monotonic() > deadline:
                sys.exit("the suite's origin did not start")
            time.sleep(0.05)
        with Sidecar(None, upstream=f"http://127.0.0.1:{port}") as sidecar:
            told = {
                "npm_config_base": sidecar.url,
                "npm_config_id": "",
                "npm_package_config_id": "",
            }  # none: all of them
            asked = subprocess.run(
                ["node", "--no-warnings", "cli.mjs"],
                cwd=suite, env=os.environ | told, check=True, timeout=600, capture_output=True, text=True,
            )  # fmt: skip
    finally:
        origin.terminate()
        origin.wait(timeout=10)
    (suite / "kinds.mjs").write_text(KINDS)
    kinds = subprocess.run(["node", "kinds.mjs"], cwd=suite, check=True, timeout=60, capture_output=True, text=True)
    return json.loads(asked.stdout[asked.stdout.index("{") :]), json.loads(kinds.stdout)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def judge(record: Record, results: dict[str, object], cases: list[dict[str, object]]) -> None:
    """Count by kind; a case whose dependency did not pass is a case that did not pass."""
    passed: Counter[str] = Counter()
    total: Counter[str] = Counter()
    failed: dict[str, list[str]] = {}
    for case in cases:
        name = f"{'surrogate-control, ' if case['extra'] else ''}{case['kind']}"
        if case["browser"] or case["id"] not in results:
            continue
        total[name] += 1
        if results[str(case["id"])] is True:
            passed[name] += 1
        else:
            failed.setdefault(name, []).append(str(case["id"]))
    for name in total:
        found = f"{passed[name]} of {total[name]}"
        if name == "required":
            odd = [which for which in failed.get(name, []) if which not in CHANGED_LATER]
            record.ask(name, found, f"all but {len(CHANGED_LATER)} that later states changed", not odd)
        else:
            record.note(name, found)
    for name, ids in failed.items():
        if not name.endswith("check"):
            said = [f"{which}*" if which in CHANGED_LATER else which for which in ids]
            record.note(f"{name}: not passed (* changed later)", ", ".join(said))
    record.details["changed later"] = CHANGED_LATER
    record.details["not passed"] = {name: {which: results[which] for which in ids} for name, ids in failed.items()}


def prove() -> Record:
    """Run it and return what was found."""
    record = Record("suite", __doc__ or "", {"package": PACKAGE})
    with tempfile.TemporaryDirectory(prefix="sapwood-suite-") as folder:
        judge(record, *run(install(Path(folder))))
    return record


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, prog=Path(__file__).name).parse_args()
    sys.exit(prove().keep())
