"""What was found, for the eye and for the record."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.table import Table

from bench.peers.measure import UNITS
from bench.peers.scenarios import GOALS
from bench.peers.stats import ratios

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.peers.measure import Measured
    from bench.peers.scenarios import Goal, Scenario
    from bench.peers.stats import Spread

SHOWN: Final = ("cost", "rate", "p50", "p99", "busy", "backend")


def show(scenario: Scenario, measured: Sequence[Measured]) -> None:
    """Print the table of one scenario."""
    table = Table(title=f"{scenario.name}: {scenario.title}", title_justify="left")
    table.add_column("")
    for quantity in SHOWN:
        table.add_column(UNITS[quantity] + (f" {quantity}" if quantity.startswith("p") else ""), justify="right")
    for heading in ("MiB", "failed"):
        table.add_column(heading, justify="right")
    for one in measured:
        cells = [cell(one.spread(quantity)) for quantity in SHOWN]
        table.add_row(one.label, *cells, f"{one.memory / 2**20:,.0f}", f"{one.failed:,}")
    Console(width=150, highlight=False).print(table)


def number(value: float) -> str:
    """Write three figures, or all of them before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"  # noqa: PLR2004


def cell(spread: Spread | None) -> str:
    """Write median and quartiles."""
    if spread is None:
        return "-"
    if spread.low == spread.high:
        return number(spread.median)
    return f"{number(spread.median)} ({number(spread.low)} to {number(spread.high)})"


def judged(goal: Goal, found: Mapping[str, Sequence[Measured]]) -> Spread | None:
    """Return ours as a multiple of theirs, round by round; None where one of both was not measured."""
    by_label = {one.label: one for one in found.get(goal.scenario, ())}
    ours, theirs = by_label.get(goal.ours), by_label.get(goal.theirs)
    if ours is None or theirs is None:
        return None
    return ratios(ours.values(goal.quantity), theirs.values(goal.quantity))


def goals(found: Mapping[str, Sequence[Measured]]) -> list[tuple[str, Spread, str, bool]]:
    """Return what each goal is about, what was found, what is asked, and whether it is reached."""
    lines = []
    for goal in GOALS:
        ratio = judged(goal, found)
        if ratio is not None:
            what = f"{goal.scenario}: {UNITS[goal.quantity]} of {goal.ours} to {goal.theirs}"
            lines.append((what, ratio, f"at most {goal.at_most}", ratio.median <= goal.at_most))
    return lines


def as_json(found: Mapping[str, Sequence[Measured]]) -> dict[str, Any]:
    """Return everything, each run included."""
    return {
        name: {
            one.label: {
                "memory": one.memory,
                "failed": one.failed,
                **{quantity: spread_as_json(one.spread(quantity)) for quantity in UNITS},
                "runs": [{key: round(value, 3) for key, value in asdict(run).items()} for run in one.runs],
            }
            for one in measured
        }
        for name, measured in found.items()
    }


def spread_as_json(spread: Spread | None) -> list[float] | None:
    """Return lower quartile, median, upper quartile."""
    return None if spread is None else [round(value, 3) for value in (spread.low, spread.median, spread.high)]


def dumped(value: object) -> str:
    """Write JSON that a person can read, with the innermost values on a line each."""
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
