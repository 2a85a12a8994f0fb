"""Stored responses, marks and vary records, to and from octets.

Never pickled: whoever can write to Redis may plant a wrong answer, and no more. A record that belongs to other key
material, by an md5 collision or by design, is None: not there, and not ours to delete.
"""

from __future__ import annotations

import struct
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import zstandard

from proxy.message.headers import Headers
from proxy.message.selectors import Seq, octets_of, text_of
from proxy.message.stored import Freshness, LifetimeSource, StoredResponse, Uncacheable, VaryRecord
from proxy.store.dictionary import LONGEST
from proxy.store.leaning import LEANING, lean, straighten
from proxy.store.records import (
    PREFIX,
    BadRecordError,
    Record,
    checked,
    divided,
    pack_strings,
    seal,
    sections,
    unpack_strings,
    unseal,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proxy.store.dictionary import Dictionary

NONE_KNOWN: Final[Mapping[bytes, Dictionary]] = MappingProxyType({})

_RESPONSE: Final = 1
_UNCACHEABLE: Final = 2
_VARY: Final = 3

# status, flags, request_time, response_time, initial_age, expires_with_credential, lifetime, stale_while_revalidate,
# stale_if_error, position, length of the body, how many selectors
_FACTS: Final = struct.Struct(">HB7dQII")
_UNTIL: Final = struct.Struct(">d")
_FIELDS: Final = struct.Struct(">I")

_SOURCES: Final = {source.encode("ascii"): source for source in LifetimeSource}

_COMPRESSED: Final = 1
_MUST_REVALIDATE: Final = 2
_ALWAYS_VALIDATE: Final = 4
_ENDS_WITH_CREDENTIAL: Final = 8

# A context is dear for a small body (12 us to 2), and cannot be shared with the threads that take the large ones.
_SMALL: Final = 64 * 1024
_LEVEL: Final = 3
_COMPRESSOR: Final = zstandard.ZstdCompressor(level=_LEVEL)
_DECOMPRESSOR: Final = zstandard.ZstdDecompressor()


def encode(
    entry: StoredResponse | Uncacheable, material: bytes, compress_above: int, dictionary: Dictionary | None = None
) -> bytes:
    """Return an entry's record, compressed if its body is larger than ``compress_above`` and that makes it smaller.

    ``dictionary`` is what it may lean on; else, and where it is too long for that, its body is compressed alone.
    """
    if isinstance(entry, Uncacheable):
        metadata = _UNTIL.pack(entry.until) + pack_strings([entry.reason.encode()])
        return seal(Record(_UNCACHEABLE, material, metadata))
    body, flags = entry.body, 0
    if len(body) > compress_above:
        if dictionary is not None and len(body) <= LONGEST:
            plain = plainly(entry, material)
            if len(plain) <= LONGEST:
                return lean(plain, dictionary)
        compressed = _compress(body)
        if len(compressed) < len(body):
            body, flags = compressed, _COMPRESSED
    return seal(Record(_RESPONSE, material, _metadata(entry, flags), _head(entry), body))


def plainly(entry: StoredResponse, material: bytes) -> bytes:
    """Return what a response's record has after its prefix, with nothing compressed: what a dictionary is trained on."""
    return sections(Record(_RESPONSE, material, _metadata(entry, 0), _head(entry), entry.body))


def decode(
    octets: bytes, material: bytes, max_body: int, known: Mapping[bytes, Dictionary] = NONE_KNOWN
) -> StoredResponse | Uncacheable | None:
    """Read an entry's record; None if it belongs to other material; ``known`` are the dictionaries at hand, by name.

    Raises BadRecordError, or UnknownDictionaryError.
    """
    kind = checked(octets)
    record = divided(_RESPONSE, straighten(octets, known)) if kind == LEANING else divided(kind, octets, PREFIX)
    if record.kind not in {_RESPONSE, _UNCACHEABLE}:
        raise BadRecordError("a record of another kind")
    if record.material != material:
        return None
    try:
        if record.kind == _UNCACHEABLE:
            (reason,) = unpack_strings(record.metadata, _UNTIL.size)
            return Uncacheable(reason.decode(), _UNTIL.unpack_from(record.metadata)[0])
        return _response(record, max_body)
    except (struct.error, ValueError, IndexError, StopIteration) as error:
        raise BadRecordError(f"a record is not readable: {error}") from error


def encode_vary(vary: VaryRecord, material: bytes) -> bytes:
    """Return a vary record's record."""
    strings = [*vary.fields, *(digest.encode("ascii") for digest in vary.variants)]
    return seal(Record(_VARY, material, _FIELDS.pack(len(vary.fields)) + pack_strings(strings)))


def decode_vary(octets: bytes, material: bytes) -> VaryRecord | None:
    """Read a vary record's record; None if it belongs to other material. Raises BadRecordError."""
    record = unseal(octets)
    if record.kind != _VARY:
        raise BadRecordError("a record of another kind")
    if record.material != material:
        return None
    try:
        (count,) = _FIELDS.unpack_from(record.metadata)
        strings = unpack_strings(record.metadata, _FIELDS.size)
        return VaryRecord(tuple(strings[:count]), tuple(digest.decode("ascii") for digest in strings[count:]))
    except (struct.error, ValueError) as error:
        raise BadRecordError(f"a vary record is not readable: {error}") from error


def _head(entry: StoredResponse) -> bytes:
    return pack_strings([entry.reason, *(part for line in entry.headers for part in line)])


def _metadata(entry: StoredResponse, flags: int) -> bytes:
    fresh = entry.freshness
    flags |= _MUST_REVALIDATE * fresh.must_revalidate | _ALWAYS_VALIDATE * fresh.always_validate
    if entry.expires_with_credential is not None:
        flags |= _ENDS_WITH_CREDENTIAL
    facts = _FACTS.pack(
        entry.status,
        flags,
        *(entry.request_time, entry.response_time, entry.initial_age, entry.expires_with_credential or 0.0),
        *(fresh.lifetime, fresh.stale_while_revalidate, fresh.stale_if_error),
        *(entry.seq.n, len(entry.body), len(entry.selectors)),
    )
    texts = [fresh.source.encode("ascii"), entry.seq.epoch.encode(), *map(octets_of, entry.selectors)]
    for name, value in entry.vary:
        texts += (name, b"" if value is None else b"=" + value)
    return facts + pack_strings(texts)


def _response(record: Record, max_body: int) -> StoredResponse:
    status, flags, asked, answered, age, ends, lifetime, revalidate, on_error, n, length, selectors = (
        _FACTS.unpack_from(record.metadata)
    )
    texts, fields = unpack_strings(record.metadata, _FACTS.size), iter(unpack_strings(record.head))
    source = _SOURCES.get(texts[0])
    if source is None:
        raise ValueError("a lifetime of unknown source")
    first_vary = 2 + selectors
    freshness = Freshness(
        lifetime=lifetime,
        source=source,
        stale_while_revalidate=revalidate,
        stale_if_error=on_error,
        must_revalidate=bool(flags & _MUST_REVALIDATE),
        always_validate=bool(flags & _ALWAYS_VALIDATE),
    )
    return StoredResponse(
        status=status,
        reason=next(fields),
        headers=Headers(zip(fields, fields, strict=True)),
        body=_body(record.body, length, max_body, compressed=bool(flags & _COMPRESSED)),
        request_time=asked,
        response_time=answered,
        initial_age=age,
        freshness=freshness,
        selectors=tuple(map(text_of, texts[2:first_vary])),
        seq=Seq(texts[1].decode(), n),
        vary=_vary(texts[first_vary:]) if len(texts) > first_vary else (),
        expires_with_credential=ends if flags & _ENDS_WITH_CREDENTIAL else None,
    )


def _vary(texts: list[bytes]) -> tuple[tuple[bytes, bytes | None], ...]:
    return tuple((name, value[1:] if value else None) for name, value in zip(texts[::2], texts[1::2], strict=True))


def _compress(body: bytes) -> bytes:
    compressor = _COMPRESSOR if len(body) <= _SMALL else zstandard.ZstdCompressor(level=_LEVEL)
    return compressor.compress(body)


def _body(kept: bytes, length: int, max_body: int, *, compressed: bool) -> bytes:
    if length > max_body:
        raise BadRecordError("a body is larger than may be stored")
    if compressed:
        try:
            # The frame's own word decides how much is allocated, so it is read before.
            if zstandard.get_frame_parameters(kept).content_size != length:
                raise BadRecordError("a compressed body is not as long as it says")
            decompressor = _DECOMPRESSOR if length <= _SMALL else zstandard.ZstdDecompressor()
            kept = decompressor.decompress(kept, max_output_size=length, allow_extra_data=False)
        except zstandard.ZstdError as error:
            raise BadRecordError("a compressed body is not readable") from error
    if len(kept) != length:
        raise BadRecordError("a body is not as long as it says")
    return kept
