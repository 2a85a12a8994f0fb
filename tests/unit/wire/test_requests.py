"""Every valid request means the same however its bytes arrive."""

import pytest

from proxy.message.headers import EMPTY, Headers
from proxy.wire import Data, End, Refused, RequestHead, RequestReader, WireLimits
from proxy.wire.plain import FieldLines
from proxy.wire.strictness import METHODS

LIMITS = WireLimits()
V10, V11 = (1, 0), (1, 1)
HOST = (b"Host", b"a.example")


def head(method=b"GET", target=b"/", *lines, version=V11, **rest):
    return RequestHead(method, target, version, Headers(lines or (HOST,)), **rest)


def request(line, *fields, body=b""):
    return b"\r\n".join([line, *fields, b"", body])


H = b"Host: a.example"
CHUNKED = (b"Transfer-Encoding", b"chunked")

VALID = [
    pytest.param(request(b"GET / HTTP/1.1", H), [head(), End()], id="the smallest"),
    pytest.param(
        request(b"GET /a?b=c&d?e HTTP/1.1", H), [head(b"GET", b"/a?b=c&d?e"), End()], id="a query with a question mark"
    ),
    pytest.param(request(b"GET /a? HTTP/1.1", H), [head(b"GET", b"/a?"), End()], id="an empty query is kept"),
    pytest.param(request(b"GET //x/../%2e%zz HTTP/1.1", H), [head(b"GET", b"//x/../%2e%zz"), End()], id="a target is kept as sent"),
    pytest.param(request(b'GET /a|b{}"<>^`\\ HTTP/1.1', H), [head(b"GET", b'/a|b{}"<>^`\\'), End()], id="characters no URI has"),
    pytest.param(request(b"GET /caf\xe9 HTTP/1.1", H), [head(b"GET", b"/caf\xe9"), End()], id="eight-bit target"),
    pytest.param(b"\r\n\r\n" + request(b"GET / HTTP/1.1", H), [head(), End()], id="empty lines before the request line"),
    pytest.param(
        request(b"GET / HTTP/1.1", b"hOSt:a.example", b"X-A:  b \t", b"x-a: c", b"X-Empty:", b"X-Blank: \t ", b"X-O: \xc3\xa9\xff"),
        [
            head(b"GET", b"/", (b"hOSt", b"a.example"), (b"X-A", b"b"), (b"x-a", b"c"), (b"X-Empty", b""), (b"X-Blank", b""), (b"X-O", b"\xc3\xa9\xff")),
            End(),
        ],
        id="names keep their case, values lose outer white space only, obs-text stays",
    ),
    pytest.param(
        request(b"GET / HTTP/1.1", H, b"!#$%&'*+-.^_`|~9z: 1"), [head(b"GET", b"/", HOST, (b"!#$%&'*+-.^_`|~9z", b"1")), End()], id="every character of a token"
    ),
    pytest.param(
        request(b"GET / HTTP/1.1", b"Connection:", b"Upgrade:", H), [head(b"GET", b"/", (b"Connection", b""), (b"Upgrade", b""), HOST), End()], id="empty Connection"
    ),
    pytest.param(
        request(b"POST / HTTP/1.1", H, b"Content-Length: 5", body=b"he\r\n\0"),
        [head(b"POST", b"/", HOST, (b"Content-Length", b"5"), length=5), Data(b"he\r\n\0"), End()],
        id="content of a stated length",
    ),
    pytest.param(
        request(b"POST / HTTP/1.1", H, b"Content-Length: 0"), [head(b"POST", b"/", HOST, (b"Content-Length", b"0")), End()], id="no content, stated"
    ),
    pytest.param(
        request(b"POST / HTTP/1.1", H, b"Content-Length: 003", body=b"abc"),
        [head(b"POST", b"/", HOST, (b"Content-Length", b"003"), length=3), Data(b"abc"), End()],
        id="leading zeros",
    ),
    pytest.param(
        request(b"POST / HTTP/1.1", H, b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\n0\r\n\r\n"),
        [head(b"POST", b"/", HOST, CHUNKED, length=None, chunked=True), Data(b"abc"), End()],
        id="chunked",
    ),
    pytest.param(
        request(b"POST / HTTP/1.1", H, b"Transfer-Encoding:\tChunked ", body=b'00a;x="\xe9;y";z\r\nabc\r\nefghi\r\n1 ;q\r\nZ\r\n0;end\r\nX-Sum: 7\r\nHost: evil\r\nx-sum:8 \r\n\r\n'),
        [
            head(b"POST", b"/", HOST, (b"Transfer-Encoding", b"Chunked"), length=None, chunked=True),
            Data(b"abc\r\nefghiZ"),
            End(Headers([(b"X-Sum", b"7"), (b"x-sum", b"8")])),
        ],
        id="chunks with extensions and trailers, a forbidden one dropped",
    ),
    pytest.param(
        request(b"PUT / HTTP/1.1", H, b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        [head(b"PUT", b"/", HOST, CHUNKED, length=None, chunked=True), End()],
        id="chunked and empty",
    ),
    pytest.param(
        request(b"POST / HTTP/1.1", H, b"Content-Length: 1", b"Expect: 100-Continue", body=b"x"),
        [head(b"POST", b"/", HOST, (b"Content-Length", b"1"), (b"Expect", b"100-Continue"), length=1, expect_continue=True), Data(b"x"), End()],
        id="expects 100",
    ),
    pytest.param(
        request(b"GET / HTTP/1.1", H, b"Expect: 100-continue"), [head(b"GET", b"/", HOST, (b"Expect", b"100-continue")), End()], id="expects 100 without a body"
    ),
    pytest.param(request(b"OPTIONS * HTTP/1.1", H), [head(b"OPTIONS", b"*"), End()], id="asterisk-form"),
    pytest.param(request(b"OPTIONS http://a.example HTTP/1.1", H), [head(b"OPTIONS", b"*"), End()], id="asterisk-form through a proxy"),
    pytest.param(request(b"GET http://A.example:80/x?y HTTP/1.1", H), [head(b"GET", b"/x?y"), End()], id="absolute-form of the same authority"),
    pytest.param(request(b"GET HTTPS://a.example?y HTTP/1.1", H), [head(b"GET", b"/?y"), End()], id="absolute-form without a path"),
    pytest.param(request(b"GET http://a.example/\xe9 HTTP/1.1", H), [head(b"GET", b"/\xe9"), End()], id="absolute-form, eight-bit"),
    pytest.param(
        request(b"GET / HTTP/1.1", b"Host: [2001:db8::1]:8080"), [head(b"GET", b"/", (b"Host", b"[2001:db8::1]:8080")), End()], id="an IPv6 host"
    ),
    pytest.param(
        request(b"GET / HTTP/1.1", H, b"Connection: keep-alive, TE", b"TE: trailers"),
        [head(b"GET", b"/", HOST, (b"Connection", b"keep-alive, TE"), (b"TE", b"trailers")), End()],
        id="connection options",
    ),
    pytest.param(
        request(b"GET / HTTP/1.1", H, b"Upgrade: websocket"), [head(b"GET", b"/", HOST, (b"Upgrade", b"websocket")), End()], id="Upgrade without its connection option"
    ),
    pytest.param(
        request(b"POST / HTTP/1.1", H, b"Upgrade: h2c", b"Connection: upgrade", b"Content-Length: 1", body=b"x"),
        [head(b"POST", b"/", HOST, (b"Upgrade", b"h2c"), (b"Connection", b"upgrade"), (b"Content-Length", b"1"), length=1), Data(b"x"), End()],
        id="h2c is not upgraded to",
    ),
    pytest.param(
        request(b"GET / HTTP/1.0", b"Connection: Keep-Alive"), [head(b"GET", b"/", (b"Connection", b"Keep-Alive"), version=V10), End()], id="HTTP/1.0 keeping alive"
    ),
    pytest.param(
        request(b"GET / HTTP/1.0", b"Connection: keep-alive, upgrade", b"Upgrade: websocket", b"Expect: 100-continue", b"Content-Length: 1", body=b"x"),
        [
            head(
                b"GET", b"/", (b"Connection", b"keep-alive, upgrade"), (b"Upgrade", b"websocket"), (b"Expect", b"100-continue"), (b"Content-Length", b"1"),
                version=V10, length=1,
            ),
            Data(b"x"),
            End(),
        ],
        id="HTTP/1.0 knows no upgrade and no 100",
    ),
]  # fmt: skip

LAST = [
    pytest.param(request(b"GET / HTTP/1.1", H, b"Connection: close"), [head(b"GET", b"/", HOST, (b"Connection", b"close"), keep_alive=False), End()], id="close"),
    pytest.param(
        request(b"POST / HTTP/1.1", H, b"Connection: keep-alive, Close", b"Content-Length: 1", body=b"x"),
        [head(b"POST", b"/", HOST, (b"Connection", b"keep-alive, Close"), (b"Content-Length", b"1"), length=1, keep_alive=False), Data(b"x"), End()],
        id="close with a body",
    ),
    pytest.param(request(b"GET / HTTP/1.0"), [RequestHead(b"GET", b"/", V10, EMPTY, keep_alive=False), End()], id="HTTP/1.0, nothing else"),
]  # fmt: skip


KNOWN = FieldLines()
"""Shared by all readers here, so that each line is read anew once and remembered ever after."""


def read(pieces, limits=LIMITS, known=KNOWN):
    reader = RequestReader(limits, known)
    return [event for piece in pieces for event in reader.feed(piece)]


@pytest.mark.parametrize(("data", "expected"), [*VALID, *LAST])
def test_what_was_read_before_means_the_same(data, expected, merged):
    assert merged(read([data], known=None)) == expected
    for _ in range(2):
        assert merged(read([data])) == expected


@pytest.mark.parametrize(("data", "expected"), [*VALID, *LAST])
def test_a_request_means_the_same_however_it_is_cut(data, expected, cuts, merged):
    for pieces in cuts(data):
        assert merged(read(pieces)) == expected, pieces


@pytest.mark.parametrize(("data", "expected"), VALID)
def test_a_request_means_the_same_before_and_after_itself(data, expected, merged):
    assert merged(read([data * 3])) == expected * 3
    for position in range(len(data)):
        assert merged(read([data + data[:position], data[position:] + data])) == expected * 3


def test_all_valid_requests_in_one_stream(cuts, merged):
    data = b"".join(param.values[0] for param in VALID)
    expected = [event for param in VALID for event in param.values[1]]
    for pieces in (
        [data],
        [data[i : i + 1] for i in range(len(data))],
        [data[i : i + 7] for i in range(0, len(data), 7)],
    ):
        assert merged(read(pieces)) == expected


@pytest.mark.parametrize(("data", "expected"), LAST)
def test_after_a_closing_request_nothing_is_read(data, expected, cuts, merged):
    more = request(b"GET /smuggled HTTP/1.1", H)
    reader = RequestReader(LIMITS)
    assert merged(reader.feed(data + more)) == expected
    assert reader.closed
    assert reader.feed(more) == []
    assert reader.held == 0


@pytest.mark.parametrize("method", sorted(METHODS), ids=bytes.decode)
def test_llhttp_knows_each_method_of_the_table(method):
    target = b"a.example:443" if method == b"CONNECT" else b"/"
    events = read([request(method + b" " + target + b" HTTP/1.1", H)])
    assert events[0] == head(method, target, upgrade=method == b"CONNECT")


UPGRADE = request(b"GET /ws HTTP/1.1", H, b"Connection: Upgrade", b"Upgrade: websocket")
UPGRADE_HEAD = head(b"GET", b"/ws", HOST, (b"Connection", b"Upgrade"), (b"Upgrade", b"websocket"), upgrade=True)


def test_bytes_after_an_upgrade_head_are_kept_for_the_tunnel(cuts):
    for pieces in cuts(UPGRADE + b"\x81\x05hello"):
        reader = RequestReader(LIMITS)
        assert [event for piece in pieces for event in reader.feed(piece)] == [UPGRADE_HEAD, End()]
        assert reader.leftover == b"\x81\x05hello"
        assert reader.held == 7


def test_a_refused_upgrade_makes_them_the_next_request(cuts):
    for pieces in cuts(UPGRADE + request(b"GET /next HTTP/1.1", H)):
        reader = RequestReader(LIMITS)
        for piece in pieces:
            reader.feed(piece)
        assert reader.resume() == [head(b"GET", b"/next"), End()]
        assert reader.leftover == b""


def test_a_refused_upgrade_that_closes_ends_there():
    reader = RequestReader(LIMITS)
    reader.feed(
        UPGRADE.replace(b"Connection: Upgrade", b"Connection: Upgrade, close") + request(b"GET /next HTTP/1.1", H)
    )
    assert reader.resume() == []
    assert reader.closed


def test_reading_stops_after_the_heads_asked_for_and_goes_on_later():
    reader = RequestReader(LIMITS)
    one = request(b"GET / HTTP/1.1", H)
    assert reader.feed(one * 5, 2) == [head(), End()] * 2
    assert reader.in_head
    assert reader.held == 3 * len(one)
    assert reader.feed(b"", 0) == []
    assert reader.feed(one, 9) == [head(), End()] * 4
    assert not reader.in_head


def test_events_before_a_refused_request_are_delivered(cuts, merged):
    data = request(b"POST / HTTP/1.1", H, b"Content-Length: 2", body=b"ok") + b"BAD\r\n\r\n"
    for pieces in cuts(data):
        *before, last = merged(read(pieces))
        assert before == [head(b"POST", b"/", HOST, (b"Content-Length", b"2"), length=2), Data(b"ok"), End()]
        assert isinstance(last, Refused)
        assert last.error.status == 400


def test_content_before_a_broken_chunk_is_delivered():
    events = read([request(b"POST / HTTP/1.1", H, b"Transfer-Encoding: chunked", body=b"2\r\nok\r\nx\r\n")])
    assert events[1] == Data(b"ok")
    assert isinstance(events[2], Refused)


def test_a_long_body_is_counted_exactly(merged):
    reader = RequestReader(LIMITS)
    size = 1 << 40
    reader.feed(request(b"PUT / HTTP/1.1", H, b"Content-Length: %d" % size))
    block = bytes(1 << 20)
    for _ in range(64):
        (event,) = reader.feed(block)
        assert event.data is block  # no copy
    assert reader.held == 0
