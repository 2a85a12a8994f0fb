"""Records that lean on a dictionary: all that follows the prefix as one frame, the key material and the head too.

In such a record heads, selectors and paths take next to nothing, which of an entry of 2 KB was a third. What may be
planted in one is bounded before anything is made of it: its length, and so what it is decompressed to.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

import zstandard

from proxy.store.dictionary import LONGEST, NAME_LENGTH
from proxy.store.records import PREFIX, BadRecordError, framed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proxy.store.dictionary import Dictionary

LEANING: Final = 4
"""The kind of such a record; what it holds is a response."""

_SAYS: Final = struct.Struct(f">{NAME_LENGTH}sI")  # the dictionary's name, how long it is without one
_FRAME: Final = PREFIX + _SAYS.size


class UnknownDictionaryError(BadRecordError):
    """A record leans on the dictionary of that ``name``, which is not at hand. It may be yet: nobody deletes the record."""

    def __init__(self, name: bytes) -> None:
        super().__init__(f"the dictionary {name.hex()} is not at hand")
        self.name = name


def lean(sections: bytes, dictionary: Dictionary) -> bytes:
    """Return the record of sections that are not longer than ``LONGEST``."""
    return framed(LEANING, _SAYS.pack(dictionary.name, len(sections)) + dictionary.compress(sections))


def straighten(record: bytes, known: Mapping[bytes, Dictionary]) -> bytes:
    """Return the sections of a record of this kind. Raises UnknownDictionaryError or BadRecordError."""
    if len(record) <= _FRAME or len(record) > 2 * LONGEST:
        raise BadRecordError("a leaning record is cut off, or too large for one")
    name, length = _SAYS.unpack_from(record, PREFIX)
    if length > LONGEST:
        raise BadRecordError("a leaning record says that it is longer than one may be")
    dictionary = known.get(name)
    if dictionary is None:
        raise UnknownDictionaryError(name)
    frame = record[_FRAME:]
    try:
        # The frame's own word decides how much is allocated, so it is read before.
        if zstandard.get_frame_parameters(frame).content_size != length:
            raise BadRecordError("a leaning record is not as long as it says")
        return dictionary.decompress(frame, length)
    except zstandard.ZstdError as error:
        raise BadRecordError("a leaning record is not readable") from error


def lengths(record: bytes) -> tuple[int, int] | None:
    """Return how long a record would be without a dictionary, and how long it is; None where it leans on none."""
    if record[PREFIX - 5] != LEANING:
        return None
    return _SAYS.unpack_from(record, PREFIX)[1], len(record)
