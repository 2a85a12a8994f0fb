"""``GET /stats`` for people: totals of all replicas beside those of one, and a line per route and per namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from proxy.cli.cells import cell

if TYPE_CHECKING:
    from rich.console import RenderableType

_RATES: Final = ("hit_rate", "miss_rate", "error_rate")
_TOTALS: Final = (
    "total_requests", "cache_hits", "cache_misses", *_RATES, "errors", "bypass", "stale", "revalidated", "collapsed",
    "refused", "seconds_saved", "stored_bytes", "last_reset",
)  # fmt: skip
_STORE: Final = (
    "redis_keyspace_hits",
    "redis_keyspace_misses",
    "connected_clients",
    "used_memory_human",
    "redis_memory_ratio",
    "enabled",
)
_COLUMNS: Final = (
    "requests", "hits", "misses", "hit_rate", "miss_rate", "stale", "revalidated", "collapsed", "bypass", "errors",
    "stored_bytes", "avg_ttl", "seconds_saved", "last_accessed",
)  # fmt: skip

_RUN: Final = ("state", "trigger", "ended", "seconds", "total", "warmed", "fresh", "skipped", "failed", "error")

BAD_BELOW: Final = 60.0
GOOD_FROM: Final = 80.0
"""Percent of hits: the strategy's dashboards are red below 60, green from its target of 80."""


def view(document: dict[str, Any]) -> RenderableType:
    """Return what is shown of the document; what a document does not have is left out."""
    parts = [_totals(document)]
    parts += [_lines(name, rows) for name in ("routes", "namespaces") if (rows := document.get(name))]
    parts += [_warmers(warming)] if (warming := document.get("warming") or {}).get("last_runs") else []
    return Group(*parts)


def _totals(document: dict[str, Any]) -> Table:
    own = document.get("replica")
    of_one = own if isinstance(own, dict) else {}
    table = Table(box=None, pad_edge=False, show_header=bool(of_one))
    table.add_column("", no_wrap=True)
    table.add_column(_whole(document), overflow="fold")
    table.add_column("this one" if of_one else "", overflow="fold")
    for name in _TOTALS:
        if name in document:
            table.add_row(Text(name), _value(name, document), _value(name, of_one) if of_one else Text())
    for name in _STORE:
        if name in document:
            table.add_row(Text(name), cell(document[name]))
    return table


def _whole(document: dict[str, Any]) -> str:
    counts = document.get("replicas")
    if not isinstance(counts, dict):
        return "all replicas"
    left = counts.get("left")
    return f"all replicas ({counts.get('live')} live{f', {left} left' if left else ''})"


def _lines(title: str, rows: dict[str, dict[str, Any]]) -> Table:
    table = Table(title.removesuffix("s"), title=title, title_justify="left")
    for column in _COLUMNS:
        table.add_column(column, justify="right")
    busiest_first = sorted(rows.items(), key=lambda item: (-(item[1].get("requests") or 0), item[0]))
    for name, row in busiest_first:
        table.add_row(Text(name), *(_value(column, row) for column in _COLUMNS))
    return table


def _warmers(warming: dict[str, Any]) -> Table:
    said = f"warmers ({warming.get('total_items_warmed')} items warmed, {warming.get('errors')} errors)"
    table = Table("warmer", title=said, title_justify="left")
    for column in _RUN:
        table.add_column(column, justify="right")
    for name, run in sorted(warming["last_runs"].items()):
        last = run if isinstance(run, dict) else {}
        table.add_row(Text(name), *(cell(last.get(column)) for column in _RUN))
    return table


def _value(name: str, row: dict[str, Any]) -> Text:
    value = row.get(name)
    if name != "hit_rate" or not isinstance(value, int | float) or not _was_asked(row):
        return cell(value)
    style = "red" if value < BAD_BELOW else "green" if value >= GOOD_FROM else "yellow"
    return Text(str(value), style=style)


def _was_asked(row: dict[str, Any]) -> bool:
    """Say whether there was any request that could have been a hit: nothing is neither good nor bad."""
    return any(
        row.get(name) for name in ("hits", "stale", "revalidated", "misses", "collapsed", "cache_hits", "cache_misses")
    )
