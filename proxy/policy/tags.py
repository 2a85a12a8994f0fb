"""The tags a backend puts on a response, and the groups it calls outdated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from proxy.message import structured
from proxy.message.selectors import text_of

if TYPE_CHECKING:
    from proxy.message.headers import Headers

MOST_BYTES: Final = 1024
"""Of one tag, as Fastly allows; RFC 9875 section 2 asks for 32 characters at least."""

_FIELDS: Final = frozenset({b"surrogate-key", b"cache-tag", b"xkey", b"cache-groups"})
_XKEY_SEPARATOR: Final = re.compile(rb"[ \t,]+")


def tags_of(headers: Headers, limit: int) -> tuple[str, ...] | None:
    """Return the distinct tags of ``Surrogate-Key``, ``Cache-Tag``, ``xkey`` and ``Cache-Groups`` in that order.

    None: more than ``limit``, or one too long. Such a response must not be stored, since a purge could miss it.
    """
    if not headers.has_any(_FIELDS):
        return ()
    raw: list[bytes] = []
    for value in headers.get_all(b"surrogate-key"):
        raw += value.split()
    for value in headers.get_all(b"cache-tag"):
        raw += [tag for part in value.split(b",") if (tag := part.strip(b" \t"))]
    for value in headers.get_all(b"xkey"):
        raw += [tag for tag in _XKEY_SEPARATOR.split(value) if tag]
    if any(len(tag) > MOST_BYTES for tag in raw):
        return None
    tags = dict.fromkeys([*map(text_of, raw), *_groups(headers, b"cache-groups")])
    return None if len(tags) > limit or any(len(tag) > MOST_BYTES for tag in tags) else tuple(tags)


def groups_invalidated(headers: Headers) -> tuple[str, ...]:
    """Return the groups of ``Cache-Group-Invalidation`` (RFC 9875 section 3); heads are bounded, so no limit here."""
    return tuple(dict.fromkeys(_groups(headers, b"cache-group-invalidation")))


def _groups(headers: Headers, name: bytes) -> list[str]:
    """Return a list of strings (RFC 9875 section 2); one that cannot be parsed is as if absent (RFC 9651 section 4.2)."""
    return [group for group in structured.parse_strings(headers.get_all(name)) if group] if name in headers else []
