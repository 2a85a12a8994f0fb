"""YAML 1.2 on PyYAML's C parser: its events only, never its constructors, so that nothing in a file can act.

PyYAML itself reads ``on`` as true, ``9091:1`` as 545461 and keeps the last of two equal keys. Here scalars stay text
(``nodes`` has the core schema), and duplicates, tags, endless aliases and second documents are mistakes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import yaml

from proxy.settings.mistakes import Mistake, Place
from proxy.settings.nodes import Mapping, Node, Scalar, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_CHARACTERS: Final = 1024 * 1024  # the largest file we saw is 30 KiB; libyaml's flow nesting is quadratic in this
MAX_NODES: Final = 100_000  # aliases counted as often as they are used: ten lines of "*a, *a" reach 10^9
MAX_DEPTH: Final = 40  # our own deepest path has 8; bounds the recursion below
_MERGE: Final = "<<"


def parse(text: str, source: str) -> tuple[Mapping, list[Mistake]]:
    """Read one document as a mapping. What could not be read is missing in it and named in the mistakes."""
    start = Place(source, 1, 1)
    if len(text) > MAX_CHARACTERS:
        return Mapping(start), [Mistake.at(start, "", f"larger than {MAX_CHARACTERS // 1024} KiB")]
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return Mapping(start), [Mistake.at(_place_of(text, error.start, source), "", "not a Unicode character")]
    composer = _Composer(text, source)
    root: Mapping = Mapping(start)
    try:
        root = composer.document()
    except _TooMuchError as error:
        composer.mistakes.append(error.mistake)
    except yaml.MarkedYAMLError as error:
        composer.mistakes.append(_syntax_mistake(error, source))
    except yaml.reader.ReaderError as error:
        before = text.encode()[: error.position].decode(errors="ignore")  # the C parser counts bytes
        composer.mistakes.append(Mistake.at(_place_of(text, len(before), source), "", f"not YAML: {error.reason}"))
    return root, composer.mistakes


class _TooMuchError(Exception):
    """The document is refused as a whole."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake)
        self.mistake = mistake


def _place_of(text: str, index: int, source: str) -> Place:
    before = text[:index]
    return Place(source, before.count("\n") + 1, index - before.rfind("\n"))


def _syntax_mistake(error: yaml.MarkedYAMLError, source: str) -> Mistake:
    mark = error.problem_mark or error.context_mark
    place = Place(source, mark.line + 1, mark.column + 1) if mark else Place(source, 1, 1)
    problem = " ".join(part for part in (error.problem or error.context, error.problem and error.context) if part)
    # Nearly always a template that should have been quoted: tags: [plan:{id}]
    hint = ' (a text with "{" or ": " in it must be quoted)' if _looks_unquoted(error.problem or "") else ""
    return Mistake.at(place, "", f"not YAML: {problem}{hint}")


def _looks_unquoted(problem: str) -> bool:
    return problem in {
        "found unexpected ':'",
        "mapping values are not allowed in this context",
        "did not find expected key",
    }


class _Composer:
    """Builds nodes from events; counts every node, aliased ones as often as they are used."""

    def __init__(self, text: str, source: str) -> None:
        self.mistakes: list[Mistake] = []
        self._text = text
        self._source = source
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.CSafeLoader)
        self._anchors: dict[str, tuple[Node, int] | None] = {}
        self._spent = 0

    def document(self) -> Mapping:
        """Read the only document of the stream."""
        next(self._events)  # stream start
        event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            return Mapping(Place(self._source, 1, 1))
        root = self._node(next(self._events), "", 0)
        next(self._events)  # document end
        event = next(self._events)
        if not isinstance(event, yaml.StreamEndEvent):
            self._mistake(event, "", "a second document: a configuration is one")
        if isinstance(root, Mapping):
            return root
        if not (isinstance(root, Scalar) and root.is_null):
            self.mistakes.append(Mistake.at(root.place, "", "expected a mapping of settings at the top"))
        return Mapping(root.place)

    def _place(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        assert mark is not None  # the stubs allow for events that were not parsed
        return Place(self._source, mark.line + 1, mark.column + 1)

    def _mistake(self, event: yaml.Event, path: str, message: str) -> None:
        self.mistakes.append(Mistake.at(self._place(event), path, message))

    def _spend(self, event: yaml.Event, nodes: int) -> None:
        self._spent += nodes
        if self._spent > MAX_NODES:
            message = f"more than {MAX_NODES} values, counting each alias as what it stands for"
            raise _TooMuchError(Mistake.at(self._place(event), "", message))

    def _node(self, event: yaml.Event, path: str, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise _TooMuchError(Mistake.at(self._place(event), path, f"nested deeper than {MAX_DEPTH} levels"))
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path)
        assert isinstance(event, yaml.ScalarEvent | yaml.SequenceStartEvent | yaml.MappingStartEvent)
        if event.tag is not None:
            self._mistake(event, path, f"tags like {event.tag} have no meaning here; quote a value to make it text")
        before = self._spent
        self._spend(event, 1)
        if event.anchor is not None:
            self._anchors[event.anchor] = None  # not complete yet: an alias to it from inside has no end
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = Scalar(self._place(event), event.value, quoted=bool(event.style))
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(event, path, depth)
        else:
            node = self._mapping(event, path, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, self._spent - before)
        return node

    def _alias(self, event: yaml.AliasEvent, path: str) -> Node:
        if event.anchor not in self._anchors:
            self._mistake(event, path, f"no &{event.anchor} before this *{event.anchor}")
            return Scalar(self._place(event), "")
        known = self._anchors[event.anchor]
        if known is None:
            raise _TooMuchError(
                Mistake.at(self._place(event), path, f"*{event.anchor} stands inside of its own anchor")
            )
        self._spend(event, known[1])
        return known[0]

    def _written(self, start: yaml.Event, end: yaml.Event) -> str:
        assert start.start_mark is not None
        assert end.end_mark is not None
        written = self._text[start.start_mark.index : end.end_mark.index]
        return "" if "\n" in written else written

    def _sequence(self, start: yaml.Event, path: str, depth: int) -> Sequence:
        items: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, f"{path}[{len(items)}]", depth + 1))
        return Sequence(self._place(start), tuple(items), self._written(start, event))

    def _mapping(self, start: yaml.Event, path: str, depth: int) -> Mapping:
        own: dict[str, tuple[Scalar, Node]] = {}
        merges: dict[str, tuple[Scalar, Node]] = {}
        merged: dict[str, tuple[Scalar, Node]] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, path, depth + 1)
            name = key.text if isinstance(key, Scalar) else "?"
            inner = f"{path}.{name}" if path else name
            value = self._node(next(self._events), inner, depth + 1)
            if not isinstance(key, Scalar):
                self._mistake(event, path, "a key must be text")
                continue
            is_merge = name == _MERGE and not key.quoted
            kept = merges if is_merge else own
            if name in kept:
                self._mistake(event, inner, f"said twice, first in line {kept[name][0].place.line}")
                continue
            kept[name] = (key, value)
            if is_merge:
                self._merge(event, value, merged, path)
        entries = tuple({**merged, **own}.values())  # what a mapping says itself wins over what it merges
        return Mapping(self._place(start), entries, self._written(start, event))

    def _merge(self, event: yaml.Event, value: Node, merged: dict[str, tuple[Scalar, Node]], path: str) -> None:
        """Take in ``<<: *other`` or ``<<: [*one, *two]``: of two that say the same key, the earlier wins."""
        for source in value.items if isinstance(value, Sequence) else (value,):
            if not isinstance(source, Mapping):
                self._mistake(event, path, "<< takes an alias of a mapping, or a list of them")
                continue
            for name, node in source.entries:
                merged.setdefault(name.text, (name, node))
