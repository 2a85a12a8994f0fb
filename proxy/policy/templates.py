"""Path templates: what a route matches, compiled once to a pattern that reads each byte once.

``/a/{x}/b`` has a variable of one whole segment, ``{x:uuid}`` and ``{x:int}`` say what it looks like; ``/a/**`` is
everything below ``/a/``, ``/a/`` itself included and ``/a`` not. Templates and paths are compared in the normal form of
``paths``. A variable's text stays as it was sent, percent-encoded, but for the case of a uuid and the leading zeros of
an int: to a backend those are one thing, and one tag has to reach it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from proxy.message.selectors import text_of
from proxy.policy.paths import is_normal, normalised
from proxy.policy.values import Values, ValueTemplate

__all__ = ["PathTemplate", "Segment", "ValueTemplate", "Values"]

_KINDS: Final = {
    "": rb"[^/]+",
    "uuid": rb"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}",
    "int": rb"[0-9]+",
}
_VARIABLE: Final = re.compile(r"\{([^{}:]*)(?::([^{}]*))?\}")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_URI_CHARACTERS: Final = "%!$&'()*+,;=:@~"


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment: a literal in normal form, or (``name`` set) a variable of that kind."""

    literal: bytes = b""
    name: str = ""
    kind: str = ""

    def takes(self, segment: bytes) -> bool:
        """Say whether a path's segment fits."""
        if self.name:
            return re.fullmatch(_KINDS[self.kind], segment) is not None
        return segment == self.literal

    def covers(self, other: Segment) -> bool:
        """Say whether this takes each segment that the other one takes."""
        if not other.name:
            return self.takes(other.literal)
        return bool(self.name) and self.kind in {"", other.kind}

    def __str__(self) -> str:
        if not self.name:
            return text_of(self.literal)
        return f"{{{self.name}:{self.kind}}}" if self.kind else f"{{{self.name}}}"


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """A compiled path template; ``rest`` is its closing ``**``."""

    text: str
    segments: tuple[Segment, ...]
    rest: bool
    _pattern: re.Pattern[bytes] = field(repr=False, compare=False)

    @staticmethod
    def parse(text: str) -> PathTemplate:
        """Compile a template. Raises ValueError with a sentence that says what is wrong and what to write instead."""
        if not text.startswith("/"):
            raise ValueError(f'expected a path template that starts with "/", got "{text}"')
        if "?" in text or "#" in text:
            raise ValueError(f'"{text}": a template is a path without "?" and "#"; queries are keyed by key.query')
        pieces = text[1:].split("/")
        rest = pieces[-1] == "**"
        if rest:
            pieces.pop()
        if "" in pieces[:-1] or (rest and "" in pieces):
            raise ValueError(f'"{text}": a path with an empty segment ("//") is never cached; write one slash')
        segments = tuple(_segment(piece, text) for piece in pieces)
        names = [segment.name for segment in segments if segment.name]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f'"{text}": {{{name}}} occurs twice; each variable needs a name of its own')
        return PathTemplate(text, segments, rest, _compiled(segments, rest=rest))

    @property
    def names(self) -> tuple[str, ...]:
        """The variables, in order."""
        return tuple(segment.name for segment in self.segments if segment.name)

    def match(self, path: bytes) -> dict[str, str] | None:
        """Return each variable's text as it was sent, or None where the path does not fit."""
        found = self._pattern.fullmatch(path)
        if found is None:
            return None
        variables = (segment for segment in self.segments if segment.name)
        return {segment.name: _text(segment, raw) for segment, raw in zip(variables, found.groups(), strict=True)}

    def why_not(self, path: bytes) -> str:
        """Say in a few words why a path does not fit, empty if it does."""
        theirs = path.split(b"/")[1:]
        for number, (segment, there) in enumerate(zip(self.segments, theirs, strict=False), start=1):
            if not segment.takes(there):
                return f'segment {number} is "{text_of(there)}", not "{segment}"'
        least = len(self.segments) + self.rest
        if len(theirs) < least:
            return f"has {len(theirs)} segments, not {least}{' or more' if self.rest else ''}"
        if len(theirs) > least and not self.rest:
            return f"has {len(theirs)} segments, not {least}"
        return ""

    def covers(self, other: PathTemplate) -> bool:
        """Say whether this matches each path that the other one matches."""
        mine, theirs = len(self.segments), len(other.segments)
        fits = theirs + other.rest > mine if self.rest else theirs == mine and not other.rest
        return fits and all(map(Segment.covers, self.segments, other.segments))


def _segment(piece: str, text: str) -> Segment:
    found = _VARIABLE.fullmatch(piece)
    if found is not None:
        name, kind = found[1], found[2]
        if not _NAME.fullmatch(name):
            raise ValueError(f'"{text}": expected a variable name of letters, digits and "_", got "{name}"')
        if kind is not None and (kind == "" or kind not in _KINDS):
            raise ValueError(f'"{text}": a variable is {{{name}}}, {{{name}:uuid}} or {{{name}:int}}, not "{piece}"')
        return Segment(name=name, kind=kind or "")
    if piece.endswith("**") and piece != "**":
        plain = text.removesuffix("**")
        raise ValueError(f'"{text}": "**" stands alone as the last segment; write a list of "{plain}" and "{plain}/**"')
    if piece == "**":
        raise ValueError(f'"{text}": "**" is the rest of a path and can only be its last segment')
    if "*" in piece:
        raise ValueError(f'"{text}": "{piece}" is no pattern; one segment is {{name}}, the rest is "**"')
    if "{" in piece or "}" in piece:
        raise ValueError(f'"{text}": a variable takes a whole segment, as in "/{{name}}/", not "{piece}"')
    return Segment(_literal(piece, text))


def _literal(piece: str, text: str) -> bytes:
    """Return a literal segment in normal form."""
    raw = quote(piece, safe=_URI_CHARACTERS).encode()
    path = normalised(b"/" + raw)
    if path.count(b"/") != 1 or not is_normal(path) or (piece != "" and path == b"/"):
        raise ValueError(f'"{text}": "{piece}" can never match, since no path is cached that is not in normal form')
    return path[1:]


def _compiled(segments: tuple[Segment, ...], *, rest: bool) -> re.Pattern[bytes]:
    # A variable never crosses a slash and a slash always follows it: nothing to backtrack into.
    parts = [b"(" + _KINDS[segment.kind] + b")" if segment.name else re.escape(segment.literal) for segment in segments]
    pattern = b"".join(b"/" + part for part in parts)
    return re.compile(pattern + b"/.*" if rest else pattern, re.DOTALL)


def _text(segment: Segment, raw: bytes) -> str:
    if segment.kind == "uuid":
        return text_of(raw.lower())
    if segment.kind == "int":
        return text_of(raw.lstrip(b"0") or b"0")
    return text_of(raw)
