"""``sapwood warm``: asks a running sidecar to warm, and shows how far it is."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import orjson
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from proxy.cli import screen
from proxy.cli.arguments import BadUsageError
from proxy.cli.calling import CallError, Target, call

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

ASKS_EVERY: Final = 0.2
"""Seconds between two questions how far it is."""

_ENDED: Final = frozenset({"done", "failed"})


def warm(chosen: argparse.Namespace) -> int:
    """Run warmers: a bar for each on a terminal, else a JSON line for each as it ends. Exit 1 for anything that failed."""
    if chosen.limit is not None and chosen.limit < 1:
        raise BadUsageError("warm: --limit: expected a whole number from 1 up")
    target = Target.of(chosen.admin, chosen.token_file, os.environ)
    order: dict[str, Any] = {"names": chosen.names} if chosen.names else {}
    if chosen.limit is not None:
        order["limit"] = chosen.limit
    try:
        job = call(target, "POST", "/warm", body=order).document
        if sys.stdout.isatty() and chosen.format == "text":
            runs = _with_bars(target, job)
        else:
            runs = _followed(target, job, _lines())
    except CallError as error:
        screen.complain(f"sapwood warm: {error}")
        return 1
    return 1 if any(run["failed"] or run["error"] for run in runs) else 0


def _followed(
    target: Target, job: dict[str, Any], show: Callable[[list[dict[str, Any]]], None]
) -> list[dict[str, Any]]:
    """Ask until the job is at its end, showing each answer; return its runs. Raises CallError."""
    while True:
        show(job["runs"])
        if job["state"] in _ENDED:
            return list(job["runs"])
        time.sleep(ASKS_EVERY)
        jobs = call(target, "GET", "/warm").document["jobs"]
        found = [one for one in jobs if one["id"] == job["id"]]
        if not found:
            raise CallError("the sidecar does not know the job any more: was it restarted?")
        job = found[0]


def _lines() -> Callable[[list[dict[str, Any]]], None]:
    said: set[str] = set()

    def show(runs: list[dict[str, Any]]) -> None:
        for run in runs:
            if run["state"] in _ENDED and run["warmer"] not in said:
                said.add(run["warmer"])
                screen.say(orjson.dumps(run).decode())

    return show


def _with_bars(target: Target, job: dict[str, Any]) -> list[dict[str, Any]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[results]}")) as progress:
        bars = [progress.add_task(run["warmer"], total=None, results="") for run in job["runs"]]

        def show(runs: list[dict[str, Any]]) -> None:
            for bar, run in zip(bars, runs, strict=True):
                done = sum(run[result] for result in ("warmed", "fresh", "failed", "skipped"))
                total = run["total"] or (1 if run["state"] in _ENDED else None)
                ended = done if run["total"] or run["state"] not in _ENDED else 1
                progress.update(bar, total=total, completed=ended, results=_results(run))

        return _followed(target, job, show)


def _results(run: dict[str, Any]) -> str:
    if run["error"]:
        return str(run["error"])
    parts = [f"{run[result]} {result}" for result in ("warmed", "fresh", "failed", "skipped") if run[result]]
    reasons = ", ".join(f"{count} {reason}" for reason, count in run["reasons"].items())
    return ", ".join(parts) + (f" ({reasons})" if reasons else "")
