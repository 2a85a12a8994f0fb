"""Field lines and the list syntax."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.message.headers import EMPTY, Headers, list_elements, media_type, split_list

LINES = Headers([(b"Set-Cookie", b"a=1"), (b"ETag", b'"x"'), (b"set-cookie", b"b=2")])


def test_names_are_compared_without_case_and_kept_as_they_came():
    assert LINES.get(b"set-cookie") == b"a=1"
    assert LINES.get_all(b"set-cookie") == [b"a=1", b"b=2"]
    assert LINES.combined(b"set-cookie") == b"a=1, b=2"
    assert [name for name, _ in LINES] == [b"Set-Cookie", b"ETag", b"set-cookie"]
    assert LINES.names() == {b"set-cookie", b"etag"}


def test_what_is_absent():
    assert LINES.get(b"age") is None
    assert LINES.get_all(b"age") == []
    assert LINES.combined(b"age") is None
    assert b"age" not in LINES
    assert b"etag" in LINES
    assert len(EMPTY) == 0


def test_whether_any_of_some_names_is_present():
    assert LINES.has_any(frozenset({b"age", b"etag"}))
    assert not LINES.has_any(frozenset({b"age"}))


def test_a_list_that_was_handed_out_is_not_the_index():
    LINES.get_all(b"etag").append(b"more")
    assert LINES.get_all(b"etag") == [b'"x"']


def test_changes_are_new_values():
    assert LINES.without({b"set-cookie"}) == Headers([(b"ETag", b'"x"')])
    assert LINES.keeping(lambda name: name == b"etag") == Headers([(b"ETag", b'"x"')])
    assert LINES.with_field(b"Set-Cookie", b"c=3").lines == ((b"ETag", b'"x"'), (b"Set-Cookie", b"c=3"))
    assert EMPTY.plus([(b"A", b"1")]).lines == ((b"A", b"1"),)
    assert len(LINES) == 3


def test_equality_is_of_lines():
    assert Headers([(b"A", b"1")]) == Headers([(b"A", b"1")])
    assert Headers([(b"A", b"1")]) != Headers([(b"a", b"1")])
    assert Headers() != ()
    assert len({Headers([(b"A", b"1")]), Headers([(b"A", b"1")])}) == 1


def test_a_log_line_holds_no_values():
    assert repr(LINES) == "Headers(['Set-Cookie', 'ETag', 'set-cookie'])"


def test_size_counts_colon_space_and_line_end():
    assert Headers([(b"A", b"1"), (b"Bc", b"")]).size() == len(b"A: 1\r\nBc: \r\n")


@pytest.mark.parametrize(
    ("value", "elements"),
    [
        pytest.param(b"a, b,c", [b"a", b"b", b"c"], id="white space"),
        pytest.param(b",a,\t,", [b"a"], id="empty elements"),
        pytest.param(b"", [], id="empty"),
        pytest.param(b'"a,b", c', [b'"a,b"', b"c"], id="a comma in a quoted string"),
        pytest.param(b'"a\\",b", c', [b'"a\\",b"', b"c"], id="an escaped quote"),
        pytest.param(b'a\\, "b"', [b"a\\", b'"b"'], id="a backslash outside of quotes"),
        pytest.param(b'"a, b', [b'"a, b'], id="a quote that never closes"),
        pytest.param(b'"a",,', [b'"a"'], id="empty elements beside quotes"),
    ],
)
def test_split_list(value, elements):
    assert split_list(value) == elements


def test_list_elements_come_from_all_lines():
    assert list_elements(Headers([(b"Vary", b"a, b"), (b"vary", b""), (b"VARY", b"c")]), b"vary") == [b"a", b"b", b"c"]


@given(st.lists(st.binary(min_size=1, max_size=8).filter(lambda part: not set(part) & set(b'", \t\\'))))
def test_a_joined_list_is_split_again(parts):
    assert split_list(b" , ".join(parts)) == parts


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([(b"Content-Type", b"Text/HTML; charset=utf-8")], b"text/html", id="without its parameters"),
        pytest.param([], b"", id="none"),
    ],
)
def test_the_media_type(lines, expected):
    assert media_type(Headers(lines)) == expected


def test_fields_that_came_with_their_index_are_as_those_that_are_looked_through():
    lines = [(b"Host", b"a"), (b"Accept", b"x"), (b"accept", b"y")]
    read = Headers.read(lines, {b"host": (b"a",), b"accept": (b"x", b"y")})
    assert read == Headers(lines)
    assert (read.get(b"host"), read.combined(b"accept")) == (b"a", b"x, y")
