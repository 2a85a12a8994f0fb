"""Structured fields: what is read, what is no field at all, what is written."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.message.structured import (
    Date,
    DisplayString,
    InnerList,
    Member,
    Token,
    is_token,
    parse_dictionary,
    parse_strings,
    string,
    token_or_string,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param(b"1", 1, id="Integer"),
        pytest.param(b"-999999999999999", -999999999999999, id="the least Integer"),
        pytest.param(b"1.250", Decimal("1.250"), id="Decimal"),
        pytest.param(b'"a \\"b\\" \\\\"', 'a "b" \\', id="String with escapes"),
        pytest.param(b"*a/b:c", Token("*a/b:c"), id="Token"),
        pytest.param(b":aGVsbG8=:", b"hello", id="Byte Sequence"),
        pytest.param(b":aGVsbG8:", b"hello", id="Byte Sequence without padding"),
        pytest.param(b"?1", True, id="true"),
        pytest.param(b"?0", False, id="false"),
        pytest.param(b"@1659578233", Date(1659578233), id="Date"),
        pytest.param(b'%"f%c3%bc"', DisplayString("f\u00fc"), id="Display String"),
        pytest.param(b"()", InnerList(()), id="an empty Inner List"),
        pytest.param(b"( 1  2 )", InnerList((Member(1), Member(2))), id="an Inner List"),
    ],
)
def test_values(text, value):
    member = parse_dictionary([b"a=" + text])["a"]
    assert member == Member(value)
    assert type(member.value) is type(value)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        pytest.param([], {}, id="no line"),
        pytest.param([b"  "], {}, id="only spaces"),
        pytest.param([b"a"], {"a": Member(True)}, id="a flag"),
        pytest.param([b"a;x;y=2"], {"a": Member(True, (("x", True), ("y", 2)))}, id="a flag with parameters"),
        pytest.param([b"a=1; x=1;x=2"], {"a": Member(1, (("x", 2),))}, id="of equal parameters the last"),
        pytest.param([b"a=(1);x"], {"a": Member(InnerList((Member(1),)), (("x", True),))}, id="on an Inner List"),
        pytest.param([b"a=1,b=2\t,\tc"], {"a": Member(1), "b": Member(2), "c": Member(True)}, id="white space"),
        pytest.param([b"a=1", b"b=2"], {"a": Member(1), "b": Member(2)}, id="two lines"),
        pytest.param([b"a=1, a=2"], {"a": Member(2)}, id="of equal keys the last"),
    ],
)
def test_dictionaries(lines, found):
    assert parse_dictionary(lines) == found


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"a=1,", id="a comma at the end"),
        pytest.param(b"a=1,,b", id="an empty member"),
        pytest.param(b"a=1 b", id="no comma"),
        pytest.param(b"A=1", id="an upper-case key"),
        pytest.param(b"a=", id="no value"),
        pytest.param(b"a=1;", id="no parameter"),
        pytest.param(b"a= 1", id="space before a value"),
        pytest.param(b"a=1234567890123456", id="an Integer too long"),
        pytest.param(b"a=1.2345", id="a Decimal too precise"),
        pytest.param(b"a=1.", id="a Decimal without a fraction"),
        pytest.param(b'a="x', id="an open String"),
        pytest.param(b'a="\\x"', id="an escape of another character"),
        pytest.param(b"a=:a:", id="broken base64"),
        pytest.param(b"a=?2", id="neither true nor false"),
        pytest.param(b"a=@1.5", id="a Date with a fraction"),
        pytest.param(b'a=%"%ff"', id="a Display String that is no UTF-8"),
        pytest.param(b'a=%"%FF"', id="a Display String in upper case"),
        pytest.param(b"a=(1", id="an open Inner List"),
        pytest.param(b'a=(1"b")', id="an Inner List without spaces"),
        pytest.param("a=\u00fc".encode(), id="not ASCII"),
    ],
)
def test_any_mistake_makes_it_no_field(line):
    assert parse_dictionary([b"ok=1", line]) is None


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        pytest.param([b'"a", "b"'], ("a", "b"), id="strings"),
        pytest.param([b'"a"', b'"b"'], ("a", "b"), id="on two lines"),
        pytest.param([b'"a";q=1'], ("a",), id="parameters are dropped"),
        pytest.param([b'"a", b'], (), id="a Token among them"),
        pytest.param([b'"a", ("b")'], (), id="an Inner List among them"),
        pytest.param([b'"a'], (), id="broken"),
        pytest.param([], (), id="absent"),
    ],
)
def test_lists_of_strings(lines, found):
    assert parse_strings(lines) == found


@pytest.mark.parametrize(
    ("text", "written"),
    [
        pytest.param("uri-miss", b"uri-miss", id="a Token"),
        pytest.param("GET /a", b'"GET /a"', id="a space makes it a String"),
        pytest.param('a"b\\', b'"a\\"b\\\\"', id="escapes"),
        pytest.param("", b'""', id="empty"),
        pytest.param("5a", b'"5a"', id="a Token does not begin with a digit"),
    ],
)
def test_tokens_and_strings_are_written(text, written):
    assert token_or_string(text) == written
    assert is_token(text) is not written.startswith(b'"')


@pytest.mark.parametrize("text", ["\n", "\u00fc", "\x7f", "a\n"])
def test_a_string_holds_printable_ascii_only(text):
    with pytest.raises(ValueError, match="printable ASCII"):
        string(text)


@given(st.lists(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)), max_size=5))
def test_strings_come_back(texts):
    assert parse_strings([string(text) for text in texts]) == tuple(texts)


@given(st.lists(st.binary(max_size=40), max_size=3))
def test_no_octets_break_the_readers(lines):
    parse_dictionary(lines)
    parse_strings(lines)
