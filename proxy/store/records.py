"""The frame around what is kept: version, checksum, the material it belongs to.

A record is a prefix (magic, version, kind, CRC-32 of everything else), the lengths of its sections, and the sections:
key material, metadata, head, body. The head and the body can be left alone while the metadata is read.
"""

from __future__ import annotations

import struct
import zlib
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Final

from proxy.message.errors import StoreError
from proxy.message.values import value

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAGIC: Final = b"sw"
_VERSION: Final = 2
_PREFIX: Final = struct.Struct(">2sBBI")
PREFIX: Final = _PREFIX.size
_CHECKED_PREFIX: Final = 4  # magic, version and kind; the checksum cannot check itself
_LENGTHS: Final = struct.Struct(">III")
_COUNT: Final = struct.Struct(">I")
_BETWEEN: Final = b"\n"  # which no field, path or selector of well-formed messages has
_JOINED: Final = 0x80000000  # beside the count: one split reads them, four times as fast as lengths


class BadRecordError(StoreError):
    """A record in the store is not what this version writes; it counts as nothing found, and is deleted."""


@value(frozen=True, slots=True)
class Record:
    """The sections of one record; ``kind`` says what the codec made them of."""

    kind: int
    material: bytes
    metadata: bytes = b""
    head: bytes = b""
    body: bytes = b""


def seal(record: Record) -> bytes:
    """Return the record as octets."""
    return framed(record.kind, sections(record))


def unseal(octets: bytes) -> Record:
    """Read a record. Raises BadRecordError."""
    return divided(checked(octets), octets, PREFIX)


def framed(kind: int, rest: bytes) -> bytes:
    """Return a record of what follows its prefix."""
    prefix = _PREFIX.pack(_MAGIC, _VERSION, kind, 0)[:_CHECKED_PREFIX]
    return prefix + _COUNT.pack(zlib.crc32(rest, zlib.crc32(prefix))) + rest


def checked(octets: bytes) -> int:
    """Return the kind of a record that is whole; its rest begins at ``PREFIX``. Raises BadRecordError."""
    if len(octets) < PREFIX:
        raise BadRecordError("a record is cut off")
    magic, version, kind, checksum = _PREFIX.unpack_from(octets)
    if magic != _MAGIC or version != _VERSION:
        raise BadRecordError("a record of another version or origin")
    if zlib.crc32(memoryview(octets)[PREFIX:], zlib.crc32(octets[:_CHECKED_PREFIX])) != checksum:
        raise BadRecordError("a record is damaged")
    return kind  # type: ignore[no-any-return]  # a B of struct is an int


def sections(record: Record) -> bytes:
    """Return what follows the prefix."""
    lengths = _LENGTHS.pack(len(record.material), len(record.metadata), len(record.head))
    return b"".join((lengths, record.material, record.metadata, record.head, record.body))


def divided(kind: int, octets: bytes, start: int = 0) -> Record:
    """Read what ``sections`` wrote, from ``start`` to the end. Raises BadRecordError."""
    zero = start + _LENGTHS.size
    if zero > len(octets):
        raise BadRecordError("a record is cut off")
    material, metadata, head = _LENGTHS.unpack_from(octets, start)
    first = zero + material
    second = first + metadata
    third = second + head
    if third > len(octets):
        raise BadRecordError("a record is shorter than it says")
    return Record(kind, octets[zero:first], octets[first:second], octets[second:third], octets[third:])


def pack_strings(strings: Sequence[bytes]) -> bytes:
    """Return strings as their count, and themselves joined; or with their lengths if one has what joins them."""
    joined, count = _BETWEEN.join(strings), len(strings)
    if count and joined.count(_BETWEEN) == count - 1:
        return _COUNT.pack(count | _JOINED) + joined
    return b"".join((struct.pack(f">{count + 1}I", count, *map(len, strings)), *strings))


def unpack_strings(octets: bytes, start: int = 0) -> list[bytes]:
    """Read what ``pack_strings`` wrote, from ``start`` to the end. Raises BadRecordError."""
    try:
        (count,) = _COUNT.unpack_from(octets, start)
        if count & _JOINED:
            strings = octets[start + 4 :].split(_BETWEEN)
            if len(strings) != count ^ _JOINED:
                raise BadRecordError("a list is not as long as it says")
            return strings
        at = start + 4 + 4 * count
        if at > len(octets):  # before anything of that size is made
            raise BadRecordError("a list is longer than its record")
        ends = list(accumulate(struct.unpack_from(f">{count}I", octets, start + 4), initial=at))
    except struct.error as error:
        raise BadRecordError("a list is cut off") from error
    if ends[-1] != len(octets):
        raise BadRecordError("a list is not as long as it says")
    return [octets[begin:end] for begin, end in pairwise(ends)]
