"""From JSON to what is to be purged, or every mistake in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from proxy.admin.problems import Problem
from proxy.message import globs, selectors
from proxy.policy.urls import canonical_url
from proxy.purge import patterns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from proxy.policy.rules import RuleBook
    from proxy.purge.options import PurgeOptions

LONGEST: Final = 8192  # characters of one value; limits.target's default
LONGEST_WAIT: Final = 60.0
MOST_REFRESHED: Final = 1000  # in one call: as many fetches, purge.refresh_at_once at a time

_NAMED: Final[dict[str, Callable[[str], str]]] = {
    "tags": selectors.tag,
    "keys": selectors.logical_key,
    "users": selectors.user,
    "namespaces": selectors.namespace,
    "routes": selectors.route,
}
_LISTS: Final = (*_NAMED, "urls", "paths", "patterns")
_FIELDS: Final = (*_LISTS, "all", "mode", "wait", "refresh", "dry_run")

_DURATION: Final = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)", re.ASCII)
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True)
class PurgeOrder:
    """What is to be purged: selectors without repetition, in the order given; ``wait`` in seconds.

    ``refresh``: how many of the most read entries that it hits are fetched again; ``dry_run``: nothing is purged, only
    what would be is told.
    """

    selectors: tuple[str, ...]
    soft: bool = False
    wait: float | None = None
    refresh: int = 0
    dry_run: bool = False


class _Findings:
    def __init__(self) -> None:
        self.mistakes: list[dict[str, str]] = []

    def add(self, where: str, detail: str) -> None:
        self.mistakes.append({"where": where, "detail": detail})


def read_order(document: Any, book: RuleBook, limits: PurgeOptions) -> PurgeOrder:
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
    refresh = _refresh(document, findings)
    dry_run = _flag("dry_run", document, findings)
    unique = tuple(dict.fromkeys(chosen))
    if not unique and not findings.mistakes:
        findings.add("body", _nothing(document))
    _check_numbers(unique, limits, findings)
    if findings.mistakes:
        raise refusal(findings.mistakes)
    return PurgeOrder(unique, soft=soft, wait=wait, refresh=refresh, dry_run=dry_run)


def _check_numbers(unique: tuple[str, ...], limits: PurgeOptions, findings: _Findings) -> None:
    if len(unique) > limits.max_selectors_per_call:
        findings.add(
            "body",
            f"expected at most {limits.max_selectors_per_call} selectors (purge.max_selectors_per_call), got "
            f"{len(unique)}; send them in parts, or purge by a tag that all of them share",
        )
    if (count := sum(name.startswith(selectors.PATTERN) for name in unique)) > patterns.MOST:
        findings.add(
            "patterns",
            f"expected at most {patterns.MOST}, got {count}: each entry is compared with every one of them; purge by a "
            "tag, a user or a namespace",
        )


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
        if name not in _FIELDS:
            near = get_close_matches(name, _FIELDS, n=1)
            known = ", ".join(_FIELDS)
            findings.add(_short(name), f"unknown, did you mean {near[0]}?" if near else f"unknown; known: {known}")


def _everything(document: dict[str, Any], findings: _Findings) -> Iterable[str]:
    return (selectors.EVERYTHING,) if _flag("all", document, findings) else ()


def _flag(name: str, document: dict[str, Any], findings: _Findings) -> bool:
    value = document.get(name, False)
    if not isinstance(value, bool):
        findings.add(name, f"expected true, got {_shown(value)}")
        return False
    return value


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
    if name == "patterns":
        return (selectors.pattern(globs.checked(value)),)
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


def _refresh(document: dict[str, Any], findings: _Findings) -> int:
    value = document.get("refresh", 0)
    if not isinstance(value, int) or isinstance(value, bool):
        findings.add("refresh", f"expected a whole number, got {_shown(value)}")
        return 0
    if not 0 <= value <= MOST_REFRESHED:
        findings.add("refresh", f"expected a whole number from 0 to {MOST_REFRESHED}")
    return value


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
