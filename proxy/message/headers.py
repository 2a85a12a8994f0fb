"""Field lines in the order they came, and the list syntax of RFC 9110 section 5.6.1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator

    Field = tuple[bytes, bytes]


class Headers:
    """Immutable field lines; names keep the case they came in and are compared without it.

    Values are bytes without surrounding white space, obs-text kept as it came (RFC 9110 section 5.5).
    Every name given to a method is lower-case bytes.
    """

    __slots__ = ("_index", "lines")

    lines: tuple[Field, ...]

    def __init__(self, lines: Iterable[Field] = ()) -> None:
        self.lines = tuple(lines)
        self._index: dict[bytes, tuple[bytes, ...]] | None = None

    @classmethod
    def read(cls, lines: Iterable[Field], index: dict[bytes, tuple[bytes, ...]]) -> Headers:
        """Return field lines that whoever read them has sorted already: lower-case names to their values, in order."""
        headers = cls(lines)
        headers._index = index
        return headers

    def _by_name(self) -> dict[bytes, tuple[bytes, ...]]:
        index = self._index
        if index is None:
            index = {}
            for name, value in self.lines:
                low = name.lower()
                # Half of what the index of a kept response takes: no second copy of a name, no list with room to grow.
                index[name if name == low else low] = (*index[low], value) if low in index else (value,)
            self._index = index
        return index

    def get(self, name: bytes) -> bytes | None:
        """Return the first line's value, or None."""
        values = self._by_name().get(name)
        return values[0] if values else None

    def get_all(self, name: bytes) -> list[bytes]:
        """Return the values of all lines of that name, in order."""
        return list(self._by_name().get(name, ()))

    def combined(self, name: bytes) -> bytes | None:
        """Return all lines joined by comma and space (RFC 9110 section 5.3), or None."""
        values = self._by_name().get(name)
        if values is None:
            return None
        return values[0] if len(values) == 1 else b", ".join(values)

    def names(self) -> set[bytes]:
        """Return the lower-case names present."""
        return set(self._by_name())

    def has_any(self, names: frozenset[bytes]) -> bool:
        """Say whether at least one of those names is present."""
        return not names.isdisjoint(self._by_name())

    def __contains__(self, name: object) -> bool:
        return name in self._by_name()

    def __iter__(self) -> Iterator[Field]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self.lines == other.lines

    def __hash__(self) -> int:
        return hash(self.lines)

    def __repr__(self) -> str:
        # Values may be credentials: a log or traceback shows names only.
        return f"Headers({[name.decode('latin-1') for name, _ in self.lines]})"

    def without(self, names: Container[bytes]) -> Headers:
        """Return the lines whose lower-case name is not in ``names``."""
        return Headers([line for line in self.lines if line[0].lower() not in names])

    def keeping(self, wanted: Callable[[bytes], bool]) -> Headers:
        """Return the lines whose lower-case name is ``wanted``."""
        return Headers([line for line in self.lines if wanted(line[0].lower())])

    def with_field(self, name: bytes, value: bytes) -> Headers:
        """Return these lines with every line of that name replaced by one at the end."""
        low = name.lower()
        return Headers([*(line for line in self.lines if line[0].lower() != low), (name, value)])

    def plus(self, lines: Iterable[Field]) -> Headers:
        """Return these lines followed by ``lines``."""
        return Headers((*self.lines, *lines))

    def size(self) -> int:
        """Return the bytes these lines take on the wire."""
        return sum(len(name) + len(value) + 4 for name, value in self.lines)


EMPTY: Final = Headers()


_QUOTE: Final = ord('"')
_BACKSLASH: Final = ord("\\")
_COMMA: Final = ord(",")


def split_list(value: bytes) -> list[bytes]:
    """Split a comma list, commas inside quoted strings kept, empty elements dropped (RFC 9110 section 5.6.1)."""
    if b'"' not in value:
        return [element for part in value.split(b",") if (element := part.strip(b" \t"))]
    elements: list[bytes] = []
    start, quoted, escaped = 0, False, False
    for position, octet in enumerate(value):
        if escaped:
            escaped = False
        elif quoted and octet == _BACKSLASH:
            escaped = True
        elif octet == _QUOTE:
            quoted = not quoted
        elif octet == _COMMA and not quoted:
            elements.append(value[start:position])
            start = position + 1
    elements.append(value[start:])
    return [element for part in elements if (element := part.strip(b" \t"))]


def media_type(headers: Headers) -> bytes:
    """Return the media type of Content-Type in lower case, without its parameters; empty where there is none."""
    return (headers.get(b"content-type") or b"").partition(b";")[0].strip(b" \t").lower()


def list_elements(headers: Headers, name: bytes) -> list[bytes]:
    """Return the elements of a list field over all its lines, empty ones dropped."""
    return [element for value in headers.get_all(name) for element in split_list(value)]
