"""Structured fields (RFC 9651): Dictionaries and Lists of Strings are read, Strings and Tokens are written.

A field with any mistake in it is no field at all (section 4.2): readers answer None or nothing, never a part of it.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Token(str):
    """A Token, which is not the String of the same characters."""

    __slots__ = ()


class DisplayString(str):
    """A Display String: any characters, not only ASCII."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Date:
    """A Date in whole seconds since the epoch."""

    seconds: int


@dataclass(frozen=True, slots=True)
class InnerList:
    """The Items between two parentheses."""

    items: tuple[Member, ...]


Value = int | Decimal | str | bytes | bool | Date | InnerList


@dataclass(frozen=True, slots=True)
class Member:
    """A value with its parameters; of equal parameter keys the last one counts."""

    value: Value
    parameters: tuple[tuple[str, Value], ...] = ()


_KEY: Final = re.compile(r"[a-z*][a-z0-9_\-.*]*")
_TOKEN: Final = re.compile(r"[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*")
_PRINTABLE: Final = re.compile(r"[ -~]*")
_SEPARATOR: Final = re.compile(r"[ \t]*,[ \t]*")

# Section 4.2.3.1: the first character tells the type.
_BARE_ITEMS: Final[tuple[tuple[re.Pattern[str], Callable[[str], Value]], ...]] = (
    (re.compile(r"-?[0-9]{1,12}\.[0-9]{1,3}"), Decimal),
    (re.compile(r"-?[0-9]{1,15}"), int),
    (re.compile(r'"(?:[ !#-\[\]-~]|\\["\\])*"'), lambda text: re.sub(r"\\(.)", r"\1", text[1:-1])),
    (_TOKEN, Token),
    (re.compile(r":[A-Za-z0-9+/=]*:"), lambda text: base64.b64decode(text[1:-1] + "=" * (-(len(text) - 2) % 4))),
    (re.compile(r"\?[01]"), lambda text: text == "?1"),
    (re.compile(r"@-?[0-9]{1,15}"), lambda text: Date(int(text[1:]))),
    (re.compile(r'%"(?:[ !#$&-~]|%[0-9a-f]{2})*"'), lambda text: DisplayString(unquote_to_bytes(text[2:-1]).decode())),
)


class _Reader:
    """Field text and how far it was read. Every method raises ValueError where the text breaks the grammar."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def at_end(self) -> bool:
        return self.at == len(self.text)

    def skip(self, literal: str) -> bool:
        """Step over ``literal`` if it comes next."""
        if not self.text.startswith(literal, self.at):
            return False
        self.at += len(literal)
        return True

    def take(self, pattern: re.Pattern[str]) -> str | None:
        """Step over what ``pattern`` matches next and return it."""
        match = pattern.match(self.text, self.at)
        if match is None:
            return None
        self.at = match.end()
        return match[0]

    def spaces(self) -> None:
        while self.skip(" "):
            pass

    def key(self) -> str:
        """Section 4.2.3.3."""
        name = self.take(_KEY)
        if name is None:
            raise ValueError(f"expected a key at {self.at}")
        return name

    def bare_item(self) -> Value:
        """Section 4.2.3.1."""
        for pattern, made in _BARE_ITEMS:
            if (text := self.take(pattern)) is not None:
                return made(text)
        raise ValueError(f"expected an item at {self.at}")

    def parameters(self) -> tuple[tuple[str, Value], ...]:
        """Section 4.2.3.2."""
        found: dict[str, Value] = {}
        while self.skip(";"):
            self.spaces()
            name = self.key()
            found[name] = self.bare_item() if self.skip("=") else True
        return tuple(found.items())

    def item(self) -> Member:
        """Section 4.2.3."""
        value = self.bare_item()
        return Member(value, self.parameters())

    def inner_list(self) -> Member:
        """Section 4.2.1.2, after the opening parenthesis."""
        items: list[Member] = []
        self.spaces()
        while not self.skip(")"):
            items.append(self.item())
            if not self.text.startswith((" ", ")"), self.at):
                raise ValueError(f"expected a space or a parenthesis at {self.at}")
            self.spaces()
        return Member(InnerList(tuple(items)), self.parameters())

    def member(self) -> Member:
        """Section 4.2.1.1."""
        return self.inner_list() if self.skip("(") else self.item()

    def dictionary_member(self) -> tuple[str, Member]:
        """Section 4.2.2, one turn of its loop."""
        name = self.key()
        return name, self.member() if self.skip("=") else Member(value=True, parameters=self.parameters())


T = TypeVar("T")


def _members(values: Iterable[bytes], one: Callable[[_Reader], T]) -> list[T]:
    """Read all members of a field's combined lines (sections 4.2, 4.2.1 and 4.2.2)."""
    reader = _Reader(b", ".join(values).decode("ascii").strip(" "))
    found: list[T] = []
    while not reader.at_end():
        found.append(one(reader))
        if reader.at_end():
            break
        if reader.take(_SEPARATOR) is None or reader.at_end():
            raise ValueError(f"expected another member at {reader.at}")
    return found


def parse_dictionary(values: Iterable[bytes]) -> dict[str, Member] | None:
    """Read the lines of a Dictionary field, of equal keys the last; None if it breaks the grammar anywhere."""
    try:
        return dict(_members(values, _Reader.dictionary_member))
    except ValueError:
        return None


def parse_strings(values: Iterable[bytes]) -> tuple[str, ...]:
    """Read a List of Strings, parameters ignored; nothing if it is no such list (``Cache-Groups``, RFC 9875)."""
    try:
        members = _members(values, _Reader.member)
    except ValueError:
        return ()
    strings = tuple(member.value for member in members if type(member.value) is str)
    return strings if len(strings) == len(members) else ()


def is_token(text: str) -> bool:
    """Say whether ``text`` can be written as a Token."""
    return _TOKEN.fullmatch(text) is not None


def string(text: str) -> bytes:
    """Write a String (section 4.1.6). Raises ValueError for anything but printable ASCII."""
    if not _PRINTABLE.fullmatch(text):
        raise ValueError("a String holds printable ASCII only")
    return b'"' + text.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'


def token_or_string(text: str) -> bytes:
    """Write a Token where ``text`` is one, a String else. Raises ValueError as ``string`` does."""
    return text.encode() if is_token(text) else string(text)
