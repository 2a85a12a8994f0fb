"""A dictionary is what was published, or it is none."""

import struct

import pytest
import zstandard
from alike import a_dictionary, a_plan, sections

from proxy.store.dictionary import LONGEST, NAME_LENGTH, BadDictionaryError, Dictionary, name_of, published


def test_what_is_compressed_is_read_back():
    dictionary = a_dictionary()
    for octets in (b"", b"x", a_plan(7), bytes(LONGEST)):
        assert dictionary.decompress(dictionary.compress(octets), len(octets)) == octets


def test_what_it_was_trained_on_is_left_out():
    plain = zstandard.ZstdCompressor().compress(a_plan(10_000))
    assert len(a_dictionary().compress(a_plan(10_000))) < len(plain) * 0.8


def test_it_is_named_by_all_that_is_published():
    value = a_dictionary().value
    names = {name_of(value), name_of(value[:-1]), name_of(value + b"x"), name_of(b"x" + value[1:])}
    assert len(names) == 4
    assert a_dictionary().name == name_of(value)
    assert {len(name) for name in names} == {NAME_LENGTH}


def test_two_that_are_published_alike_read_each_other():
    other = Dictionary(a_dictionary().value)
    assert other.name == a_dictionary().name
    assert other.decompress(a_dictionary().compress(a_plan(3)), len(a_plan(3))) == a_plan(3)


def test_its_ratio_is_what_it_leaves_of_what_it_is_judged_by():
    judged = sections(20)
    ratio = Dictionary(published(a_dictionary().value[11:], judged)).ratio
    assert ratio == a_dictionary().left_of(judged) / sum(map(len, judged))
    assert 0 < ratio < 0.3


def test_a_frame_of_another_dictionary_is_not_read_as_it_was():
    frame = a_dictionary("tariff").compress(a_plan(3, kind="tariff"))
    try:
        read = a_dictionary().decompress(frame, len(a_plan(3, kind="tariff")))
    except zstandard.ZstdError:
        return
    assert read != a_plan(3, kind="tariff")  # hence the name in every record


def test_a_frame_that_is_longer_than_it_should_be_is_not_read():
    with pytest.raises(zstandard.ZstdError):
        a_dictionary().decompress(a_dictionary().compress(a_plan(1)) + b"x", len(a_plan(1)))


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"sd", id="cut off"),
        pytest.param(struct.pack(">2sBd", b"sd", 1, 0.1), id="without content"),
        pytest.param(struct.pack(">2sBd", b"sd", 1, 0.1) + b"nonsense" * 100, id="nonsense"),
        pytest.param(struct.pack(">2sBd", b"sd", 1, 0.1) + b"\x37\xa4\x30\xec" + b"\xff" * 500, id="forged"),
        pytest.param(b"xx" + a_dictionary().value[2:], id="of another origin"),
        pytest.param(b"sd\x02" + a_dictionary().value[3:], id="of another version"),
    ],
)
def test_what_is_no_dictionary_is_refused(value):
    with pytest.raises(BadDictionaryError):
        Dictionary(value)
