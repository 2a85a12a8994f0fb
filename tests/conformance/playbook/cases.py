"""Transcripts: YAML into frozen values. Whatever is not known here is refused, with the case's id.

A case has ``id``, ``section`` (of an RFC), ``level`` (must, should, may), ``config`` (left out: the implicit route) and
``steps``. A step is ``time passes: 30``, or ``client asks`` ("GET", "GET ?a=1", or a mapping), ``origin says`` (one
answer or a list) and ``expect``. ``each`` multiplies a case by its rows, ``<key>`` stands for a row's value. Header
lines are strings, so that doubles and oddities can be said; ``{now+10}``, ``{now-10:rfc850}``, ``{now:asctime}``,
``{path}`` and ``{url}`` are filled in when the step is played.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import yaml

FOLDER: Final = Path(__file__).parent.parent / "cases"
LEVELS: Final = ("must", "should", "may")
SOURCES: Final = ("origin", "cache", "revalidated", "stale", "collapsed", "sidecar", "broken")
SECTION: Final = re.compile(r"RFC \d{4} \d+(\.\d+)*(, (RFC \d{4} )?\d+(\.\d+)*)*")
SLUG: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

Node = dict[str, Any]


class BadCaseError(Exception):
    """A case that cannot be played as written."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What the client sends. ``path`` is added to the case's own path; ``askers`` of them at once."""

    method: str = "GET"
    path: str = ""
    headers: tuple[str, ...] = ()
    body: str = ""
    askers: int = 1


@dataclass(frozen=True, slots=True)
class Interim:
    status: int
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Say:
    """What the origin answers; ``framing`` is length, chunked, close (read to the end) or none (as the headers say)."""

    status: int = 200
    reason: str = "Whatever"
    headers: tuple[str, ...] = ()
    body: str | None = None
    interim: tuple[Interim, ...] = ()
    trailers: tuple[str, ...] = ()
    framing: str = "length"
    closes: bool = False
    undated: bool = False


@dataclass(frozen=True, slots=True)
class Saw:
    """What the origin must have received in its last request of the step."""

    method: str | None = None
    path: str | None = None
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Expect:
    """What the client must get; ``has`` holds names, or ``Name: value`` for all lines of that name joined.

    ``source``: origin, cache (the origin was not asked), revalidated (it was asked with a condition), stale (from the
    cache, whatever the origin was asked), collapsed (all askers by one question), sidecar (an answer of its own, with
    a status), broken (an answer that ends early, or a 502).
    """

    source: str
    status: tuple[int, ...] = (200,)
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    body: str | None = None
    interim: tuple[int, ...] = ()
    cache_status: tuple[str, ...] = ()
    saw: Saw | None = None


@dataclass(frozen=True, slots=True)
class Step:
    passes: float = 0
    ask: Ask | None = None
    says: tuple[Say, ...] = ()
    expect: Expect | None = None


@dataclass(frozen=True, slots=True)
class Case:
    id: str
    section: str
    level: str
    config: str | None
    steps: tuple[Step, ...] = field(repr=False)


def load_all(folder: Path = FOLDER) -> list[Case]:
    """Read every file of the folder. Raises BadCaseError at the first mistake."""
    cases: list[Case] = []
    for path in sorted(folder.glob("*.yaml")):
        cases += load(path.read_text("utf-8"), path.name)
    twice = {case.id for case in cases if sum(other.id == case.id for other in cases) > 1}
    if twice:
        raise BadCaseError(f"ids used twice: {sorted(twice)}")
    return cases


def load(text: str, name: str) -> list[Case]:
    """Read one file: a list of cases."""
    document = yaml.safe_load(text)
    if not isinstance(document, list):
        raise BadCaseError(f"{name}: expected a list of cases")
    return [_case(one, name) for node in document for one in _each(_mapping(node, name), name)]


def _each(node: Node, name: str) -> list[Node]:
    """Multiply a case by the rows of its ``each``: ``<key>`` stands for the row's value."""
    if "each" not in node:
        return [node]
    where = f"{name}: {node.get('id')}"
    template = {key: value for key, value in node.items() if key != "each"}
    rows = [_mapping(row, where) for row in _list(node["each"], where)]
    for row in rows:
        if set(row) != set(rows[0]):
            raise BadCaseError(f"{where}: the rows of `each` name different things")
    return [_filled(template, row) for row in rows]


def _filled(node: Any, row: Node) -> Any:
    match node:
        case dict():
            return {key: _filled(value, row) for key, value in node.items()}
        case list():
            return [_filled(value, row) for value in node]
        case str():
            for key, value in row.items():
                if node == f"<{key}>":
                    return value
                node = node.replace(f"<{key}>", str(value))
    return node


def _case(node: Node, name: str) -> Case:
    where = f"{name}: {node.get('id')}"
    _only(node, where, "id", "section", "level", "config", "steps")
    slug, section = _text(node, "id", where).lower(), _text(node, "section", where)
    if not SLUG.fullmatch(slug):
        raise BadCaseError(f"{where}: an id is words joined by hyphens")
    if not SECTION.fullmatch(section):
        raise BadCaseError(f'{where}: section: expected "RFC 9111 4.2.1", got {section!r}')
    level = node.get("level", "must")
    if level not in LEVELS:
        raise BadCaseError(f"{where}: level: {level!r} is none of {LEVELS}")
    config = node.get("config")
    if config is not None:
        config = yaml.safe_dump(_mapping(config, where), sort_keys=False)
    steps = [
        _step(_mapping(step, where), f"{where}: step {n}") for n, step in enumerate(_list(node.get("steps"), where), 1)
    ]
    if not steps or steps[-1].expect is None:
        raise BadCaseError(f"{where}: the last step expects nothing")
    return Case(slug, section, level, config, tuple(steps))


def _step(node: Node, where: str) -> Step:
    if "time passes" in node:
        _only(node, where, "time passes")
        passes = node["time passes"]
        if not isinstance(passes, int | float) or passes <= 0:
            raise BadCaseError(f"{where}: time passes: expected seconds, got {passes!r}")
        return Step(passes=passes)
    _only(node, where, "client asks", "origin says", "expect")
    says = node.get("origin says")
    answers = says if isinstance(says, list) else [] if says is None else [says]
    expect = _expect(_mapping(node.get("expect"), where), where)
    if expect.source in {"origin", "revalidated", "collapsed", "broken"} and not answers:
        raise BadCaseError(f"{where}: from {expect.source}, but the origin says nothing")
    return Step(
        ask=_ask(node.get("client asks", {}), where),
        says=tuple(_say(_mapping(answer, where), where) for answer in answers),
        expect=expect,
    )


def _ask(node: Any, where: str) -> Ask:
    if isinstance(node, str):
        method, _, path = node.partition(" ")
        return Ask(method, path)
    node = _mapping(node, where)
    _only(node, where, "method", "path", "headers", "body", "askers")
    return replace(_given(Ask(), node, "method", "path", "body", "askers"), headers=_lines(node, "headers", where))


def _say(node: Node, where: str) -> Say:
    _only(node, where, "status", "reason", "headers", "body", "interim", "trailers", "framing", "closes", "undated")
    interim = tuple(
        Interim(one["status"], _lines(one, "headers", where))
        for one in (_mapping(part, where) for part in _list(node.get("interim", []), where))
    )
    say = replace(
        _given(Say(), node, "status", "reason", "body", "framing", "closes", "undated"),
        headers=_lines(node, "headers", where),
        trailers=_lines(node, "trailers", where),
        interim=interim,
    )
    if say.framing not in {"length", "chunked", "close", "none"}:
        raise BadCaseError(f"{where}: framing: {say.framing!r}")
    return say


def _expect(node: Node, where: str) -> Expect:
    _only(node, where, "from", "status", "has", "lacks", "body", "interim", "cache status", "origin saw")
    source = node.get("from")
    if source not in SOURCES:
        raise BadCaseError(f"{where}: from: {source!r} is none of {SOURCES}")
    status = node.get("status", 200)
    if source == "sidecar" and "status" not in node:
        raise BadCaseError(f"{where}: the sidecar's own answer needs a status")
    return Expect(
        source=source,
        status=tuple(status) if isinstance(status, list) else (status,),
        has=_lines(node, "has", where),
        lacks=_lines(node, "lacks", where),
        body=node.get("body"),
        interim=tuple(node.get("interim", ())),
        cache_status=_lines(node, "cache status", where),
        saw=_saw(_mapping(node["origin saw"], where), where) if "origin saw" in node else None,
    )


def _saw(node: Node, where: str) -> Saw:
    _only(node, where, "method", "path", "has", "lacks", "body")
    saw = _given(Saw(), node, "method", "path", "body")
    return replace(saw, has=_lines(node, "has", where), lacks=_lines(node, "lacks", where))


def _given(value: Any, node: Node, *keys: str) -> Any:
    return replace(value, **{key: node[key] for key in keys if key in node})


def _only(node: Node, where: str, *known: str) -> None:
    for key in node:
        if key not in known:
            raise BadCaseError(f"{where}: unknown key {key!r}, expected one of {sorted(known)}")


def _mapping(node: Any, where: str) -> Node:
    if not isinstance(node, dict):
        raise BadCaseError(f"{where}: expected a mapping, got {node!r}")
    return node


def _list(node: Any, where: str) -> list[Any]:
    if not isinstance(node, list):
        raise BadCaseError(f"{where}: expected a list, got {node!r}")
    return node


def _text(node: Node, key: str, where: str) -> str:
    if not isinstance(node.get(key), str):
        raise BadCaseError(f"{where}: {key}: expected text, got {node.get(key)!r}")
    return node[key]


def _lines(node: Node, key: str, where: str) -> tuple[str, ...]:
    lines = _list(node.get(key, []), where)
    for line in lines:
        if not isinstance(line, str):
            raise BadCaseError(f'{where}: {key}: quote "Name: value", got {line!r}')
    return tuple(lines)
