import os
import struct
import tracemalloc
from dataclasses import replace

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from nouns import a_response

from proxy.message.headers import Headers
from proxy.message.selectors import Seq, text_of
from proxy.message.stored import Freshness, LifetimeSource, StoredResponse, Uncacheable, VaryRecord
from proxy.store.codec import decode, decode_vary, encode, encode_vary
from proxy.store.records import BadRecordError, Record, seal, unseal

MATERIAL = b"GET\x00/plans"
MAX_BODY = 1 << 20

octets = st.binary(max_size=30)
seconds = st.floats(allow_nan=False, allow_infinity=False)
responses = st.builds(
    StoredResponse,
    status=st.integers(100, 999),
    reason=octets,
    headers=st.lists(st.tuples(octets, octets), max_size=8).map(Headers),
    body=st.binary(max_size=200) | st.integers(0, 5000).map(lambda n: b"ab" * n),
    request_time=seconds,
    response_time=seconds,
    initial_age=seconds,
    freshness=st.builds(
        Freshness, seconds, st.sampled_from(LifetimeSource), seconds, seconds, st.booleans(), st.booleans()
    ),
    selectors=st.lists(octets.map(text_of), max_size=6).map(tuple),
    seq=st.builds(Seq, st.text(st.characters(codec="ascii"), min_size=1, max_size=8), st.integers(0, 2**63)),
    vary=st.lists(st.tuples(octets, st.none() | octets), max_size=4).map(tuple),
    expires_with_credential=st.none() | seconds,
)
marks = st.builds(Uncacheable, st.text(st.characters(codec="utf-8"), max_size=20), seconds)
varies = st.builds(
    VaryRecord,
    st.lists(octets, max_size=8).map(tuple),
    st.lists(st.text("0123456789abcdef", min_size=32, max_size=32), max_size=8).map(tuple),
)


@given(responses | marks, st.binary(max_size=60), st.sampled_from([0, 64, 10**9]))
def test_what_is_encoded_is_read_back(entry, material, compress_above):
    assert decode(encode(entry, material, compress_above), material, MAX_BODY) == entry


@given(varies, st.binary(max_size=60))
def test_a_vary_record_is_read_back(vary, material):
    assert decode_vary(encode_vary(vary, material), material) == vary


@given(responses | marks, st.data())
def test_a_flipped_bit_never_makes_another_entry(entry, data):
    record = bytearray(encode(entry, MATERIAL, 64))
    bit = data.draw(st.integers(0, len(record) * 8 - 1))
    record[bit // 8] ^= 1 << bit % 8

    with pytest.raises(BadRecordError):
        decode(bytes(record), MATERIAL, MAX_BODY)


@given(responses | marks, st.data())
def test_a_cut_record_is_refused(entry, data):
    record = encode(entry, MATERIAL, 64)

    with pytest.raises(BadRecordError):
        decode(record[: data.draw(st.integers(0, len(record) - 1))], MATERIAL, MAX_BODY)


@given(st.integers(0, 5), st.binary(max_size=80), st.binary(max_size=80), st.binary(max_size=80))
def test_a_forged_record_with_a_right_checksum_is_an_entry_or_refused(kind, metadata, head, body):
    record = seal(Record(kind, MATERIAL, metadata, head, body))
    for read in (lambda: decode(record, MATERIAL, MAX_BODY), lambda: decode_vary(record, MATERIAL)):
        try:
            read()
        except BadRecordError:
            continue


@given(responses, st.data())
def test_metadata_forged_under_a_right_checksum_is_an_entry_or_refused(entry, data):
    record = unseal(encode(entry, MATERIAL, 64))
    metadata = bytearray(record.metadata)
    metadata[data.draw(st.integers(0, len(metadata) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode(seal(replace(record, metadata=bytes(metadata))), MATERIAL, MAX_BODY)
    except BadRecordError:
        return


def test_a_record_of_other_material_is_not_there_and_not_bad():
    assert decode(encode(a_response(), b"other", 1024), MATERIAL, MAX_BODY) is None
    assert decode_vary(encode_vary(VaryRecord((b"accept",)), b"other"), MATERIAL) is None


def test_kinds_are_not_taken_for_each_other():
    with pytest.raises(BadRecordError, match="kind"):
        decode(encode_vary(VaryRecord((b"accept",)), MATERIAL), MATERIAL, MAX_BODY)
    with pytest.raises(BadRecordError, match="kind"):
        decode_vary(encode(a_response(), MATERIAL, 1024), MATERIAL)


@pytest.mark.parametrize(
    ("body", "compress_above", "smaller"),
    [
        pytest.param(b"a" * 5000, 1024, True, id="large and repetitive"),
        pytest.param(b"a" * 1024, 1024, False, id="just as large as allowed"),
        pytest.param(b"a" * 1025, 1024, True, id="a byte larger"),
        pytest.param(os.urandom(5000), 1024, False, id="does not become smaller"),
        pytest.param(b"a" * 200_000, 1024, True, id="with a context of its own"),
    ],
)
def test_bodies_are_compressed_where_that_makes_them_smaller(body, compress_above, smaller):
    entry = a_response(body)
    record = encode(entry, MATERIAL, compress_above)

    assert (len(record) < len(body)) is smaller
    assert (unseal(record).body == body) is not smaller
    assert decode(record, MATERIAL, MAX_BODY).body == body


def test_a_body_larger_than_may_be_stored_is_refused():
    record = encode(a_response(b"a" * 1000), MATERIAL, 10_000)

    assert decode(record, MATERIAL, 1000) is not None
    with pytest.raises(BadRecordError, match="larger"):
        decode(record, MATERIAL, 999)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(zstandard.compress(bytes(64 << 20)), id="64 MiB of zeros"),
        pytest.param(zstandard.ZstdCompressor(write_content_size=False).compress(bytes(5000)), id="no length stated"),
        pytest.param(zstandard.compress(bytes(5000)) + b"more", id="something behind it"),
        pytest.param(zstandard.compress(bytes(5000))[:-1], id="cut off"),
        pytest.param(b"nonsense", id="not compressed at all"),
    ],
)
def test_a_forged_compressed_body_takes_no_memory(body):
    honest = unseal(encode(a_response(bytes(5000)), MATERIAL, 1024))
    forged = seal(replace(honest, body=body))

    tracemalloc.start()
    with pytest.raises(BadRecordError):
        decode(forged, MATERIAL, MAX_BODY)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MAX_BODY


def test_a_stated_length_that_is_not_the_bodys_is_refused():
    record = unseal(encode(a_response(b"12345"), MATERIAL, 1024))
    with pytest.raises(BadRecordError, match="not as long"):
        decode(seal(replace(record, body=b"1234")), MATERIAL, MAX_BODY)


def test_an_unknown_source_of_a_lifetime_is_refused():
    record = unseal(encode(a_response(), MATERIAL, 1024))
    with pytest.raises(BadRecordError, match="not readable"):
        decode(seal(replace(record, metadata=record.metadata.replace(b"route", b"rxute", 1))), MATERIAL, MAX_BODY)


def test_the_head_is_left_alone_while_metadata_is_read():
    record = unseal(encode(a_response(), MATERIAL, 1024))

    assert struct.unpack_from(">H", record.metadata) == (200,)
    assert b"application/json" in record.head
    assert b"application/json" not in record.metadata
