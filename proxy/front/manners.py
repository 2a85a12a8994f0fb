"""How a client asks: all of its head but the request line and the request's id. Most clients ask the same way each time.

How to think about it. A head that agrees byte for byte with one that was read before, but for the request line and an id
that is plain, has the same fields; so nothing of it needs to be read again to know which answer it chooses. A manner is
kept by the connections that use it, and by nobody else: it may hold credentials.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from proxy.front.incoming import is_plain_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    Place = tuple[bytes | None, ...]

_ID: Final = b"x-request-id"

MOST_PLACES: Final = 64
"""Kinds of request lines whose place a manner remembers: a client of more routes than that finds them again."""


class Kind:
    """What the request lines of like routes have in common: see ``Repeat`` for each. Two of one content are one object."""

    __slots__ = ("__weakref__", "chosen_by", "never_with", "secret")

    def __init__(self, chosen_by: tuple[bytes, ...], secret: frozenset[bytes], never_with: frozenset[bytes]) -> None:
        self.chosen_by = chosen_by
        self.secret = secret
        self.never_with = never_with


def place_of(kind: Kind, fields: Mapping[bytes, bytes]) -> Place:
    """Return where the answer for these fields stands; what may be a credential is a digest there."""
    if not kind.secret:
        return tuple(map(fields.get, kind.chosen_by))
    return tuple([_digest(fields.get(name)) if name in kind.secret else fields.get(name) for name in kind.chosen_by])


class Manner:
    """One way of asking. ``places``: for each kind of request line, where its answer stands; ``trusted`` as its peers are.

    ``clients``: for each peer, who asks through it by its word, as far as somebody wanted to know.
    """

    __slots__ = ("__weakref__", "_after", "_before", "_has_id", "clients", "places", "trusted")

    def __init__(self, before: bytes, after: bytes, *, has_id: bool, trusted: bool) -> None:
        self._before = before
        self._after = after
        self._has_id = has_id
        self.trusted = trusted
        self.places: dict[Kind, Place] = {}
        self.clients: dict[str, str] = {}

    def find(self, kind: Kind, fields: Mapping[bytes, bytes]) -> None:
        """Learn where the answers of a kind stand for these fields, which are its own."""
        if kind not in self.places:
            if len(self.places) >= MOST_PLACES:
                self.places.clear()
            self.places[kind] = place_of(kind, fields)

    def request_id(self, head: bytes, line_end: int) -> bytes | None:
        """Return the id of a head that asks in this manner, empty if it has none; None if it asks in another.

        ``head`` is a whole one, its empty line too, and nothing behind it; its request line ends at ``line_end``.
        """
        if not (head.startswith(self._before, line_end) and head.endswith(self._after)):
            return None
        start, end = line_end + len(self._before), len(head) - len(self._after)
        if self._has_id:
            given = head[start:end]
            return given if is_plain_id(given) else None
        return b"" if start == end else None


class Manners:
    """Those in use; connections that ask alike share one."""

    def __init__(self) -> None:
        self._known: WeakValueDictionary[tuple[bytes, bytes, bool], Manner] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._known)

    def of(self, head: bytes, fields: Mapping[bytes, bytes], *, trusted: bool) -> Manner:
        """Return the manner of a head with these fields (no name twice), its empty line too; ``trusted`` tells peers apart."""
        before, after = head[head.index(b"\r\n") :], b""
        given = fields.get(_ID)
        has_id = given is not None and is_plain_id(given)
        if given is not None and has_id:
            name = before.lower().index(b"\r\n" + _ID + b":")
            start = before.index(given, name + len(_ID) + 3)
            before, after = before[:start], before[start + len(given) :]
        known = self._known.get((before, after, trusted))
        if known is None:
            known = self._known[before, after, trusted] = Manner(before, after, has_id=has_id, trusted=trusted)
        return known


def _digest(value: bytes | None) -> bytes | None:
    return None if value is None else hashlib.sha256(value).digest()
