"""A recipe and its selectors as octets, and back.

What comes back lay in Redis, where anybody may have put it: it is JSON and nothing that can run, it is small, it has
exactly this shape, and it is still only a proposal. Whether a request may be made of it the rules decide
(``warming.requests``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import orjson

from proxy.message.headers import Headers
from proxy.message.selectors import octets_of, text_of
from proxy.message.values import value
from proxy.popularity.recipes import Recipe, names_a_secret
from proxy.wire.authority import is_authority, normalised

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_BYTES: Final = 4096
"""Of one record; a usual one has 400. What is larger is not shared: its URL is long, or it has a hundred tags."""

MOST_FIELDS: Final = 16
"""Keyed fields and those of Vary (at most 8)."""

_TARGET: Final = re.compile(rb"/[!-~\x80-\xff]*")
_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
_VALUE: Final = re.compile(rb"[\t -~\x80-\xff]*")


@value(frozen=True, slots=True)
class Record:
    """How an entry is asked for, and under which selectors it was kept."""

    recipe: Recipe
    selectors: tuple[str, ...]


def packed(recipe: Recipe, selectors: Sequence[str]) -> bytes | None:
    """Return the octets of a record; None where it is larger than is shared."""
    record = {
        "target": recipe.target.decode("latin-1"),
        "authority": recipe.authority.decode("latin-1"),
        "scheme": recipe.scheme.decode("latin-1"),
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in recipe.headers.lines],
        "selectors": [octets_of(name).decode("latin-1") for name in selectors],
    }
    octets = orjson.dumps(record)
    return octets if len(octets) <= MOST_BYTES else None


def unpacked(octets: bytes) -> Record | None:
    """Return the record; None for anything that ``packed`` would not have written."""
    if len(octets) > MOST_BYTES:
        return None
    try:
        value = orjson.loads(octets)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, dict) or len(value) != 5:  # noqa: PLR2004 - target, authority, scheme, headers, selectors
        return None
    target, authority = _octets(value.get("target")), _octets(value.get("authority"))
    scheme, headers = _octets(value.get("scheme")), _headers(value.get("headers"))
    selectors = _selectors(value.get("selectors"))
    if target is None or authority is None or headers is None or selectors is None:
        return None
    if scheme not in {b"http", b"https"} or not _TARGET.fullmatch(target):
        return None
    if authority and not (is_authority(authority) and normalised(authority, scheme) == authority):
        return None
    recipe = Recipe(target, authority, scheme, headers)
    return None if names_a_secret(recipe) else Record(recipe, selectors)


def _octets(value: Any) -> bytes | None:
    if not isinstance(value, str):
        return None
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return None


def _headers(value: Any) -> Headers | None:
    if not isinstance(value, list) or len(value) > MOST_FIELDS:
        return None
    lines: list[tuple[bytes, bytes]] = []
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2:  # noqa: PLR2004 - name and value
            return None
        name, content = _octets(pair[0]), _octets(pair[1])
        if name is None or content is None or not (_NAME.fullmatch(name) and _VALUE.fullmatch(content)):
            return None
        lines.append((name, content))
    return Headers(lines)


def _selectors(value: Any) -> tuple[str, ...] | None:
    if not isinstance(value, list):
        return None
    names = [_octets(name) for name in value]
    return None if None in names else tuple(text_of(name) for name in names if name is not None)
