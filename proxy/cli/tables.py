"""Documents of the admin API as tables for people."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from proxy.cli import statistics
from proxy.cli.cells import cell, console


def receipt(document: dict[str, Any]) -> None:
    """Show what a purge did."""
    counts = document.get("replicas")
    if isinstance(counts, dict):
        document = {**document, "replicas": f"{counts.get('confirmed')} of {counts.get('live')} have confirmed it"}
    _pairs(document, tuple(document))


def stats(document: dict[str, Any]) -> None:
    """Show totals, then a line per route and per namespace."""
    console().print(statistics.view(document))


def health(document: dict[str, Any]) -> None:
    """Show how the sidecar is."""
    flat = {name: value for name, value in document.items() if not isinstance(value, dict)}
    for part in ("store", "upstream"):
        if isinstance(value := document.get(part), dict):
            flat[part] = ", ".join(f"{name} {said}" for name, said in value.items())
    _pairs(flat, ("status", "message", "latency_ms", "hit_rate", "store", "upstream"))


def explanation(document: dict[str, Any]) -> None:
    """Show nested values as ``a.b``."""
    flat: dict[str, Any] = {}
    _flatten("", document, flat)
    _pairs(flat, tuple(flat))


def _flatten(prefix: str, value: Any, into: dict[str, Any]) -> None:
    if isinstance(value, dict) and value:
        for name, below in value.items():
            _flatten(f"{prefix}.{name}" if prefix else str(name), below, into)
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for index, item in enumerate(value):
            _flatten(f"{prefix}[{index}]", item, into)
    else:
        into[prefix] = value


def _pairs(document: dict[str, Any], names: tuple[str, ...]) -> None:
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name in names:
        table.add_row(Text(name), cell(document.get(name)))
    console().print(table)
