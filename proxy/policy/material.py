"""Key material: an encoding that no two different lists of parts share.

A count, then for every part a tag of one byte, its length, its bytes. So one material is never the beginning of
another, and what follows it (a variant's fields) cannot be taken for a part of it.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from proxy.message.stored import CacheKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Part = tuple[bytes, bytes]

FORMAT: Final = b"1"
"""Counts up whenever the parts change their meaning: old entries are then never found."""

TAGS: Final = {
    b"f": "format",
    b"r": "rule fingerprint",
    b"s": "service",
    b"n": "namespace",
    b"v": "namespace version",
    b"S": "scheme",
    b"A": "authority",
    b"p": "path",
    b"q": "query",
    b"h": "header",
    b"c": "cookie",
    b"C": "credential",
    b"V": "vary",
}

_COUNT: Final = 4  # bytes of a count and of a length
_DIGEST: Final = 32  # bytes of a SHA-256


def encoded(parts: Sequence[Part]) -> bytes:
    """Return the encoding of a list of parts."""
    return len(parts).to_bytes(_COUNT, "big") + _joined(parts)


def material(constant: tuple[bytes, int], parts: Sequence[Part]) -> bytes:
    """Return the encoding of the constant parts, followed by those of one request."""
    prefix, count = constant
    return (count + len(parts)).to_bytes(_COUNT, "big") + prefix + _joined(parts)


@lru_cache(maxsize=1024)  # one for each route of the last few reloads; nothing here comes from clients
def constant_parts(service: str, fingerprint: str, namespace: str | None, version: str | None) -> tuple[bytes, int]:
    """Return the encoding of what all keys of a route share, and the number of its parts."""
    parts = [(b"f", FORMAT), (b"r", fingerprint.encode()), (b"s", service.encode())]
    if namespace is not None:
        parts.append((b"n", namespace.encode()))
    if version is not None:
        parts.append((b"v", version.encode()))
    return _joined(parts), len(parts)


def _joined(parts: Iterable[Part]) -> bytes:
    return b"".join([tag + len(octets).to_bytes(_COUNT, "big") + octets for tag, octets in parts])


def digested(name: bytes, values: Iterable[bytes | None]) -> bytes:
    """Return a name after the digest of its values: what users sent may be a credential, and is kept only so."""
    parts = [(b"-", b"") if value is None else (b"+", value) for value in values]
    return hashlib.sha256(encoded(parts)).digest() + name


def cache_key(octets: bytes) -> CacheKey:
    """Return where something with that material is kept; md5 spreads, the material itself is compared on read."""
    return CacheKey(hashlib.md5(octets, usedforsecurity=False).hexdigest(), octets)


def parts_of(octets: bytes) -> list[tuple[str, str]]:
    """Read material back into named parts for people; digests in hex. Raises ValueError."""
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(octets):  # the key's own parts, then a variant's
        count, position = _number(octets, position), position + _COUNT
        for _ in range(count):
            tag, size = octets[position : position + 1], _number(octets, position + 1)
            position += 1 + _COUNT
            part = octets[position : position + size]
            if tag not in TAGS or len(part) != size:
                raise ValueError("not key material")
            found.append((TAGS[tag], _shown(tag, part)))
            position += size
    return found


def _number(octets: bytes, position: int) -> int:
    number = octets[position : position + _COUNT]
    if len(number) != _COUNT:
        raise ValueError("not key material")
    return int.from_bytes(number, "big")


def _shown(tag: bytes, part: bytes) -> str:
    if tag in b"hcCV":
        name = part[_DIGEST:].decode("utf-8", "backslashreplace")
        return f"{name} sha256:{part[:_DIGEST].hex()}" if name else f"sha256:{part.hex()}"
    return part.decode("utf-8", "backslashreplace")
