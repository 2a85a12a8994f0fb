import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.message.errors import MessageError
from proxy.wire.limits import WireLimits
from proxy.wire.plain import FRESH, LONGEST_LINE, MOST_LINES, FieldLines, fields_of
from proxy.wire.strictness import read_head

START = b"GET / HTTP/1.1"


def read(*lines, known=None):
    return fields_of([START, *lines], FieldLines() if known is None else known)


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        pytest.param(b"Host: a", b"host", b"a", id="a name in lower case"),
        pytest.param(b"X:1", b"x", b"1", id="no space"),
        pytest.param(b"X: \t a b \t ", b"x", b"a b", id="white space around, not within"),
        pytest.param(b"X:", b"x", b"", id="nothing said"),
        pytest.param(b"X: \xe9", b"x", b"\xe9", id="obs-text as it came"),
    ],
)
def test_a_line_is_a_name_and_a_value(line, name, value):
    assert read(line) == {name: value}


@pytest.mark.parametrize(
    "line",
    [b"X : 1", b" X: 1", b": 1", b"X", b"", b"X: a\x00", b"X: a\nY: b", b"X: a\rb", b"X: \x7f", b"X_Y: 1", b"X(: 1"],
    ids=repr,
)
def test_what_is_unusual_is_not_read_here(line):
    assert read(b"Host: a", line) is None


def test_a_field_that_comes_twice_is_not_read_here():
    assert read(b"Host: a", b"host: a") is None


def test_what_was_read_is_remembered_but_for_what_is_one_users_or_long():
    known = FieldLines()
    lines = [b"Accept: x", *(name + b": 1" for name in sorted(FRESH)), b"Long: " + b"x" * LONGEST_LINE]
    assert len(read(*lines, known=known)) == len(lines)
    assert set(known) == {b"Accept: x"}
    assert {b"authorization", b"cookie", b"x-api-key", b"x-request-id"} < FRESH


def test_what_is_remembered_is_bounded():
    known = FieldLines()
    for number in range(MOST_LINES + 1):
        read(b"X: %d" % number, known=known)
    assert len(known) == 1


TOKENS = st.sampled_from([b"Host", b"X", b"Accept", b"x-y", b"X_Y", b"", b"X ", b"\xe9"])
VALUES = st.binary(max_size=6).map(lambda octets: octets.replace(b"\r\n", b"")) | st.sampled_from([b"a", b" a\t", b"1"])
LINES = st.lists(st.builds(lambda name, value: name + b":" + value, TOKENS, VALUES), max_size=4)


@given(LINES)
def test_what_is_read_here_is_read_in_the_same_way_by_the_strict_reader(lines):
    quick = read(b"Host: a", *lines)
    if quick is None or not quick.keys().isdisjoint({b"content-length", b"transfer-encoding", b"upgrade"}):
        return
    strict = read_head(b"\r\n".join([START, b"Host: a", *lines]) + b"\r\n\r\n", WireLimits())
    assert quick == {name.lower(): value for name, value in strict.headers.lines}


@given(LINES)
def test_what_the_strict_reader_refuses_is_not_read_here(lines):
    try:
        read_head(b"\r\n".join([START, b"Host: a", *lines]) + b"\r\n\r\n", WireLimits())
    except MessageError:
        assert read(b"Host: a", *lines) is None
