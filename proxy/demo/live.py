"""The sidecars' log lines for people: one short line per request and per purge."""

from __future__ import annotations

from typing import Any, Final

import orjson

_COLOURS: Final = {"hit": "32", "stale": "36", "revalidated": "36", "miss": "33", "collapsed": "33", "error": "31"}


def shown(sidecar: str, line: str, *, in_colour: bool) -> str | None:
    """Return what is to be shown of a sidecar's line; None for what is not worth a line here."""
    try:
        fields: dict[str, Any] = orjson.loads(line)
    except ValueError:
        return f"{sidecar}  {line}"  # not a log line: somebody's last words
    match fields.get("event"):
        case "request":
            return _request(sidecar, fields, in_colour=in_colour)
        case "purge":
            return f"{sidecar}  {'purge':<11} {' '.join(fields['selectors'])}"
        case _ if fields.get("level") in {"warning", "error"}:
            return f"{sidecar}  {line}"
        case _:
            return None


def _request(sidecar: str, fields: dict[str, Any], *, in_colour: bool) -> str:
    outcome = fields["outcome"]
    colour = _COLOURS.get(outcome.partition("_")[0])
    word = f"\x1b[{colour}m{outcome:<11}\x1b[0m" if in_colour and colour else f"{outcome:<11}"
    took = f"{fields['seconds'] * 1000:7.1f} ms"
    return f"{sidecar}  {word} {took}  {fields['status']}  {fields['method']} {fields['path']}"
