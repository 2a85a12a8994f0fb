"""Parts of a stored 200."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.message import dates
from proxy.message.headers import Headers
from proxy.message.request import Request
from proxy.policy.ranges import MOST_PARTS, Parts, Unsatisfiable, Whole, partial, select, unsatisfiable

NOW = 1_750_000_000.0
BODY = b"0123456789"
W, U = Whole(), Unsatisfiable()


def at(offset):
    return dates.render(NOW + offset)


def selected(*ranges, size=10, method=b"GET", condition=None, stored=()):
    lines = [(b"Range", value) for value in ranges]
    if condition is not None:
        lines.append((b"If-Range", condition))
    return select(Request(method, b"/", Headers(lines), b"a"), Headers(stored), size, now=NOW)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(b"bytes=0-1", Parts(((0, 1),)), id="first and last"),
        pytest.param(b"bytes=1-", Parts(((1, 9),)), id="from a position on"),
        pytest.param(b"bytes=-1", Parts(((9, 9),)), id="the end"),
        pytest.param(b"bytes=-99", Parts(((0, 9),)), id="an end longer than all"),
        pytest.param(b"bytes=5-99", Parts(((5, 9),)), id="a last beyond the end"),
        pytest.param(b"bytes=0-0", Parts(((0, 0),)), id="one byte"),
        pytest.param(b"bytes=007-8", Parts(((7, 8),)), id="leading zeros"),
        pytest.param(b"Bytes=0-1", Parts(((0, 1),)), id="the unit in other letters"),
        pytest.param(b"bytes=0-1, 4-5,-1", Parts(((0, 1), (4, 5), (9, 9))), id="several"),
        pytest.param(b"bytes=8-9,0-1", Parts(((8, 9), (0, 1))), id="several, in the order asked"),
        pytest.param(b"bytes=0-1,50-60", Parts(((0, 1),)), id="one of two is there"),
        pytest.param(b"bytes=10-", U, id="begins at the end"),
        pytest.param(b"bytes=50-60,70-", U, id="none of two is there"),
        pytest.param(b"bytes=-0", U, id="an end of nothing"),
        pytest.param(b"bytes=" + b"9" * 9000 + b"-", U, id="more digits than int() takes"),
        pytest.param(b"bytes=0-" + b"9" * 9000, Parts(((0, 9),)), id="as a last"),
        pytest.param(b"bytes=5-4", W, id="the last before the first"),
        pytest.param(b"bytes=0-1,5-4", W, id="one of two is invalid"),
        pytest.param(b"bytes=-", W, id="neither"),
        pytest.param(b"bytes=a-b", W, id="no numbers"),
        pytest.param(b"bytes=0 - 1", W, id="white space inside"),
        pytest.param(b"bytes=", W, id="no range"),
        pytest.param(b"bytes", W, id="no equals sign"),
        pytest.param(b"items=0-1", W, id="another unit"),
        pytest.param(b"bytes=0-5,5-9", W, id="overlapping"),
        pytest.param(b"bytes=8-,-3", W, id="overlapping at the end"),
        pytest.param(b"bytes=5-9,0-6", W, id="overlapping in another order"),
    ],
)
def test_select(value, expected):
    assert selected(value) == expected


def test_at_most_eight_parts():
    spans = [f"{first * 2}-{first * 2}" for first in range(MOST_PARTS + 1)]
    asked = "bytes=" + ",".join(spans[:MOST_PARTS])
    assert len(selected(asked.encode(), size=100).spans) == MOST_PARTS
    assert selected(f"{asked},{spans[MOST_PARTS]}".encode(), size=100) == W


@pytest.mark.parametrize(
    ("arguments", "rest"),
    [
        pytest.param([], {}, id="no Range"),
        pytest.param([b"bytes=0-1", b"bytes=0-1"], {}, id="two lines"),
        pytest.param([b"bytes=0-1"], {"method": b"HEAD"}, id="not for HEAD"),
        pytest.param([b"bytes=0-1"], {"size": 0}, id="an empty body has no parts"),
    ],
)
def test_where_the_whole_is_the_answer(arguments, rest):
    assert selected(*arguments, **rest) == W


OLD = (b"Last-Modified", at(-60))


@pytest.mark.parametrize(
    ("condition", "stored", "holds"),
    [
        pytest.param(b'"x"', [(b"ETag", b'"x"')], True, id="the same tag"),
        pytest.param(b'"y"', [(b"ETag", b'"x"')], False, id="another tag"),
        pytest.param(b'W/"x"', [(b"ETag", b'W/"x"')], False, id="a weak tag"),
        pytest.param(b'"x"', [], False, id="no tag"),
        pytest.param(at(-60), [OLD, (b"Date", at(0))], True, id="the same date"),
        pytest.param(at(-60), [OLD, (b"Date", at(-60))], False, id="the same date, sent in the same second"),
        pytest.param(at(-60), [OLD, (b"Date", at(-59))], True, id="the same date, sent a second later"),
        pytest.param(at(-60), [OLD], False, id="the same date, no Date"),
        pytest.param(at(0), [OLD, (b"Date", at(0))], False, id="a later date"),
        pytest.param(b"x", [(b"Last-Modified", b"x"), (b"Date", at(0))], False, id="the same nonsense"),
        pytest.param(b"x", [], False, id="neither tag nor date"),
    ],
)
def test_if_range(condition, stored, holds):
    assert isinstance(selected(b"bytes=0-1", condition=condition, stored=stored), Parts if holds else Whole)


STORED = Headers(
    [
        (b"Content-Type", b"text/plain"),
        (b"Content-Length", b"10"),
        (b"Content-MD5", b"x"),
        (b"Content-Range", b"x"),
        (b"ETag", b'"x"'),
        (b"A", b"1"),
    ]
)


def test_one_part():
    status, headers, body = partial(STORED, BODY, Parts(((6, 8),)), b"frontier")
    assert (status, body) == (206, b"678")
    assert headers.lines == (
        (b"Content-Type", b"text/plain"),
        (b"ETag", b'"x"'),
        (b"A", b"1"),
        (b"Content-Range", b"bytes 6-8/10"),
        (b"Content-Length", b"3"),
    )


def test_several_parts():
    status, headers, body = partial(STORED, BODY, Parts(((8, 9), (0, 0))), b"frontier")
    assert status == 206
    assert headers.lines == (
        (b"ETag", b'"x"'),
        (b"A", b"1"),
        (b"Content-Type", b"multipart/byteranges; boundary=frontier"),
        (b"Content-Length", b"%d" % len(body)),
    )
    assert body == (
        b"\r\n--frontier\r\nContent-Type: text/plain\r\nContent-Range: bytes 8-9/10\r\n\r\n89"
        b"\r\n--frontier\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-0/10\r\n\r\n0"
        b"\r\n--frontier--\r\n"
    )


def test_parts_of_no_stated_type():
    _, _, body = partial(Headers(), BODY, Parts(((0, 0), (2, 2))), b"b")
    assert b"Content-Type" not in body


def test_unsatisfiable():
    status, headers, body = unsatisfiable(Headers([(b"Date", at(0)), (b"ETag", b'"x"'), (b"Vary", b"a")]), 10)
    assert (status, body) == (416, b"")
    assert headers.lines == (
        (b"Date", at(0)),
        (b"Vary", b"a"),
        (b"Content-Range", b"bytes */10"),
        (b"Content-Length", b"0"),
    )


@given(st.binary(max_size=60), st.integers(0, 50))
def test_any_range_gives_positions_within_the_body(value, size):
    match selected(b"bytes=" + value, size=size):
        case Parts(spans):
            assert all(0 <= first <= last < size for first, last in spans)
            taken = [position for first, last in spans for position in range(first, last + 1)]
            assert len(taken) == len(set(taken))
        case other:
            assert other in {W, U}
