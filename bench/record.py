"""What a proof found: a table for the eye, a file for the record, and a verdict."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"

sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]  # the proofs use the sidecar, Valkey and backend of the tests


@dataclass(frozen=True, slots=True)
class Finding:
    """One number and what was asked of it; ``ok`` is None where nothing was."""

    what: str
    found: str
    asked: str = ""
    ok: bool | None = None


@dataclass(slots=True)
class Record:
    """The findings of one proof, in the order they were made."""

    name: str
    purpose: str
    settings: dict[str, object]
    findings: list[Finding] = field(default_factory=list)
    details: dict[str, object] = field(default_factory=dict)
    began: float = field(default_factory=time.time)

    def note(self, what: str, found: object) -> None:
        """Take down a number of which nothing is asked."""
        self.findings.append(Finding(what, _text(found)))

    def ask(self, what: str, found: object, asked: str, ok: bool) -> None:  # noqa: FBT001 - the verdict
        """Take down a number and whether it is as asked."""
        self.findings.append(Finding(what, _text(found), asked, ok))

    @property
    def passed(self) -> bool:
        """Say whether everything is as asked."""
        return all(finding.ok is not False for finding in self.findings)

    def keep(self) -> int:
        """Print the table, write the files, and return the exit code."""
        self.show()
        RESULTS.mkdir(exist_ok=True)
        value = {
            "name": self.name,
            "purpose": self.purpose,
            "date": time.strftime("%Y-%m-%d", time.gmtime(self.began)),
            "seconds": round(time.time() - self.began),
            "machine": machine(),
            "settings": self.settings,
            "passed": self.passed,
            "findings": [asdict(finding) for finding in self.findings],
            "details": self.details,
        }
        (RESULTS / f"{self.name}.json").write_text(dumped(value))
        write_readme()
        return 0 if self.passed else 1

    def show(self) -> None:
        """Print the table."""
        table = Table(title=f"{self.name}: {self.purpose}", title_justify="left")
        for heading in ("", "found", "asked", ""):
            table.add_column(heading)
        for finding in self.findings:
            verdict = {True: "ok", False: "NOT OK", None: ""}[finding.ok]
            table.add_row(finding.what, finding.found, finding.asked, verdict)
        Console(width=140 if not sys.stdout.isatty() else None).print(table)


def dumped(value: object) -> str:
    """Write JSON for people: a list of numbers on one line."""
    text = json.dumps(value, indent=1, ensure_ascii=False) + "\n"
    return re.sub(
        r"\[[-\d.,\snul]+\]", lambda found: " ".join(found[0].split()).replace("[ ", "[").replace(" ]", "]"), text
    )


def _text(found: object) -> str:
    return f"{found:,.1f}" if isinstance(found, float) else f"{found:,}" if isinstance(found, int) else str(found)


def machine() -> dict[str, str]:
    """Say what it ran on, by no name of its own."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "cpu": model,
        "cores": str(os.cpu_count()),
        "python": f"{platform.python_version()}{' of Debian' if _is_of_debian() else ''}",
        "kernel": platform.release(),
    }


def _is_of_debian() -> bool:
    """Say whether the interpreter is the distribution's, which is built as programs are that are served to many."""
    return sys.base_prefix == "/usr" and Path("/etc/debian_version").exists()


def write_readme() -> None:
    """Write the readable form of every result that is there."""
    lines = [
        "# What `make prove` found",
        "",
        "Written by the proofs in `bench/`; each result is from the last time that proof ran.",
    ]
    for path in sorted(RESULTS.glob("*.json")):
        value = json.loads(path.read_text())
        ran_on = "{cpu}, {cores} cores, Python {python}, Linux {kernel}.".format(**value["machine"])
        settings = ", ".join(f"{name} {said}" for name, said in value["settings"].items())
        lines += [
            *("", f"## {value['name']}: {'passed' if value['passed'] else 'NOT PASSED'}", "", value["purpose"], ""),
            f"{value['date']}, {value['seconds']} s{f' ({settings})' if settings else ''}; " + ran_on,
            *("", "| | found | asked | |", "|---|---|---|---|"),
        ]
        for finding in value["findings"]:
            verdict = {True: "ok", False: "**not ok**", None: ""}[finding["ok"]]
            lines.append(f"| {finding['what']} | {finding['found']} | {finding['asked']} | {verdict} |")
    (RESULTS / "README.md").write_text("\n".join(lines) + "\n")


def percentile(values: list[float], share: float) -> float:
    """Return the value that this share of all does not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
