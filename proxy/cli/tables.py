"""Documents of the admin API as tables for people."""

from __future__ import annotations

import sys
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDE: Final = 200  # columns where no terminal says how many: a log or a pipe must not lose the ends of lines

_TOTALS: Final = (
    "total_requests", "cache_hits", "cache_misses", "hit_rate", "miss_rate", "errors", "error_rate", "bypass", "stale",
    "revalidated", "collapsed", "seconds_saved", "stored_bytes", "redis_keyspace_hits", "redis_keyspace_misses",
    "connected_clients", "used_memory_human", "enabled", "last_reset",
)  # fmt: skip
_COLUMNS: Final = (
    "requests", "hits", "misses", "stale", "revalidated", "collapsed", "bypass", "errors", "hit_rate", "stored_bytes",
    "avg_ttl", "seconds_saved", "last_accessed",
)  # fmt: skip


def _console() -> Console:
    return Console(
        file=sys.stdout, width=None if sys.stdout.isatty() else _WIDE, markup=False, highlight=False, emoji=False
    )


def receipt(document: dict[str, Any]) -> None:
    """Show what a purge did."""
    counts = document.get("replicas")
    if isinstance(counts, dict):
        document = {**document, "replicas": f"{counts.get('confirmed')} of {counts.get('live')} have confirmed it"}
    _pairs(document, tuple(document))


def stats(document: dict[str, Any]) -> None:
    """Show totals, then a line per route and per namespace."""
    _pairs(document, tuple(name for name in _TOTALS if name in document))
    for part in ("routes", "namespaces"):
        rows = document.get(part) or {}
        if rows:
            table = Table(part.removesuffix("s"), title=part, title_justify="left")
            for column in _COLUMNS:
                table.add_column(column, justify="right")
            for name, row in rows.items():
                table.add_row(Text(name), *(_cell(row.get(column)) for column in _COLUMNS))
            _console().print(table)


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
        table.add_row(Text(name), _cell(document.get(name)))
    _console().print(table)


def _cell(value: Any) -> Text:
    match value:
        case None:
            return Text("-")
        case bool():
            return Text("yes" if value else "no")
        case list():
            return Text(", ".join(str(item) for item in value) or "-")
        case _:
            return Text(str(value))
