"""How a mapping is read: each key is asked for once, with its kind and default; what nobody asked for is unknown.

The same questions make the running configuration that ``GET /config`` shows, so it cannot forget a key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from proxy.settings.mistakes import Caution, Mistake, Place
from proxy.settings.nearest import did_you_mean
from proxy.settings.nodes import Mapping, Node, Scalar, Sequence, describe

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.settings.kinds import Kind

T = TypeVar("T")


@dataclass(slots=True)
class Desk:
    """What one reading found. ``read_file`` gives a mounted secret's text, or raises OSError."""

    read_file: Callable[[str], str]
    mistakes: list[Mistake] = field(default_factory=list)
    cautions: list[Caution] = field(default_factory=list)
    files_needed: bool = True

    def mistake(self, place: Place, path: str, message: str) -> None:
        """Note what must be mended; reading goes on."""
        self.mistakes.append(Mistake.at(place, path, message))

    def caution(self, place: Place, path: str, message: str) -> None:
        """Note what is doubtful."""
        self.cautions.append(Caution.at(place, path, message))


class Section:
    """One mapping being read."""

    def __init__(self, node: Mapping, path: str, desk: Desk) -> None:
        self.node = node
        self.path = path
        self.desk = desk
        self.shown: dict[str, Any] = {}
        self._asked: set[str] = set()

    def path_of(self, key: str) -> str:
        """Return the address of a key."""
        return f"{self.path}.{key}" if self.path else key

    def place_of(self, key: str) -> Place:
        """Return where a key's value stands; the section's own place if it is left out."""
        node = self.find(key)
        return node.place if node else self.node.place

    def find(self, key: str) -> Node | None:
        """Return a key's node, None where it is left out or says nothing."""
        self._asked.add(key)
        node = self.node.get(key)
        return None if isinstance(node, Scalar) and node.is_null else node

    def has(self, key: str) -> bool:
        """Say whether the key was written with a value."""
        return self.find(key) is not None

    def is_empty_list(self, key: str) -> bool:
        """Say whether the key was written as a list of nothing."""
        node = self.find(key)
        return isinstance(node, Sequence) and not node.items

    def mistake(self, key: str, message: str) -> None:
        """Note a mistake at a key's value."""
        self.desk.mistake(self.place_of(key), self.path_of(key), message)

    def caution(self, key: str, message: str) -> None:
        """Note a doubt at a key's value."""
        self.desk.caution(self.place_of(key), self.path_of(key), message)

    def one(self, key: str, kind: Kind[T], default: T) -> T:
        """Read a single value."""
        value = self._one(key, kind, default)
        self.shown[key] = kind.show(value)
        return value

    def _one(self, key: str, kind: Kind[T], default: T) -> T:
        node = self.find(key)
        if node is None:
            return default
        for value in self.convert(node, self.path_of(key), kind):
            return value
        return default

    def maybe(self, key: str, kind: Kind[T]) -> T | None:
        """Read a single value that has no default; None, and nothing shown, where it is left out."""
        node = self.find(key)
        for value in self.convert(node, self.path_of(key), kind) if node else ():
            self.shown[key] = kind.show(value)
            return value
        return None

    def required(self, key: str, kind: Kind[T], default: T) -> T:
        """Read a single value that must be there."""
        if not self.has(key):
            self.mistake(key, f"missing: expected {kind.expects}")
        return self.one(key, kind, default)

    def convert(self, node: Node, path: str, kind: Kind[T]) -> tuple[T] | tuple[()]:
        """Read a node as one value; empty, with the mistake noted, if it is not of that kind."""
        try:
            if isinstance(node, Scalar):
                return (kind.read(node),)
            message = f"expected {kind.expects}, got {describe(node)}{_quote_it(node)}"
        except ValueError as error:
            message = str(error)
        self.desk.mistake(node.place, path, message)
        return ()

    def many(self, key: str, kind: Kind[T], default: tuple[T, ...] = (), *, single: bool = False) -> tuple[T, ...]:
        """Read a list of values; with ``single``, one bare value is a list of one."""
        values = self._many(key, kind, default, single=single)
        self.shown[key] = [kind.show(value) for value in values]
        return values

    def _many(self, key: str, kind: Kind[T], default: tuple[T, ...], *, single: bool) -> tuple[T, ...]:
        node = self.find(key)
        if node is None:
            return default
        path = self.path_of(key)
        items: tuple[tuple[str, Node], ...]
        if isinstance(node, Sequence):
            items = tuple((f"{path}[{index}]", item) for index, item in enumerate(node.items))
        elif isinstance(node, Scalar) and node.loose and not single:  # a variable has no lists: commas
            parts = (part.strip() for part in node.text.split(","))
            items = tuple((path, Scalar(node.place, part, loose=True)) for part in parts if part)
        elif single:
            items = ((path, node),)
        else:
            self.desk.mistake(node.place, path, f"expected a list, got {describe(node)}{_quote_it(node)}")
            return default
        return tuple(value for inner, item in items for value in self.convert(item, inner, kind))

    def section(self, key: str) -> Section:
        """Read a mapping; an empty one where it is left out, or is something else."""
        return self.maybe_section(key) or self._shown(key, Mapping(self.place_of(key)))

    def maybe_section(self, key: str) -> Section | None:
        """Read a mapping; None where it is left out, or is something else."""
        node = self.find(key)
        if node is None:
            return None
        if not isinstance(node, Mapping):
            self.mistake(key, f"expected a mapping, got {describe(node)}")
            return None
        return self._shown(key, node)

    def _shown(self, key: str, node: Mapping) -> Section:
        section = Section(node, self.path_of(key), self.desk)
        self.shown[key] = section.shown
        return section

    def sections(self, key: str, *, show: bool = True) -> list[Section]:
        """Read a list of mappings."""
        node = self.find(key)
        if node is None:
            return []
        if not isinstance(node, Sequence):
            self.mistake(key, f"expected a list of mappings, got {describe(node)}")
            return []
        found: list[Section] = []
        for index, item in enumerate(node.items):
            path = f"{self.path_of(key)}[{index}]"
            if isinstance(item, Mapping):
                found.append(Section(item, path, self.desk))
            else:
                self.desk.mistake(item.place, path, f"expected a mapping, got {describe(item)}")
        if show:
            self.shown[key] = [section.shown for section in found]
        return found

    def named(self, key: str) -> list[tuple[str, Section]]:
        """Read a mapping whose keys are names of the operator's and whose values are mappings."""
        outer = self.maybe_section(key)
        if outer is None:
            return []
        return [(name.text, outer.section(name.text)) for name, _ in outer.node.entries]

    def close(self) -> None:
        """Note every key that nobody asked for."""
        for name, _ in self.node.entries:
            if name.text not in self._asked:
                hint = did_you_mean(name.text, self._asked)
                self.desk.mistake(name.place, self.path_of(name.text), f"unknown key{hint}")


def _quote_it(node: Node) -> str:
    """Return a hint where a template without quotes became a mapping: ``{plan_id}`` is one with an empty value."""
    if not isinstance(node, Mapping) or not node.written:
        return ""
    bare = all(isinstance(value, Scalar) and value.is_null for _, value in node.entries)
    return f': quote it, "{node.written}"' if bare and node.entries else ""
