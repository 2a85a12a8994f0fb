"""Records that lean on a dictionary: read with it, and with nothing else; bounded before anything is made of them."""

import struct
import tracemalloc

import pytest
import zstandard
from alike import a_dictionary, a_plan, sections
from hypothesis import given
from hypothesis import strategies as st
from nouns import a_response

from proxy.message.stored import Uncacheable
from proxy.store.codec import decode, encode, plainly
from proxy.store.dictionary import LONGEST
from proxy.store.leaning import LEANING, UnknownDictionaryError, lean, lengths, straighten
from proxy.store.records import BadRecordError, Record, framed, seal

MATERIAL = b"GET\x00/plans"
ENTRY = a_response(a_plan(1))
KNOWN = {a_dictionary().name: a_dictionary()}
MAX_BODY = 1 << 20


def a_record(entry=ENTRY):
    return encode(entry, MATERIAL, 1024, a_dictionary())


def forged(length=None, frame=None):
    octets = plainly(ENTRY, MATERIAL)
    length = len(octets) if length is None else length
    frame = a_dictionary().compress(octets) if frame is None else frame
    return framed(LEANING, struct.pack(">8sI", a_dictionary().name, length) + frame)


def test_it_is_read_back_and_takes_less_with_its_head():
    record = a_record()
    assert decode(record, MATERIAL, MAX_BODY, KNOWN) == ENTRY
    assert len(record) < 0.6 * len(encode(ENTRY, MATERIAL, 1024))
    assert b"Content-Type" not in record
    assert MATERIAL not in record
    assert decode(record, b"other material", MAX_BODY, KNOWN) is None


@given(st.binary(max_size=3000), st.binary(max_size=60))
def test_whatever_it_holds_is_read_back(body, material):
    entry = a_response(body)
    assert decode(encode(entry, material, 0, a_dictionary()), material, MAX_BODY, KNOWN) == entry


@pytest.mark.parametrize(
    ("entry", "leans"),
    [
        pytest.param(a_response(b"a" * 1025), True, id="large enough"),
        pytest.param(a_response(b"a" * 1024), False, id="not worth it"),
        pytest.param(a_response(b"a" * LONGEST), False, id="too large with its head"),
        pytest.param(a_response(b"a" * (LONGEST + 1)), False, id="too large"),
        pytest.param(Uncacheable("private", 1.0), False, id="a mark"),
    ],
)
def test_what_leans(entry, leans):
    record = a_record(entry)
    assert (lengths(record) is not None) == leans
    assert decode(record, MATERIAL, MAX_BODY, KNOWN) == entry
    if not leans:
        assert decode(record, MATERIAL, MAX_BODY) == entry


def test_it_tells_how_long_it_would_be():
    record = a_record()
    assert lengths(record) == (len(plainly(ENTRY, MATERIAL)), len(record))


def test_without_its_dictionary_it_says_which_it_needs():
    for known in ({}, {a_dictionary("tariff").name: a_dictionary("tariff")}):
        with pytest.raises(UnknownDictionaryError) as raised:
            decode(a_record(), MATERIAL, MAX_BODY, known)
        assert raised.value.name == a_dictionary().name


@given(st.data())
def test_a_flipped_bit_or_a_cut_never_makes_another_entry(data):
    record = bytearray(a_record())
    bit = data.draw(st.integers(0, len(record) * 8 - 1))
    record[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BadRecordError):
        decode(bytes(record), MATERIAL, MAX_BODY, KNOWN)
    with pytest.raises(BadRecordError):
        decode(a_record()[: data.draw(st.integers(0, len(record) - 1))], MATERIAL, MAX_BODY, KNOWN)


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(framed(LEANING, b""), id="of nothing"),
        pytest.param(framed(LEANING, b"x" * 12), id="without a frame"),
        pytest.param(forged(length=10), id="longer than it says"),
        pytest.param(forged(length=LONGEST), id="shorter than it says"),
        pytest.param(forged(length=LONGEST + 1), id="longer than one may be"),
        pytest.param(forged(length=2**32 - 1), id="of any length"),
        pytest.param(forged(frame=b"nonsense" * 9), id="nonsense"),
        pytest.param(forged(frame=zstandard.ZstdCompressor().compress(b"")), id="empty"),
        pytest.param(forged(frame=a_dictionary().compress(plainly(ENTRY, MATERIAL))[:-3]), id="cut off within"),
        pytest.param(forged(frame=bytes(2 * LONGEST)), id="large"),
        pytest.param(lean(b"x" * 11, a_dictionary()), id="without sections"),
        pytest.param(lean(b"\xff" * 12, a_dictionary()), id="with sections beyond its end"),
        pytest.param(lean(seal(Record(2, MATERIAL))[8:], a_dictionary()), id="no response"),
    ],
)
def test_what_is_forged_under_a_right_checksum_is_refused(record):
    with pytest.raises(BadRecordError) as raised:
        decode(record, MATERIAL, MAX_BODY, KNOWN)
    assert not isinstance(raised.value, UnknownDictionaryError)


def test_a_frame_that_would_fill_memory_is_refused_before_it_does():
    bomb = zstandard.ZstdCompressor().compress(bytes(1 << 28))
    tracemalloc.start()
    try:
        for length in (LONGEST, 1 << 28):
            with pytest.raises(BadRecordError):
                straighten(forged(length=length, frame=bomb), KNOWN)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_what_is_larger_than_any_is_not_even_looked_up():
    """Large records are read in threads, where a dictionary at hand may not be used."""
    with pytest.raises(BadRecordError, match="too large"):
        decode(forged(frame=bytes(2 * LONGEST)), MATERIAL, MAX_BODY, {})


def test_sections_are_what_a_dictionary_learns_from():
    (octets,) = sections(1)
    assert straighten(lean(octets, a_dictionary()), KNOWN) == octets
