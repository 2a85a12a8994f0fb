"""What is no request is refused with a status, and nothing after it is ever read."""

import pytest

from proxy.wire import Data, End, Refused, RequestHead, RequestReader, WireLimits
from proxy.wire.plain import FieldLines

LIMITS = WireLimits(head=2048, fields=20, target=200)


def lines(*each):
    return b"\r\n".join([*each, b"", b""])


def get(*fields):
    return lines(b"GET / HTTP/1.1", b"Host: a", *fields)


def post(*fields, body=b""):
    return lines(b"POST / HTTP/1.1", b"Host: a", *fields) + body


def chunked(body):
    return post(b"Transfer-Encoding: chunked", body=body)


CORPUS = [
    # framing
    ("both framings", post(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"), 400),
    ("both framings, the other way round", post(b"Transfer-Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n"), 400),
    ("both framings, length 0", post(b"Content-Length: 0", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"), 400),
    ("chunked in HTTP/1.0", lines(b"POST / HTTP/1.0", b"Transfer-Encoding: chunked") + b"0\r\n\r\n", 400),
    ("two equal lengths", post(b"Content-Length: 1", b"Content-Length: 1", body=b"x"), 400),
    ("two lengths", post(b"Content-Length: 1", b"Content-Length: 2", body=b"xx"), 400),
    ("a list of equal lengths", post(b"Content-Length: 5, 5"), 400),
    ("a list of lengths", post(b"Content-Length: 5, 6"), 400),
    ("a length with a plus", post(b"Content-Length: +5"), 400),
    ("a negative length", post(b"Content-Length: -5"), 400),
    ("a hexadecimal length", post(b"Content-Length: 0x5"), 400),
    ("a length with an underscore", post(b"Content-Length: 1_0"), 400),
    ("a length with a space", post(b"Content-Length: 1 0"), 400),
    ("an empty length", post(b"Content-Length:"), 400),
    ("a length in other digits", post(b"Content-Length: \xd9\xa5"), 400),
    ("a length beyond any integer", post(b"Content-Length: 99999999999999999999"), 400),
    ("a decimal length", post(b"Content-Length: 5.0"), 400),
    ("chunked is not last", post(b"Transfer-Encoding: chunked, gzip"), 400),
    ("no chunked at all", post(b"Transfer-Encoding: gzip"), 400),
    ("chunked twice", post(b"Transfer-Encoding: chunked, chunked"), 400),
    ("chunked twice on two lines", post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"), 400),
    ("an empty Transfer-Encoding", post(b"Transfer-Encoding:"), 400),
    ("an unknown coding", post(b"Transfer-Encoding: xchunked"), 501),
    ("identity", post(b"Transfer-Encoding: identity"), 501),
    ("chunked and identity on two lines", post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"), 501),
    ("a coding before chunked", post(b"Transfer-Encoding: gzip, chunked"), 501),
    ("chunked in quotes", post(b'Transfer-Encoding: "chunked"'), 501),
    ("chunked with a parameter", post(b"Transfer-Encoding: chunked;q=1"), 501),
    ("a vertical tab before chunked", post(b"Transfer-Encoding: \x0bchunked"), 400),
    ("a NUL in chunked", post(b"Transfer-Encoding: chu\0nked"), 400),
    ("space before the colon", post(b"Transfer-Encoding : chunked"), 400),
    ("tab before the colon", post(b"Content-Length\t: 5"), 400),
    ("a folded coding", post(b"Transfer-Encoding:\r\n chunked"), 400),
    ("space before a name", post(b" Transfer-Encoding: chunked"), 400),
    ("space before the first name", lines(b"GET / HTTP/1.1", b" X: y", b"Host: a"), 400),
    ("a bare CR inside a name", post(b"X: y\rTransfer-Encoding: chunked"), 400),
    ("a bare LF before a field", post(b"X: y\nTransfer-Encoding: chunked"), 400),
    ("an upgrade with a body", post(b"Connection: upgrade", b"Upgrade: websocket", b"Content-Length: 1"), 400),
    ("an upgrade with chunks", post(b"Connection: upgrade", b"Upgrade: websocket", b"Transfer-Encoding: chunked"), 400),
    ("CONNECT with a body", lines(b"CONNECT a:443 HTTP/1.1", b"Host: a", b"Content-Length: 1"), 400),
    # chunks
    ("a chunk size with a sign", chunked(b"+3\r\nabc\r\n0\r\n\r\n"), 400),
    ("a chunk size in 0x", chunked(b"0x3\r\nabc\r\n0\r\n\r\n"), 400),
    ("a space before a chunk size", chunked(b" 3\r\nabc\r\n0\r\n\r\n"), 400),
    ("a space after a chunk size", chunked(b"3 \r\nabc\r\n0\r\n\r\n"), 400),
    ("an empty chunk size", chunked(b"\r\nabc\r\n0\r\n\r\n"), 400),
    ("a chunk size beyond any integer", chunked(b"FFFFFFFFFFFFFFFFF\r\nabc\r\n"), 400),
    ("a chunk line ended by LF", chunked(b"3\nabc\r\n0\r\n\r\n"), 400),
    ("a bare LF in an extension", chunked(b"3;a\nb\r\nabc\r\n0\r\n\r\n"), 400),
    ("a bare CR in an extension", chunked(b"3;a\rb\r\nabc\r\n0\r\n\r\n"), 400),
    ("a control byte in an extension", chunked(b"3;a\0\r\nabc\r\n0\r\n\r\n"), 400),
    ("chunk data ended by LF", chunked(b"3\r\nabc\n0\r\n\r\n"), 400),
    ("chunk data too long", chunked(b"3\r\nabcd\r\n0\r\n\r\n"), 400),
    ("an endless chunk line", chunked(b"3;" + b"a" * 2000), 400),
    ("an endless row of extensions", chunked((b"1;" + b"a" * 900 + b"\r\nx\r\n") * 20), 400),
    ("a folded trailer", chunked(b"0\r\nA: b\r\n c\r\n\r\n"), 400),
    ("a trailer with space before its colon", chunked(b"0\r\nA : b\r\n\r\n"), 400),
    ("a trailer ended by LF", chunked(b"0\r\nA: b\n\r\n\r\n"), 400),
    ("a trailer section ended by LF", chunked(b"0\r\nA: b\r\n\n"), 400),
    ("an endless trailer", chunked(b"0\r\nA: " + b"b" * 3000), 431),
    ("too many trailers", chunked(b"0\r\n" + b"A: b\r\n" * 21 + b"\r\n"), 431),
    # lines
    ("bare LF everywhere", b"GET / HTTP/1.1\nHost: a\n\n", 400),
    ("bare LF after the request line", b"GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
    ("bare LF at the end", b"GET / HTTP/1.1\r\nHost: a\r\n\n", 400),
    ("an empty line of LF first", b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("bare CR as line end", b"GET / HTTP/1.1\rHost: a\r\n\r\n", 400),
    ("CR CR LF", b"GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", 400),
    ("obs-fold", get(b"X: a\r\n b"), 400),
    ("obs-fold by tab", get(b"X: a\r\n\tb"), 400),
    ("a line without a colon", get(b"Nonsense"), 400),
    ("an empty name", get(b": x"), 400),
    ("a name with a space", get(b"A B: x"), 400),
    ("a name with a bracket", get(b"A[0]: x"), 400),
    ("a name beyond ASCII", get(b"\xc3\xa9: x"), 400),
    ("NUL in a value", get(b"X: a\0b"), 400),
    ("escape in a value", get(b"X: a\x1bb"), 400),
    ("DEL in a value", get(b"X: a\x7fb"), 400),
    ("TLS on a plain port", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    ("HTTP/0.9", b"GET /\r\n", 400),
    # request line
    ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("HTTP/2.0", lines(b"GET / HTTP/2.0", b"Host: a"), 505),
    ("HTTP/1.2", lines(b"GET / HTTP/1.2", b"Host: a"), 505),
    ("HTTP/0.9 by number", lines(b"GET / HTTP/0.9", b"Host: a"), 505),
    ("HTTP/1.10", lines(b"GET / HTTP/1.10", b"Host: a"), 505),
    ("HTTP/01.1", lines(b"GET / HTTP/01.1", b"Host: a"), 505),
    ("http/1.1", lines(b"GET / http/1.1", b"Host: a"), 400),
    ("no version", lines(b"GET /", b"Host: a"), 400),
    ("another protocol", lines(b"GET / RTSP/1.0", b"Host: a"), 400),
    ("two spaces", lines(b"GET  / HTTP/1.1", b"Host: a"), 400),
    ("a tab", lines(b"GET\t/ HTTP/1.1", b"Host: a"), 400),
    ("a space after the version", lines(b"GET / HTTP/1.1 ", b"Host: a"), 400),
    ("a space before the method", lines(b" GET / HTTP/1.1", b"Host: a"), 400),
    ("a space in the target", lines(b"GET /a b HTTP/1.1", b"Host: a"), 400),
    ("a second version in the target", lines(b"GET /x HTTP/1.1 HTTP/1.1", b"Host: a"), 400),
    ("a fragment", lines(b"GET /a#b HTTP/1.1", b"Host: a"), 400),
    ("a control byte in the target", lines(b"GET /a\x01 HTTP/1.1", b"Host: a"), 400),
    ("DEL in the target", lines(b"GET /a\x7f HTTP/1.1", b"Host: a"), 400),
    ("NUL in the target", lines(b"GET /a\0 HTTP/1.1", b"Host: a"), 400),
    ("a relative target", lines(b"GET a HTTP/1.1", b"Host: a"), 400),
    ("only a query", lines(b"GET ?a HTTP/1.1", b"Host: a"), 400),
    ("* for GET", lines(b"GET * HTTP/1.1", b"Host: a"), 400),
    ("an unknown method", lines(b"BREW / HTTP/1.1", b"Host: a"), 501),
    ("a method in lower case", lines(b"get / HTTP/1.1", b"Host: a"), 501),
    ("a method of RTSP", lines(b"DESCRIBE / HTTP/1.1", b"Host: a"), 501),
    ("a method that is no token", lines(b"G@T / HTTP/1.1", b"Host: a"), 400),
    ("CONNECT without a port", lines(b"CONNECT a HTTP/1.1", b"Host: a"), 400),
    ("CONNECT to a path", lines(b"CONNECT /a HTTP/1.1", b"Host: a"), 400),
    # authority
    ("no Host", lines(b"GET / HTTP/1.1", b"X: y"), 400),
    ("two Hosts", get(b"Host: b"), 400),
    ("the same Host twice", get(b"Host: a"), 400),
    ("an empty Host", lines(b"GET / HTTP/1.1", b"Host:"), 400),
    ("two Hosts in HTTP/1.0", lines(b"GET / HTTP/1.0", b"Host: a", b"Host: b"), 400),
    ("a list of Hosts", lines(b"GET / HTTP/1.1", b"Host: a, b"), 400),
    ("Host with a path", lines(b"GET / HTTP/1.1", b"Host: a/b"), 400),
    ("Host with user information", lines(b"GET / HTTP/1.1", b"Host: u@a"), 400),
    ("Host with a space", lines(b"GET / HTTP/1.1", b"Host: a b"), 400),
    ("Host with a port that is none", lines(b"GET / HTTP/1.1", b"Host: a:b"), 400),
    ("Host with a port too high", lines(b"GET / HTTP/1.1", b"Host: a:65536"), 400),
    ("Host with two ports", lines(b"GET / HTTP/1.1", b"Host: a:80:81"), 400),
    ("Host beyond ASCII", lines(b"GET / HTTP/1.1", b"Host: \xe9"), 400),
    ("Host with an open bracket", lines(b"GET / HTTP/1.1", b"Host: [::1"), 400),
    ("Host longer than any name", lines(b"GET / HTTP/1.1", b"Host: " + b"a" * 300), 400),
    ("another authority", lines(b"GET http://b/ HTTP/1.1", b"Host: a"), 400),
    ("the same name at another port", lines(b"GET http://a:81/ HTTP/1.1", b"Host: a"), 400),
    ("the other scheme's port", lines(b"GET https://a:80/ HTTP/1.1", b"Host: a"), 400),
    ("user information in the target", lines(b"GET http://u@a/ HTTP/1.1", b"Host: a"), 400),
    ("another scheme", lines(b"GET ftp://a/ HTTP/1.1", b"Host: a"), 400),
    ("no authority in the target", lines(b"GET http:/// HTTP/1.1", b"Host: a"), 400),
    ("absolute-form without Host", lines(b"GET http://a/ HTTP/1.0"), 400),
    # sizes
    ("a head too large", get(b"X: " + b"a" * 2100), 431),
    ("a head that never ends", b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 2100, 431),
    ("too many fields", get(*[b"X: y"] * 20), 431),
    ("a target too long", lines(b"GET /" + b"a" * 200 + b" HTTP/1.1", b"Host: a"), 414),
    ("a target that never ends", b"GET /" + b"a" * 400, 414),
    ("a target far too long", lines(b"GET /" + b"a" * 400 + b" HTTP/1.1", b"Host: a"), 414),
]  # fmt: skip


KNOWN = FieldLines()


def read(pieces):
    reader = RequestReader(LIMITS, KNOWN)
    return reader, [event for piece in pieces for event in reader.feed(piece)]


@pytest.mark.parametrize(("data", "status"), [pytest.param(data, status, id=name) for name, data, status in CORPUS])
def test_refused_however_it_arrives(data, status):
    smuggled = get(b"X-Smuggled: yes")
    for pieces in (
        [data],
        [data[i : i + 1] for i in range(len(data))],
        [data[: len(data) // 2], data[len(data) // 2 :]],
    ):
        reader, events = read(pieces)
        assert isinstance(events[-1], Refused), (pieces, events)
        assert events[-1].error.status == status
        assert reader.closed
        assert reader.feed(smuggled) == []
        assert not any(isinstance(event, RequestHead) and b"x-smuggled" in event.headers for event in events)


@pytest.mark.parametrize(("data", "status"), [pytest.param(data, status, id=name) for name, data, status in CORPUS])
def test_refused_after_a_good_request_which_comes_out_whole(data, status):
    good = post(b"Content-Length: 2", body=b"ok")
    _, events = read([good + data])
    assert [type(event) for event in events[:3]] == [RequestHead, Data, End]
    assert isinstance(events[-1], Refused)
    assert events[-1].error.status == status


def test_sizes_at_their_limit_are_accepted():
    room = LIMITS.head - len(get(b"X: "))
    for data in (
        get(b"X: " + b"a" * room),
        get(*[b"X: y"] * 19),
        lines(b"GET /" + b"a" * 199 + b" HTTP/1.1", b"Host: a"),
    ):
        _, events = read([data])
        assert [type(event) for event in events] == [RequestHead, End]
        _, events = read([data[i : i + 1] for i in range(len(data))])
        assert [type(event) for event in events] == [RequestHead, End]
