import struct
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from proxy.store.records import BadRecordError, Record, pack_strings, seal, unpack_strings, unseal

RECORDS = st.builds(
    Record,
    st.integers(0, 255),
    st.binary(max_size=40),
    st.binary(max_size=40),
    st.binary(max_size=40),
    st.binary(max_size=40),
)


@given(RECORDS)
def test_what_is_sealed_is_read_back(record):
    assert unseal(seal(record)) == record


@given(RECORDS, st.data())
def test_no_flipped_bit_goes_unnoticed(record, data):
    octets = bytearray(seal(record))
    bit = data.draw(st.integers(0, len(octets) * 8 - 1))
    octets[bit // 8] ^= 1 << bit % 8

    with pytest.raises(BadRecordError):
        unseal(bytes(octets))


@given(RECORDS, st.data())
def test_no_cut_goes_unnoticed(record, data):
    octets = seal(record)

    with pytest.raises(BadRecordError):
        unseal(octets[: data.draw(st.integers(0, len(octets) - 1))])


@given(RECORDS, st.binary(min_size=1, max_size=8))
def test_nothing_may_follow(record, more):
    with pytest.raises(BadRecordError):
        unseal(seal(record) + more)


@given(st.binary(max_size=200))
def test_anything_else_is_a_bad_record(octets):
    with pytest.raises(BadRecordError):
        unseal(octets)


def test_sections_longer_than_the_record_are_refused_though_the_checksum_is_right():
    octets = seal(Record(1, b"material"))
    forged = octets[:8] + struct.pack(">III", 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF) + octets[20:]
    crc = zlib.crc32(forged[8:], zlib.crc32(forged[:4]))

    with pytest.raises(BadRecordError, match="shorter"):
        unseal(forged[:4] + struct.pack(">I", crc) + forged[8:])


def test_a_record_of_another_version_is_refused():
    octets = bytearray(seal(Record(1, b"material")))
    octets[2] += 1

    with pytest.raises(BadRecordError, match="version"):
        unseal(bytes(octets))


@given(st.lists(st.binary(max_size=20) | st.sampled_from([b"", b"\n", b"a\n"]), max_size=20), st.binary(max_size=10))
@example([], b"")
@example([b""], b"")
@example([b"\n"], b"")
@example([b"a", b"b"], b"")
def test_strings_are_read_back_from_where_they_start(strings, before):
    assert unpack_strings(before + pack_strings(strings), len(before)) == strings


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xff\xff\xff", id="four milliards announced"),
        pytest.param(pack_strings([b"ab", b"\nc"])[:-1], id="cut off"),
        pytest.param(pack_strings([b"ab", b"\nc"]) + b"d", id="more than announced"),
        pytest.param(pack_strings([b"ab", b"c"])[:-2], id="one fewer than announced"),
        pytest.param(pack_strings([b"ab", b"c"]) + b"\nd", id="one more than announced"),
        pytest.param(struct.pack(">II", 1, 0xFFFFFFFF) + b"abc", id="one string larger than the record"),
    ],
)
def test_lists_that_are_not_as_long_as_they_say(octets):
    with pytest.raises(BadRecordError):
        unpack_strings(octets)
