"""The directives of Cache-Control and of its targeted kin."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.message.cachecontrol import GREATEST_DELTA, CacheControl, delta_seconds, parse, targeted


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param(b"0", 0, id="zero"),
        pytest.param(b"003600", 3600, id="leading zeros"),
        pytest.param(b"2147483647", 2**31 - 1, id="just below the limit"),
        pytest.param(b"2147483648", 2**31, id="the limit"),
        pytest.param(b"2147483649", 2**31, id="just above the limit"),
        pytest.param(b"99999999999", 2**31, id="far above the limit"),
        pytest.param(b"9" * 9000, 2**31, id="more digits than int() takes"),
        pytest.param(b"0" * 9000 + b"7", 7, id="more zeros than int() takes"),
        pytest.param(b"", None, id="empty"),
        pytest.param(b"-1", None, id="negative"),
        pytest.param(b"+1", None, id="signed"),
        pytest.param(b"1.0", None, id="a fraction"),
        pytest.param(b"1a", None, id="a letter"),
        pytest.param(b" 1", None, id="white space"),
        pytest.param("\u0661".encode(), None, id="a digit of another script"),
    ],
)
def test_delta_seconds(text, seconds):
    assert delta_seconds(text) == seconds


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        pytest.param([b"max-age=60"], 60, id="plain"),
        pytest.param([b"MaX-aGe=60"], 60, id="any letter case"),
        pytest.param([b"foobar, max-age=60"], 60, id="beside an unknown directive"),
        pytest.param([b"no-store", b"max-age=60"], 60, id="on another line"),
        pytest.param([b'max-age="60"'], 60, id="quoted"),
        pytest.param([b'max-age="6\\0"'], 60, id="quoted with an escape"),
        pytest.param([b'extension="max-age=3600", max-age=1'], 1, id="after one inside a quoted string"),
        pytest.param([b'max-age=1, extension="max-age=3600"'], 1, id="before one inside a quoted string"),
        pytest.param([b"max-age=60;foo"], 60, id="before a semicolon"),
        pytest.param([b"max-age=1800, max-age=1"], 1800, id="the first of two"),
        pytest.param([b"max-age=1", b"max-age=1800"], 1, id="the first of two lines"),
        pytest.param([b"max-age=x, max-age=1800"], 0, id="the first of two is broken"),
        pytest.param([b"max-age"], 0, id="without an argument"),
        pytest.param([b"max-age="], 0, id="an empty argument"),
        pytest.param([b"max-age=-60"], 0, id="negative"),
        pytest.param([b"max-age='60'"], 0, id="in single quotes"),
        pytest.param([b"max-age=60.0"], 0, id="a fraction"),
        pytest.param([b"max-age =60"], 0, id="space before the equals sign"),
        pytest.param([b"max-age= 60"], 0, id="space after the equals sign"),
        pytest.param([b'max-age="60'], 0, id="a quote that never closes"),
        pytest.param([b'max-age="6"0'], 0, id="a quote that closes early"),
        pytest.param([b"s-maxage=60"], None, id="another directive"),
        pytest.param([], None, id="no line"),
        pytest.param([b" , ,"], None, id="only empty elements"),
    ],
)
def test_seconds(lines, seconds):
    assert parse(lines).seconds(b"max-age") == seconds


@pytest.mark.parametrize(
    ("line", "present"),
    [
        pytest.param(b"no-store", True, id="alone"),
        pytest.param(b"max-age=1,no-store", True, id="last"),
        pytest.param(b"No-Store", True, id="any letter case"),
        pytest.param(b"no-store=1", True, id="with an argument that it does not have"),
        pytest.param(b"public; no-store", True, id="behind a mistaken semicolon"),
        pytest.param(b'x="a, no-store', True, id="behind a quote that never closes"),
        pytest.param(b'x="a\\", no-store', True, id="behind an escaped quote that never closes"),
        pytest.param(b'x="a", y="b, no-store', True, id="behind the second quote, that never closes"),
        pytest.param(b'x="\\', False, id="a backslash at the end"),
        pytest.param(b'x="a, no-store"', False, id="inside a quoted string"),
        pytest.param(b'x="\\", no-store"', False, id="inside a quoted string with an escape"),
        pytest.param(b"no-store-remote", False, id="a longer name"),
        pytest.param(b"", False, id="empty"),
    ],
)
def test_presence(line, present):
    assert (b"no-store" in parse([line])) is present


@pytest.mark.parametrize(
    ("line", "whole", "fields"),
    [
        pytest.param(b"private", True, set(), id="unqualified"),
        pytest.param(b'private="X-User"', False, {b"x-user"}, id="one name"),
        pytest.param(b'private="a, B ,"', False, {b"a", b"b"}, id="several names and an empty one"),
        pytest.param(b"private=a", False, {b"a"}, id="in the token form"),
        pytest.param(b'private="a", private="b"', False, {b"a", b"b"}, id="twice"),
        pytest.param(b'private="a", private', True, {b"a"}, id="both forms"),
        pytest.param(b'private=""', True, set(), id="an empty list of names"),
        pytest.param(b'private="a', True, set(), id="a broken list of names"),
        pytest.param(b'private ="a"', True, set(), id="a space where none may be"),
        pytest.param(b"public", False, set(), id="absent"),
    ],
)
def test_qualified_forms(line, whole, fields):
    directives = parse([line])
    assert directives.unqualified(b"private") is whole
    assert directives.fields(b"private") == fields


def test_an_argument_is_none_where_there_is_none():
    assert parse([b"max-stale, max-stale=5"]).arguments(b"max-stale") == [None, b"5"]


def test_nothing_is_false():
    assert not parse([])
    assert parse([b"public"])


@pytest.mark.parametrize(
    ("lines", "directives"),
    [
        pytest.param([b"max-age=60"], ((b"max-age", b"60"),), id="seconds"),
        pytest.param([b"foobar, max-age=60"], ((b"foobar", None), (b"max-age", b"60")), id="an unknown directive"),
        pytest.param([b"max-age=1", b"no-store"], ((b"max-age", b"1"), (b"no-store", None)), id="two lines"),
        pytest.param([b"max-age=1, max-age=2"], ((b"max-age", b"2"),), id="the last of equal keys"),
        pytest.param(
            [b"max-age=60;x=1, private;y"], ((b"max-age", b"60"), (b"private", None)), id="parameters are dropped"
        ),
        pytest.param([b"no-store=?0, max-age=1"], ((b"max-age", b"1"),), id="a false flag is absent"),
        pytest.param([b'no-cache="a, b"'], ((b"no-cache", b"a, b"),), id="qualified"),
        pytest.param([b"max-age=-1"], ((b"max-age", b"-1"),), id="a negative number is an Integer"),
        pytest.param([], None, id="absent"),
        pytest.param([b""], None, id="empty"),
        pytest.param([b"max-age=10000, &&&&&"], None, id="a syntax error anywhere"),
        pytest.param([b'max-age="10000"'], None, id="a String for seconds"),
        pytest.param([b"max-age"], None, id="a flag for seconds"),
        pytest.param([b"max-age=1.5"], None, id="a Decimal for seconds"),
        pytest.param([b"no-store=1"], None, id="a number for a flag"),
        pytest.param([b"private=5"], None, id="a number for field names"),
        pytest.param([b"MaX-aGe=3600"], None, id="upper case is no key"),
        pytest.param([b"max-age =100"], None, id="space before the equals sign"),
        pytest.param([b"max-age= 100"], None, id="space after the equals sign"),
    ],
)
def test_targeted_fields(lines, directives):
    assert targeted(lines) == (None if directives is None else CacheControl(directives))


def test_a_negative_targeted_lifetime_is_no_lifetime():
    assert targeted([b"max-age=-1"]).seconds(b"max-age") == 0


_NAMES = st.sampled_from([b"max-age", b"no-cache", b"private", b"x-ext", b"s-maxage"])
_TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)).map(str.encode)


@given(st.lists(st.binary(max_size=60), max_size=4))
def test_any_octets_give_directives_with_lower_case_names_and_seconds_in_bounds(lines):
    for name, argument in parse(lines).directives:
        assert name == name.lower()
        assert argument is None or isinstance(argument, bytes)
    for name in (b"max-age", b"s-maxage"):
        seconds = parse(lines).seconds(name)
        assert seconds is None or 0 <= seconds <= GREATEST_DELTA


@given(st.lists(st.tuples(_NAMES, st.none() | _TEXT), max_size=6), st.booleans())
def test_what_is_written_with_quoted_strings_is_read_back(directives, in_one_line):
    def quoted(text):
        return b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'

    lines = [name if argument is None else name + b"=" + quoted(argument) for name, argument in directives]
    assert parse([b", ".join(lines)] if in_one_line else lines).directives == tuple(directives)


@given(st.binary(max_size=40))
def test_nothing_before_it_hides_no_store(prefix):
    assert b"no-store" in parse([prefix + b",no-store"])


@pytest.mark.parametrize("line", [b'"' + b'\\"' * 16000, b'"' * 32001, b'a="\\' * 8000, b"," * 32000])
def test_the_longest_head_is_read_at_once(line):
    begun = time.perf_counter()
    parse([line])
    assert time.perf_counter() - begun < 1
