"""One trained dictionary, prepared: what short texts of a kind have in common, kept once instead of in each of them.

Its name is the digest of all that is published of it. So two replicas that train at the same time do each other no harm,
and one that was damaged on its way is not the one that was asked for.
"""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import zstandard

from proxy.message.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST: Final = 64 * 1024
"""Octets that may lean on one: beyond, a text has enough to say of itself, and its context is made anew each time."""

NAME_LENGTH: Final = 8
_MAGIC: Final = b"sd"
_VERSION: Final = 1
_HEAD: Final = struct.Struct(">2sBd")
_PROBE: Final = b"\0" * 64
# As level 3, but for matches: from six octets on. Beside a dictionary shorter ones cost more to say than they save: for
# pages of 20 KB it gives 4 % less than the level's own four, in less time; for 2 KB the same (bench/footprint.py).
_PARAMETERS: Final = zstandard.ZstdCompressionParameters(
    strategy=zstandard.STRATEGY_DFAST,
    window_log=20,
    hash_log=15,
    chain_log=14,
    search_log=1,
    min_match=6,
    target_length=0,
    write_dict_id=False,
)


class BadDictionaryError(StoreError):
    """What lies in a dictionary's place is not that dictionary; it counts as not there."""


class Dictionary:
    """Compresses and decompresses up to ``LONGEST`` octets; by one thread at a time.

    ``ratio`` is what it left of samples that it was not trained on, ``value`` what is published.
    """

    __slots__ = ("_compressor", "_decompressor", "_prepared", "name", "ratio", "value")

    def __init__(self, value: bytes) -> None:
        try:
            magic, version, self.ratio = _HEAD.unpack_from(value)
            if magic != _MAGIC or version != _VERSION:
                raise BadDictionaryError("a dictionary of another version or origin")
            self._prepared = _prepared(value[_HEAD.size :])
            self._compressor = zstandard.ZstdCompressor(dict_data=self._prepared, compression_params=_PARAMETERS)
            self._decompressor = zstandard.ZstdDecompressor(dict_data=self._prepared)
            self._decompressor.decompress(self._compressor.compress(_PROBE))  # what is wrong with it shows here
        except (struct.error, zstandard.ZstdError) as error:
            raise BadDictionaryError(f"a dictionary is not readable: {error}") from error
        self.value = value
        self.name = name_of(value)

    def compress(self, octets: bytes) -> bytes:
        """Return a frame that only this dictionary reads."""
        return self._compressor.compress(octets)

    def decompress(self, frame: bytes, length: int) -> bytes:
        """Return what a frame holds, which says itself that it is so long. Raises zstandard.ZstdError."""
        return self._decompressor.decompress(frame, max_output_size=length, allow_extra_data=False)

    def left_of(self, samples: Iterable[bytes]) -> int:
        """Return the bytes that would be left of samples; from any thread."""
        return _left(self._prepared, samples)


def name_of(value: bytes) -> bytes:
    """Return the name of a dictionary that is published so."""
    return sha256(value).digest()[:NAME_LENGTH]


def published(content: bytes, judged: Iterable[bytes]) -> bytes:
    """Return a new dictionary as it is published, with its ratio of what it is judged by. Raises zstandard.ZstdError."""
    samples = tuple(judged)
    ratio = _left(_prepared(content), samples) / max(1, sum(map(len, samples)))
    return _HEAD.pack(_MAGIC, _VERSION, ratio) + content


def _prepared(content: bytes) -> zstandard.ZstdCompressionDict:
    dictionary = zstandard.ZstdCompressionDict(content, dict_type=zstandard.DICT_TYPE_FULLDICT)
    dictionary.precompute_compress(compression_params=_PARAMETERS)
    return dictionary


def _left(prepared: zstandard.ZstdCompressionDict, samples: Iterable[bytes]) -> int:
    compressor = zstandard.ZstdCompressor(dict_data=prepared, compression_params=_PARAMETERS)
    return sum(len(compressor.compress(sample)) for sample in samples)
