"""From JSON to what is to be purged, or every mistake in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from proxy.admin.problems import Problem
from proxy.message import selectors
from proxy.policy.urls import canonical_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from proxy.policy.rules import RuleBook

MOST_SELECTORS: Final = 10_000  # in one call: one script in Redis, about 20 ms
LONGEST: Final = 8192  # characters of one value; limits.target's default
LONGEST_WAIT: Final = 60.0

_NAMED: Final[dict[str, Callable[[str], str]]] = {
    "tags": selectors.tag,
    "keys": selectors.logical_key,
    "users": selectors.user,
    "namespaces": selectors.namespace,
    "routes": selectors.route,
}
_LISTS: Final = (*_NAMED, "urls", "paths")
_LATER: Final = ("patterns", "refresh", "dry_run")
_FIELDS: Final = (*_LISTS, *_LATER, "all", "mode", "wait")

_DURATION: Final = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)", re.ASCII)
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True)
class PurgeOrder:
    """What is to be purged: selectors without repetition, in the order given; ``wait`` in seconds."""

    selectors: tuple[str, ...]
    soft: bool = False
    wait: float | None = None


class _Findings:
    def __init__(self) -> None:
        self.mistakes: list[dict[str, str]] = []

    def add(self, where: str, detail: str) -> None:
        self.mistakes.append({"where": where, "detail": detail})


def read_order(document: Any, book: RuleBook) -> PurgeOrder:
    """Return the order. Raises Problem 422 with all mistakes: what, where, and what was expected instead."""
    if not isinstance(document, dict):
        raise refusal([{"where": "body", "detail": f"expected an object, got {_shown(document)}"}])
    findings = _Findings()
    _check_names(document, findings)
    chosen = list(_everything(document, findings))
    for name in _LISTS:
        chosen += _selected(name, document, book, findings)
    soft = _mode(document, findings)
    wait = _wait(document, findings)
    unique = tuple(dict.fromkeys(chosen))
    if not unique and not findings.mistakes:
        findings.add("body", _nothing(document))
    if len(unique) > MOST_SELECTORS:
        findings.add("body", f"expected at most {MOST_SELECTORS} selectors, got {len(unique)}; send them in parts")
    if findings.mistakes:
        raise refusal(findings.mistakes)
    return PurgeOrder(unique, soft=soft, wait=wait)


def _nothing(document: dict[str, Any]) -> str:
    if document.get("urls"):
        return "no route serves these urls, so nothing is stored for them"
    return f"nothing to purge: give at least one of {', '.join(_LISTS)}, or all: true"


def refusal(mistakes: Sequence[dict[str, str]]) -> Problem:
    """Return the 422 that names each mistake; nothing has been purged."""
    summary = "; ".join(f"{mistake['where']}: {mistake['detail']}" for mistake in mistakes[:3])
    more = f"; and {len(mistakes) - 3} more" if len(mistakes) > 3 else ""  # noqa: PLR2004 - as many as a line holds
    return Problem(422, f"nothing was purged: {summary}{more}", mistakes=list(mistakes))


def _check_names(document: dict[str, Any], findings: _Findings) -> None:
    for name in document:
        if name in _LATER:
            findings.add(name, "not built yet")
        elif name not in _FIELDS:
            near = get_close_matches(name, _FIELDS, n=1)
            findings.add(_short(name), f"unknown, did you mean {near[0]}?" if near else f"unknown; known: {_known()}")


def _known() -> str:
    return ", ".join(name for name in _FIELDS if name not in _LATER)


def _everything(document: dict[str, Any], findings: _Findings) -> Iterable[str]:
    value = document.get("all", False)
    if not isinstance(value, bool):
        findings.add("all", f"expected true, got {_shown(value)}")
        return ()
    return (selectors.EVERYTHING,) if value else ()


def _selected(name: str, document: dict[str, Any], book: RuleBook, findings: _Findings) -> list[str]:
    values = document.get(name, [])
    if not isinstance(values, list):
        findings.add(name, f"expected a list of strings, got {_shown(values)}")
        return []
    found: list[str] = []
    for index, value in enumerate(values):
        wrong = _wrong_with(value)
        if wrong:
            findings.add(f"{name}[{index}]", wrong)
            continue
        try:
            found += _selectors_for(name, value, book)
        except ValueError as error:
            findings.add(f"{name}[{index}]", str(error))
    return found


def _wrong_with(value: Any) -> str:
    if not isinstance(value, str) or not value:
        return f"expected text, got {_shown(value)}"
    if len(value) > LONGEST:
        return f"expected at most {LONGEST} characters, got {len(value)}"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "expected Unicode text, got half of a surrogate pair"
    return ""


def _selectors_for(name: str, value: str, book: RuleBook) -> Sequence[str]:
    if name == "urls":
        return canonical_url(book, value)
    if name == "paths":
        if "?" in value:
            raise ValueError('expected a path without a query; "urls" takes one')
        return canonical_url(book, f"{value}?*")
    return (_NAMED[name](value),)


def _mode(document: dict[str, Any], findings: _Findings) -> bool:
    mode = document.get("mode", "hard")
    if mode not in {"hard", "soft"} if isinstance(mode, str) else True:
        findings.add("mode", f'expected "hard" or "soft", got {_shown(mode)}')
    return bool(mode == "soft")


def _wait(document: dict[str, Any], findings: _Findings) -> float | None:
    if "wait" not in document:
        return None
    value = document["wait"]
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        findings.add("wait", f'expected a duration like "2s" or "500ms", got {_shown(value)}')
        return None
    seconds = int(found[1]) * _UNITS[found[2]]
    if seconds > LONGEST_WAIT:
        findings.add("wait", f'expected at most "{LONGEST_WAIT:.0f}s", got {_shown(value)}')
    return seconds


def _shown(value: Any) -> str:
    """Name a JSON value for a message, short and harmless."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return "a number"
        case "":
            return "empty text"
        case str():
            return f'"{_short(value)}"'
        case list():
            return "a list"
        case _:
            return "an object"


def _short(text: str) -> str:
    return ascii(text[:40])[1:-1] + ("..." if len(text) > 40 else "")  # noqa: PLR2004 - enough to be recognised
