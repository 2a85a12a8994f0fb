"""What the README and the chart say of the record: written from it, so that they cannot say anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bench.peers.chart import Bar, Group, drawn
from bench.peers.report import cell, number, spread_of
from bench.peers.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.peers.report import Piece

BEGIN: Final = "<!-- written by python -m bench.peers --render -->"
END: Final = "<!-- to here -->"
CHART: Final = "bench/results/peers.svg"
KINDS: Final = ("nginx", "varnish", "haproxy")
NAMES: Final = {"sapwood": "Sapwood", "nginx": "nginx", "varnish": "Varnish", "haproxy": "HAProxy"}
#: As they are written, where that is not as they are named.
TOOLS: Final = NAMES | {"valkey": "Valkey"}
#: Whose label is not the kind alone, by scenario and kind.
LABELS: Final = {
    ("redis", "nginx"): "nginx, memcached",
    ("miss", "nginx"): "nginx, pass-through",
    ("zipf", "sapwood"): "sapwood, 64 MiB",
}


def chart_of(pieces: Mapping[str, Piece]) -> str:
    """Draw the CPU per request in every scenario of a closed loop."""
    groups = []
    for scenario in SCENARIOS:
        piece = pieces.get(scenario.name)
        if scenario.way != "closed" or piece is None:
            continue
        spreads = {label: spread_of(piece, label, "cost") for label in piece["servers"]}
        bars = [
            Bar(label, found.median, found.low, found.high, f"{number(found.median)} µs", label.startswith("sapwood"))
            for label, found in spreads.items()
            if found is not None
        ]
        groups.append(Group(piece["title"], tuple(bars)))
    return drawn("CPU per request, µs: median and quartiles", groups)


def section_of(value: Mapping[str, Any]) -> str:
    """Write the README's table from the record."""
    pieces: Mapping[str, Piece] = value["details"]["scenarios"]
    lines = ["| µs of CPU per request | Sapwood | nginx | Varnish | HAProxy |", "|---|---|---|---|---|"]
    for scenario in SCENARIOS:
        if scenario.way == "closed" and (piece := pieces.get(scenario.name)) is not None:
            cells = [_cost(scenario.name, piece, kind) for kind in NAMES]
            lines.append(f"| {piece['title']} | {' | '.join(cells)} |")
    lines += ["", *_sentences(pieces), "", _conditions(value), "", f"![CPU per request]({CHART})"]
    return "\n".join(lines)


def _cost(scenario: str, piece: Piece, kind: str) -> str:
    label = LABELS.get((scenario, kind), kind)
    found = spread_of(piece, label, "cost")
    if found is None:
        return ""
    _, comma, more = label.partition(", ")
    return number(found.median) + (f" ({more})" if comma else "")


def _sentences(pieces: Mapping[str, Piece]) -> list[str]:
    """Say what is no CPU per request, a line each."""
    lines = []
    if (piece := pieces.get("hot")) is not None and "sapwood" in piece["servers"]:
        taken = {kind: piece["servers"][kind]["memory"] / 2**20 for kind in NAMES if kind in piece["servers"]}
        ours = number(taken.pop("sapwood"))
        others = ", ".join(f"{NAMES[kind]} {number(mebibytes)}" for kind, mebibytes in taken.items())
        lines.append(
            f"- Memory after the hot hits, each with a cache of 64 MiB: {ours} MiB{f' ({others})' * bool(others)}."
        )
    if (piece := pieces.get("open")) is not None:
        lines.append(f"- 5,000 hits a second, come what may: 99 % within {_both(piece, 'p99', 'ms')}.")
    if (piece := pieces.get("crowd")) is not None:
        failed = piece["servers"].get("sapwood", {}).get("failed", 0)
        lines.append(
            f"- 10,000 connections with 2,000 requests a second: {failed or 'no'} errors, 99 % within "
            f"{_both(piece, 'p99', 'ms')}; memory of an idle connection {_both(piece, 'idle', 'KiB')}."
        )
    if (piece := pieces.get("cold")) is not None:
        lines.append(
            f"- 1,000 clients at once for a key that nobody has: {_both(piece, 'fetches', 'backend requests')}."
        )
    return lines


def _both(piece: Piece, quantity: str, unit: str) -> str:
    """Write ours with its unit, and the others' in brackets."""
    ours = spread_of(piece, "sapwood", quantity)
    others = [
        f"{NAMES[kind]} {number(found.median)}"
        for kind in KINDS
        if (found := spread_of(piece, kind, quantity)) is not None
    ]
    said = f"{cell(None) if ours is None else number(ours.median)} {unit}"
    return said + (f" ({', '.join(others)})" if others else "")


def _conditions(value: Mapping[str, Any]) -> str:
    pieces: Mapping[str, Piece] = value["details"]["scenarios"]
    rounds = sorted({piece["rounds"] for name, piece in pieces.items() if name in _closed()})
    said = " to ".join(map(str, {min(rounds): 0, max(rounds): 0})) if rounds else "no"
    versions = ", ".join(f"{TOOLS.get(name, name)} {version}" for name, version in value["details"]["versions"].items())
    machine = "{cpu}, {cores} cores, Python {python}, Linux {kernel}".format(**value["machine"])
    return (
        f"Measured {value['date']} on {machine}; {versions}. Medians of {said} interleaved rounds; each server alone on one "
        "core, 64 connections, nine request fields of which one is an id of its own. nginx keeps its files on tmpfs."
    )


def _closed() -> set[str]:
    return {scenario.name for scenario in SCENARIOS if scenario.way == "closed"}


def replaced(readme: str, section: str) -> str:
    """Put the section between its marks."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the README lacks the marks {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n\n{section}\n\n{END}{after}"


def between(readme: str) -> str:
    """Return what stands between the marks."""
    return readme.partition(BEGIN)[2].partition(END)[0].strip("\n")
