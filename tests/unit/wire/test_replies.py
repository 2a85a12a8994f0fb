"""The quick reading of answers against the strict one: whatever it takes, the strict one takes, and reads the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.message.errors import MessageError
from proxy.message.headers import Headers
from proxy.message.response import Response
from proxy.wire.framing import Framing, connection_options, persists, response_framing
from proxy.wire.limits import WireLimits
from proxy.wire.plain import LONGEST_LINE
from proxy.wire.replies import FRESH, MOST_LINES, ReplyLines, plain_reply
from proxy.wire.statuslines import read_head

LIMITS = WireLimits(head=2048, fields=4)


def head(*lines, start=b"HTTP/1.1 200 OK"):
    return b"\r\n".join([start, *lines, b"", b""])


def read(*lines, start=b"HTTP/1.1 200 OK", known=None):
    return plain_reply(head(*lines, start=start), LIMITS, ReplyLines() if known is None else known)


def test_it_says_what_came_and_how_long_its_content_is():
    response, length = read(b"Content-Length: 5", b"X-Y:\t a ", b'etag: "1"')
    assert response == Response(
        200, Headers([(b"Content-Length", b"5"), (b"X-Y", b"a"), (b"etag", b'"1"')]), b"OK", (1, 1)
    )
    assert (length, response.headers.get(b"x-y")) == (5, b"a")


@pytest.mark.parametrize(
    ("lines", "start"),
    [
        pytest.param([], b"HTTP/1.1 200 OK", id="no stated length"),
        pytest.param([b"Content-Length: 1", b"Content-Length: 1"], b"HTTP/1.1 200 OK", id="a field twice"),
        pytest.param([b"Content-Length: +1"], b"HTTP/1.1 200 OK", id="no number"),
        pytest.param([b"Content-Length: 1", b"Transfer-Encoding: chunked"], b"HTTP/1.1 200 OK", id="chunks"),
        pytest.param([b"Content-Length: 1", b"Upgrade: h2"], b"HTTP/1.1 200 OK", id="an upgrade"),
        pytest.param([b"Content-Length: 1", b"Connection: close"], b"HTTP/1.1 200 OK", id="the connection closes"),
        pytest.param([b"Content-Length: 1", b" folded"], b"HTTP/1.1 200 OK", id="a fold"),
        pytest.param([b"Content-Length: 1", b"X : 1"], b"HTTP/1.1 200 OK", id="white space before a colon"),
        pytest.param([b"Content-Length: 1", b"X: \0"], b"HTTP/1.1 200 OK", id="a control byte"),
        pytest.param([b"Content-Length: 1", *[b"X-%d: 1" % n for n in range(4)]], b"HTTP/1.1 200 OK", id="many fields"),
        pytest.param([b"Content-Length: 1", b"X: " + b"a" * 2048], b"HTTP/1.1 200 OK", id="too large"),
        pytest.param([b"Content-Length: 1"], b"HTTP/1.0 200 OK", id="another version"),
        pytest.param([b"Content-Length: 1"], b"HTTP/1.1 103 Early", id="an interim one"),
        pytest.param([b"Content-Length: 1"], b"HTTP/1.1 304 N", id="without content"),
        pytest.param([b"Content-Length: 1"], b"HTTP/1.1 200", id="no space after the status"),
    ],
)
def test_what_is_unusual_is_not_read_here(lines, start):
    assert read(*lines, start=start) is None


def test_a_connection_that_is_kept_alive_is_usual():
    assert read(b"Content-Length: 0", b"Connection: keep-alive") is not None


def test_what_was_read_is_remembered_but_for_what_is_one_answers_or_long():
    known = ReplyLines()
    for line in (b"Server: x", *(name + b": 1" for name in sorted(FRESH)), b"Long: " + b"x" * LONGEST_LINE):
        assert known[line][0] == line.partition(b":")[0].lower()
    assert set(known) == {b"Server: x"}
    assert {b"set-cookie", b"date", b"etag", b"content-length"} < FRESH
    for number in range(MOST_LINES):
        known[b"X: %d" % number]
    assert len(known) == 1


NAMES = st.sampled_from(
    [
        b"Content-Length",
        b"content-length",
        b"Transfer-Encoding",
        b"Connection",
        b"X",
        b"x-y",
        b"X_Y",
        b"",
        b"X ",
        b"\xe9",
    ]
)
VALUES = st.binary(max_size=6).map(lambda octets: octets.replace(b"\r\n", b"")) | st.sampled_from(
    [b"1", b" 7\t", b"0x1", b"chunked", b"close", b"keep-alive", b"upgrade"]
)
LINES = st.lists(st.builds(lambda name, value: name + b":" + value, NAMES, VALUES), max_size=4)
STARTS = st.sampled_from(
    [b"HTTP/1.1 200 OK", b"HTTP/1.1 404 ", b"HTTP/1.1 204 N", b"HTTP/1.0 200 OK", b"HTTP/1.1 2000 O"]
)


@given(LINES, STARTS)
def test_what_is_read_here_is_read_in_the_same_way_by_the_strict_reader(lines, start):
    octets, known = head(b"Content-Length: 3", *lines, start=start), ReplyLines()
    quick = plain_reply(octets, LIMITS, known)
    assert quick == plain_reply(octets, LIMITS, known)
    if quick is None:
        return
    response, length = quick
    strict = read_head(octets, LIMITS)
    assert response == strict
    assert {name: response.headers.get_all(name) for name in strict.headers.names()} == {
        name: strict.headers.get_all(name) for name in strict.headers.names()
    }
    assert response_framing(strict.headers, strict.version) == Framing(length)
    assert persists(connection_options(strict.headers), strict.version)


@given(LINES, STARTS)
def test_what_the_strict_reader_refuses_is_not_read_here(lines, start):
    octets = head(b"Content-Length: 3", *lines, start=start)
    try:
        response_framing(read_head(octets, LIMITS).headers, (1, 1))
    except MessageError:
        assert plain_reply(octets, LIMITS, ReplyLines()) is None
