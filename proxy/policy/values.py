"""Value templates: tags, ids, users and URLs made of what a request carries.

``{name}`` is a path variable, ``{query.zip_code}`` and ``{header.x-tenant}`` are keyed parts of the request,
``{jwt.sub}`` is a claim nobody verified. What users wrote stays a value: it never adds structure to a URL, it is
bounded, and a control character is written as its escape. Only what is absent or empty has no value: a long one is
replaced by its digest, so that no entry goes without the tag it is purged by.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, assert_never
from urllib.parse import quote, unquote, unquote_plus

from proxy.message.headers import EMPTY
from proxy.message.selectors import text_of
from proxy.policy.claims import claim
from proxy.policy.queries import first_value

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Mapping

    from proxy.message.headers import Headers

Source = Literal["path", "query", "header", "jwt"]

MOST_BYTES: Final = 256
"""A longer value is represented by its digest: ids and names in URLs are shorter, and selectors live in the ledger."""

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_PREFIXES: Final[tuple[Source, ...]] = ("query", "header", "jwt")
# What a query's own text may hold without ending the place in a URL where it is put.
_VALUE_CHARACTERS: Final = "%!$'()*+,;=:@~"


@dataclass(frozen=True, slots=True)
class Values:
    """Where values come from; only what a template names is looked for.

    ``path`` holds variables as they were sent, ``query`` is a raw query. Of ``headers`` those named in ``readable``
    may be used, all where it is None. ``token`` is the Authorization value whose claims may be used.
    """

    path: Mapping[str, str]
    query: bytes | None = None
    headers: Headers = EMPTY
    readable: Container[bytes] | None = None
    token: bytes | None = None

    def plain(self, source: Source, name: str) -> str | None:
        """Return a value decoded, as people write it."""
        raw = self._raw(source, name)
        if raw is None:
            return None
        match source:
            case "path":
                return unquote(raw, errors="surrogateescape") if "%" in raw else raw
            case "query":
                return unquote_plus(raw, errors="surrogateescape")
            case _:
                return raw

    def encoded(self, source: Source, name: str) -> str | None:
        """Return a value as text that may stand in a URL."""
        raw = self._raw(source, name)
        if raw is None or source == "path":
            return raw
        return quote(raw, safe=_VALUE_CHARACTERS if source == "query" else "", errors="surrogateescape")

    def _raw(self, source: Source, name: str) -> str | None:
        match source:
            case "path":
                return self.path.get(name)
            case "query":
                return first_value(self.query, name)
            case "header":
                return self._header(name.encode())
            case "jwt":
                return claim(self.token, name)
            case _:
                assert_never(source)

    def _header(self, name: bytes) -> str | None:
        value = self.headers.combined(name) if self.readable is None or name in self.readable else None
        return None if value is None else text_of(value)


@dataclass(frozen=True, slots=True)
class Variable:
    """A place for a value."""

    source: Source
    name: str


@dataclass(frozen=True, slots=True)
class ValueTemplate:
    """Literal text with places for values."""

    text: str
    parts: tuple[str | Variable, ...]

    @staticmethod
    def parse(text: str, known: Collection[str]) -> ValueTemplate:
        """Compile a template; ``known`` holds the names that may occur, ``jwt.*`` for all of a kind.

        Raises ValueError with a sentence that says what is wrong and what is known.
        """
        if not text:
            raise ValueError('expected text, perhaps with places for values like "plan:{plan_id}"')
        pieces = _PLACEHOLDER.split(text)
        parts: list[str | Variable] = []
        for literal, name in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
            if "{" in literal or "}" in literal:
                raise ValueError(f'"{text}": a brace without its other half; a value is written {{name}}')
            if literal:
                parts.append(literal)
            if name:
                parts.append(_variable(name, text, known))
        if "{}" in text:
            raise ValueError(f'"{text}": "{{}}" names no value; {_choice(known)}')
        return ValueTemplate(text, tuple(parts))

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The places for values, in order."""
        return tuple(part for part in self.parts if isinstance(part, Variable))

    def render(self, values: Values) -> str | None:
        """Return the text with its values in place, None where one is absent or empty."""
        return self._filled(values.plain)

    def render_url(self, values: Values) -> str | None:
        """Return the text with its values percent-encoded, None where one is absent or empty."""
        return self._filled(values.encoded)

    def _filled(self, value_of: Callable[[Source, str], str | None]) -> str | None:
        pieces: list[str] = []
        for part in self.parts:
            if isinstance(part, str):
                pieces.append(part)
                continue
            value = value_of(part.source, part.name)
            if not value:
                return None
            pieces.append(bounded(value))
        return "".join(pieces)


def bounded(value: str) -> str:
    """Return a value as it may stand in a selector: control characters escaped, digested where it is too long."""
    if len(value) * 4 <= MOST_BYTES and value.isprintable():
        return value
    value = _CONTROL.sub(lambda control: quote(control[0]), value)
    octets = value.encode("utf-8", "surrogateescape")
    return value if len(octets) <= MOST_BYTES else f"sha256-{hashlib.sha256(octets).hexdigest()}"


def _variable(name: str, text: str, known: Collection[str]) -> Variable:
    for prefix in _PREFIXES:
        rest = name.removeprefix(f"{prefix}.")
        if rest and rest != name:
            rest = rest.lower() if prefix == "header" else rest
            if f"{prefix}.*" in known or f"{prefix}.{rest}" in known:
                return Variable(prefix, rest)
    if name in known and "." not in name:
        return Variable("path", name)
    raise ValueError(f'"{text}": {{{name}}} is not known here; {_choice(known)}')


def _choice(known: Collection[str]) -> str:
    return f"known are {', '.join(f'{{{name}}}' for name in sorted(known))}" if known else "no values are known here"
