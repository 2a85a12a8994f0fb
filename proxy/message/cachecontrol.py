"""The directives of ``Cache-Control`` (RFC 9111 section 5.2) and of the targeted fields that speak its words (RFC 9213).

Two readers, one value: ``parse`` forgives as RFC 9111 does, ``targeted`` refuses a field with any mistake in it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from proxy.message import structured
from proxy.message.values import value

if TYPE_CHECKING:
    from collections.abc import Iterable

Directive = tuple[bytes, bytes | None]

GREATEST_DELTA: Final = 2**31
MALFORMED: Final = b""  # an argument that breaks the grammar: no number and no field name

# Every alternative below matches in one way only, so that no value costs more than its length.
_PIECE: Final = re.compile(rb'(?:[^",;]|"(?:[^"\\]|\\.?)*+"?)+', re.DOTALL)
_CLOSED: Final = re.compile(rb'(?:[^"]|"(?:[^"\\]|\\.)*+")*+', re.DOTALL)
_QUOTED: Final = re.compile(rb'"((?:[^"\\]|\\.)*+)"', re.DOTALL)

_SECONDS: Final = frozenset({"max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"})
_FLAGS: Final = frozenset(
    {"immutable", "must-revalidate", "must-understand", "no-store", "no-transform", "proxy-revalidate", "public"}
)
_NO_FIELDS: Final[frozenset[bytes]] = frozenset()
_QUALIFIABLE: Final = frozenset({"no-cache", "private"})


def delta_seconds(text: bytes) -> int | None:
    """Return seconds, at most 2**31; None unless ``text`` is all digits (RFC 9111 section 1.2.2)."""
    if not text.isdigit():
        return None
    digits = text.lstrip(b"0")
    return min(int(digits or b"0"), GREATEST_DELTA) if len(digits) <= len(str(GREATEST_DELTA)) else GREATEST_DELTA


@value(frozen=True, slots=True)
class CacheControl:
    """Directives in the order they came: lower-case names, each with its unquoted argument, None without one.

    Every name given to a method is lower-case bytes.
    """

    directives: tuple[Directive, ...] = ()

    def __contains__(self, name: object) -> bool:
        for present, _ in self.directives:  # noqa: SIM110 - half of what a generator takes, twenty times an answer
            if present == name:
                return True
        return False

    def __bool__(self) -> bool:
        return bool(self.directives)

    def arguments(self, name: bytes) -> list[bytes | None]:
        """Return the argument of every occurrence."""
        return [argument for present, argument in self.directives if present == name]

    def seconds(self, name: bytes) -> int | None:
        """Return the first occurrence's seconds, 0 if it is no number, None if absent (section 4.2.1)."""
        for present, argument in self.directives:
            if present == name:
                return delta_seconds(argument or MALFORMED) or 0
        return None

    def unqualified(self, name: bytes) -> bool:
        """Say whether the directive is present for the whole response, not for some named fields only."""
        return name in self and any(not _field_names(argument) for argument in self.arguments(name))

    def fields(self, name: bytes) -> frozenset[bytes]:
        """Return the lower-case field names that qualify the directive (sections 5.2.2.4 and 5.2.2.7)."""
        return frozenset().union(*map(_field_names, self.arguments(name))) if name in self else _NO_FIELDS


NO_DIRECTIVES: Final = CacheControl()


def _field_names(argument: bytes | None) -> frozenset[bytes]:
    return frozenset(name for part in (argument or b"").split(b",") if (name := part.strip(b" \t").lower()))


def parse(values: Iterable[bytes]) -> CacheControl:
    """Read the lines of ``Cache-Control``, or of ``Surrogate-Control``, whose parameters become unknown directives."""
    lines = tuple(values)
    if not lines:
        return NO_DIRECTIVES
    return _remembered(lines) if sum(map(len, lines)) <= _LONGEST_REMEMBERED else _parsed(lines)


def _parsed(lines: tuple[bytes, ...]) -> CacheControl:
    directives = tuple(_directive(piece) for line in lines for part in _pieces(line) if (piece := part.strip(b" \t")))
    return CacheControl(directives) if directives else NO_DIRECTIVES


_LONGEST_REMEMBERED: Final = 256  # bytes: backends have a few policies, and say them in less
_remembered = lru_cache(maxsize=256)(_parsed)


def _pieces(value: bytes) -> list[bytes]:
    # A semicolon is no separator in the grammar, but who writes "private; max-age=0" means private.
    pieces = _PIECE.findall(value)
    if pieces and not _CLOSED.fullmatch(pieces[-1]):
        pieces[-1:] = re.split(rb"[,;]", pieces[-1])  # a quote that never closes must not hide a no-store
    return pieces


def _directive(piece: bytes) -> Directive:
    name, equals, argument = piece.partition(b"=")
    if not equals:
        return piece.lower(), None
    if name.endswith((b" ", b"\t")) or argument.startswith((b" ", b"\t")):
        return name.strip(b" \t").lower(), MALFORMED
    return name.lower(), _unquoted(argument)


def _unquoted(argument: bytes) -> bytes:
    """Return a token as it is, a quoted-string without its quoting (RFC 9110 section 5.6.4)."""
    if not argument.startswith(b'"'):
        return argument
    quoted = _QUOTED.fullmatch(argument)
    return re.sub(rb"\\(.)", rb"\1", quoted[1], flags=re.DOTALL) if quoted else MALFORMED


def targeted(values: Iterable[bytes]) -> CacheControl | None:
    """Read a targeted field; None if it is empty, no Dictionary, or has a directive of a wrong type (RFC 9213 section 2.1)."""
    members = structured.parse_dictionary(values)
    if not members:
        return None
    directives: list[Directive] = []
    for name, member in members.items():
        value = member.value
        if not _has_its_type(name, value):
            return None
        if value is not False:
            directives.append((name.encode(), _argument(value)))
    return CacheControl(tuple(directives))


def _has_its_type(name: str, value: structured.Value) -> bool:
    if name in _SECONDS:
        return type(value) is int
    if name in _FLAGS:
        return type(value) is bool
    return name not in _QUALIFIABLE or type(value) in {bool, str}


def _argument(value: structured.Value) -> bytes | None:
    return None if value is True else str(value).encode()
