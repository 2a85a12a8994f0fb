"""A configuration as it was written: text, lists and mappings, each with its place. Nothing is converted yet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from proxy.settings.mistakes import Place

# YAML 1.2 section 10.3.2, the core schema's table of plain scalars, row by row.
_NULL: Final = re.compile(r"(?:null|Null|NULL|~|)")
_BOOLEAN: Final = re.compile(r"(?:true|True|TRUE|false|False|FALSE)")
_NUMBER: Final = re.compile(
    r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"
    r"|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))"
)
_PASSWORD: Final = re.compile(r"(://[^/@:\s]*:)\S*@")


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value. ``loose``: it came from outside of the file, where nothing can be quoted, so any kind may read it.

    ``written`` is what a mistake may show: for a value out of a variable, the variable's name and not its content.
    """

    place: Place
    text: str
    quoted: bool = False
    loose: bool = False
    written: str = ""

    @property
    def is_null(self) -> bool:
        """Nothing was written, or ``null``: the same as leaving the key out."""
        return not self.quoted and not self.loose and _NULL.fullmatch(self.text) is not None

    @property
    def is_boolean(self) -> bool:
        """Only ``true`` and ``false``: ``yes``, ``no``, ``on`` and ``off`` are text (YAML 1.2)."""
        return not self.quoted and _BOOLEAN.fullmatch(self.text) is not None

    @property
    def is_number(self) -> bool:
        """Decimal, ``0o`` and ``0x`` whole numbers and decimal fractions; ``9091:1`` is text (YAML 1.2)."""
        return not self.quoted and _NUMBER.fullmatch(self.text) is not None

    @property
    def is_text(self) -> bool:
        """Quoted, or nothing that the core schema reads as something else."""
        return self.quoted or self.loose or not (self.is_null or self.is_boolean or self.is_number)


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    place: Place
    items: tuple[Node, ...] = ()
    written: str = ""


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys in the order of the file, each once, merge keys already merged."""

    place: Place
    entries: tuple[tuple[Scalar, Node], ...] = ()
    written: str = ""

    def get(self, key: str) -> Node | None:
        """Return a key's value, None where it is left out."""
        for name, node in self.entries:
            if name.text == key:
                return node
        return None


Node = Scalar | Sequence | Mapping


def describe(node: Node) -> str:
    """Say what was found where something else was expected."""
    match node:
        case Mapping():
            return "a mapping"
        case Sequence():
            return "a list"
        case Scalar(is_null=True):
            return "nothing"
        case Scalar(is_text=True):
            return f'"{_without_password(node.written or node.text)}"'
        case _:
            return node.written or node.text


def _without_password(text: str) -> str:
    # A mistake is logged, and answered to whoever reloads.
    return _PASSWORD.sub(r"\1<hidden>@", text)
