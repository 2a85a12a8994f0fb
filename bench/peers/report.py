"""What was found, as the record keeps it; and as a table for the eye.

A *piece* is what the record keeps of one scenario: ``title``, ``date``, ``rounds``, ``seconds`` of a run, and ``servers``,
which has for each label ``memory`` in bytes, ``failed`` requests and ``runs``: for each quantity its value in each round.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.table import Table

from bench.peers.scenarios import GOALS, SCENARIOS
from bench.peers.stats import Spread, ratios, spread
from bench.peers.ways import UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.peers.measure import Measured
    from bench.peers.scenarios import Goal, Scenario
    from bench.record import Record

Piece = dict[str, Any]
GOAL: Final = "goal, "


def piece_of(scenario: Scenario, measured: Sequence[Measured], seconds: float) -> Piece:
    """Return what the record keeps."""
    return {
        "title": scenario.title,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "rounds": max(len(one.runs) for one in measured),
        "seconds": seconds,
        "servers": {
            one.label: {
                "memory": one.memory,
                "failed": one.failed,
                "runs": {
                    quantity: [None if value is None else round(value, 3) for value in one.values(quantity)]
                    for quantity in UNITS
                    if one.spread(quantity) is not None
                },
            }
            for one in measured
        },
    }


def spread_of(piece: Piece, label: str, quantity: str) -> Spread | None:
    """Return median and quartiles; None where it was not measured."""
    values = piece["servers"].get(label, {"runs": {}})["runs"].get(quantity, ())
    return spread([value for value in values if value is not None])


def judged(goal: Goal, pieces: Mapping[str, Piece]) -> Spread | None:
    """Return ours, or ours as a multiple of theirs, round by round; None where that was not measured."""
    piece = pieces.get(goal.scenario)
    if piece is None or goal.ours not in piece["servers"]:
        return None
    if goal.theirs is None:
        return spread_of(piece, goal.ours, goal.quantity)
    if goal.theirs not in piece["servers"]:
        return None
    ours, theirs = (piece["servers"][label]["runs"].get(goal.quantity, ()) for label in (goal.ours, goal.theirs))
    return ratios(ours, theirs)


def number(value: float) -> str:
    """Write three figures, or all of them before the point."""
    digits = 0 if abs(value) >= 100 or value == int(value) else 1 if abs(value) >= 10 else 2  # noqa: PLR2004 - three figures
    return f"{value:,.{digits}f}"


def cell(spread: Spread | None) -> str:
    """Write median and quartiles."""
    if spread is None:
        return ""
    if spread.low == spread.high:
        return number(spread.median)
    return f"{number(spread.median)} ({number(spread.low)} to {number(spread.high)})"


def show(name: str, piece: Piece) -> None:
    """Print the table of one scenario."""
    table = Table(title=f"{name}: {piece['title']}", title_justify="left")
    shown = [quantity for quantity in UNITS if any(quantity in one["runs"] for one in piece["servers"].values())]
    table.add_column("")
    for heading in (*(UNITS[quantity] for quantity in shown), "MiB", "failed"):
        table.add_column(heading, justify="right")
    for label, one in piece["servers"].items():
        cells = [cell(spread_of(piece, label, quantity)) for quantity in shown]
        table.add_row(label, *cells, f"{one['memory'] / 2**20:,.0f}", f"{one['failed']:,}")
    Console(width=200, highlight=False).print(table)


def reach(record: Record, pieces: Mapping[str, Piece]) -> None:
    """Take down what was found and what was asked of it."""
    for scenario in SCENARIOS:
        if (piece := pieces.get(scenario.name)) is not None:
            _take_down(record, scenario, piece)
    for goal in GOALS:
        found = judged(goal, pieces)
        if found is not None:
            what = f"{GOAL}{goal.scenario}: {UNITS[goal.quantity]}, {goal.ours}"
            asked = f"at most {number(goal.at_most)}"
            if goal.theirs is not None:
                what, asked = f"{what}, as a multiple of {goal.theirs}", f"{asked} times"
            record.ask(what, cell(found), asked, found.median <= goal.at_most)


def spoilt(record: Record) -> bool:
    """Say whether a run was not what it should be, whatever the goals."""
    return any(finding.ok is False and not finding.what.startswith(GOAL) for finding in record.findings)


def _take_down(record: Record, scenario: Scenario, piece: Piece) -> None:
    for label, one in piece["servers"].items():
        who = f"{scenario.name}, {label}"
        medians = [(UNITS[quantity], spread_of(piece, label, quantity)) for quantity in UNITS]
        record.note(who, "; ".join(f"{unit} {cell(found)}" for unit, found in medians if found is not None))
        if one["failed"]:
            record.ask(f"{who}: failed", one["failed"], "0", ok=False)
        reached = spread_of(piece, label, "backend")
        low, high = scenario.backend
        if reached is not None and not low <= reached.median <= high:
            record.ask(f"{who}: % of requests to the backend", cell(reached), f"{low} to {high}", ok=False)
