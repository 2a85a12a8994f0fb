"""The keyed form of a query: names compared decoded, values as they were sent.

What is keyed is what the backend gets, byte for byte, so two queries with one canonical form cannot mean two things.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from proxy.message.selectors import octets_of, text_of

if TYPE_CHECKING:
    from collections.abc import Container


def canonical(query: bytes | None, keyed: Container[bytes] | None) -> bytes:
    """Return the keyed pairs sorted by name, order among equal names kept; ``keyed`` None keeps every pair."""
    if not query or keyed == ():
        return b""
    pairs = [(name_of(piece), piece) for piece in query.split(b"&") if piece]
    if keyed is not None:
        pairs = [pair for pair in pairs if pair[0] in keyed]
    if len(pairs) > 1:
        pairs.sort(key=itemgetter(0))
    return b"&".join([piece for _, piece in pairs])


def name_of(piece: bytes) -> bytes:
    """Return a pair's name as a form decodes it: ``+`` is a space, then percent escapes."""
    name = piece.partition(b"=")[0]
    if b"+" in name:
        name = name.replace(b"+", b" ")
    return unquote_to_bytes(name) if b"%" in name else name


def first_value(query: bytes | None, name: str) -> str | None:
    """Return the first value of that name as it was sent; None where there is none."""
    wanted = octets_of(name)
    for piece in (query or b"").split(b"&"):
        if piece and name_of(piece) == wanted:
            return text_of(piece.partition(b"=")[2])
    return None


def joined(path: bytes, query: bytes | None) -> bytes:
    """Return path and query as one target, without a ``?`` where there is no query."""
    return path + b"?" + query if query else path
