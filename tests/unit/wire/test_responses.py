"""Every valid response means the same however its bytes arrive; what is none is 502."""

import pytest

from proxy.message.headers import EMPTY, Headers
from proxy.message.response import Response
from proxy.wire import BrokenResponseError, Data, End, Head, Interim, ResponseReader, Switched, WireLimits

LIMITS = WireLimits(head=2048, fields=20)
V10 = (1, 0)


def response(line, *fields, body=b""):
    return b"\r\n".join([line, *fields, b"", body])


def res(status, *fields, reason=b"", version=(1, 1)):
    return Response(status, Headers(fields), reason, version)


def cl(length):
    return (b"Content-Length", str(length).encode())


CHUNKED = (b"Transfer-Encoding", b"chunked")
OK = b"HTTP/1.1 200 OK"

VALID = [  # name, method, bytes, events, keep_alive
    ("stated length", b"GET", response(OK, b"Content-Length: 2", body=b"\r\n"), [Head(res(200, cl(2), reason=b"OK"), 2, True), Data(b"\r\n"), End()], True),
    ("stated length 0", b"GET", response(OK, b"Content-Length: 0"), [Head(res(200, cl(0), reason=b"OK"), 0, False), End()], True),
    (
        "chunked with trailers", b"GET", response(OK, b"Transfer-Encoding: chunked", body=b"1;x\r\na\r\n1\r\nb\r\n0\r\nX-T: 1\r\nSet-Cookie: x\r\n\r\n"),
        [Head(res(200, CHUNKED, reason=b"OK"), None, True), Data(b"ab"), End(Headers([(b"X-T", b"1")]))], True,
    ),
    ("chunked and empty", b"GET", response(OK, b"Transfer-Encoding: CHUNKED", body=b"0\r\n\r\n"), [Head(res(200, (CHUNKED[0], b"CHUNKED"), reason=b"OK"), None, True), End()], True),
    ("closing", b"GET", response(OK, b"Connection: close", b"Content-Length: 1", body=b"x"), [Head(res(200, (b"Connection", b"close"), cl(1), reason=b"OK"), 1, True), Data(b"x"), End()], False),
    ("HTTP/1.0", b"GET", response(b"HTTP/1.0 200 OK", b"Content-Length: 1", body=b"x"), [Head(res(200, cl(1), reason=b"OK", version=V10), 1, True), Data(b"x"), End()], False),
    (
        "HTTP/1.0 keeping alive", b"GET", response(b"HTTP/1.0 200 OK", b"Connection: keep-alive", b"Content-Length: 1", body=b"x"),
        [Head(res(200, (b"Connection", b"keep-alive"), cl(1), reason=b"OK", version=V10), 1, True), Data(b"x"), End()], True,
    ),
    ("HEAD with a length", b"HEAD", response(OK, b"Content-Length: 5"), [Head(res(200, cl(5), reason=b"OK"), 5, False), End()], True),
    ("HEAD with chunks announced", b"HEAD", response(OK, b"Transfer-Encoding: chunked"), [Head(res(200, CHUNKED, reason=b"OK"), None, False), End()], True),
    ("HEAD without framing", b"HEAD", response(OK), [Head(res(200, reason=b"OK"), None, False), End()], True),
    ("204 whatever it says", b"GET", response(b"HTTP/1.1 204 No", b"Content-Length: 5"), [Head(res(204, cl(5), reason=b"No"), 5, False), End()], False),
    ("204 that says 0", b"GET", response(b"HTTP/1.1 204 No", b"Content-Length: 0"), [Head(res(204, cl(0), reason=b"No"), 0, False), End()], True),
    ("204 that announces chunks", b"GET", response(b"HTTP/1.1 204 No", b"Transfer-Encoding: chunked"), [Head(res(204, CHUNKED, reason=b"No"), None, False), End()], False),
    ("304 with a length", b"GET", response(b"HTTP/1.1 304 N", b"Content-Length: 5", b'ETag: "\xe9"'), [Head(res(304, cl(5), (b"ETag", b'"\xe9"'), reason=b"N"), 5, False), End()], True),
    ("304 with chunks announced", b"GET", response(b"HTTP/1.1 304 N", b"Transfer-Encoding: chunked"), [Head(res(304, CHUNKED, reason=b"N"), None, False), End()], True),
    ("no reason", b"GET", response(b"HTTP/1.1 200 ", b"Content-Length: 0"), [Head(res(200, cl(0)), 0, False), End()], True),
    ("no reason and no space", b"GET", response(b"HTTP/1.1 200", b"Content-Length: 0"), [Head(res(200, cl(0)), 0, False), End()], True),
    ("a reason beyond ASCII", b"GET", response(b"HTTP/1.1 200 \xc3\xa9\t!", b"Content-Length: 0"), [Head(res(200, cl(0), reason=b"\xc3\xa9\t!"), 0, False), End()], True),
    ("status 999", b"GET", response(b"HTTP/1.1 999 X", b"Content-Length: 0"), [Head(res(999, cl(0), reason=b"X"), 0, False), End()], True),
    ("status 205 has framing", b"GET", response(b"HTTP/1.1 205 R", b"Content-Length: 0"), [Head(res(205, cl(0), reason=b"R"), 0, False), End()], True),
    (
        "103 before 200", b"GET", response(b"HTTP/1.1 103 Early Hints", b"Link: </a>") + response(b"HTTP/1.1 100 C", b"Content-Length: 4") + response(OK, b"Content-Length: 0"),
        [Interim(res(103, (b"Link", b"</a>"), reason=b"Early Hints")), Interim(res(100, cl(4), reason=b"C")), Head(res(200, cl(0), reason=b"OK"), 0, False), End()], True,
    ),
    ("status 199", b"GET", response(b"HTTP/1.1 199 X") + response(OK, b"Content-Length: 0"), [Interim(res(199, reason=b"X")), Head(res(200, cl(0), reason=b"OK"), 0, False), End()], True),
    (
        "two cookies, odd case and white space", b"GET", response(OK, b"set-COOKIE:a=1  ", b"Set-Cookie: \tb=2", b"Content-Length: 0"),
        [Head(res(200, (b"set-COOKIE", b"a=1"), (b"Set-Cookie", b"b=2"), cl(0), reason=b"OK"), 0, False), End()], True,
    ),
    (
        "an upgrade offered on 200", b"GET", response(OK, b"Upgrade: h2", b"Connection: Upgrade", b"Content-Length: 1", body=b"x"),
        [Head(res(200, (b"Upgrade", b"h2"), (b"Connection", b"Upgrade"), cl(1), reason=b"OK"), 1, True), Data(b"x"), End()], True,
    ),
]  # fmt: skip
ROWS = [pytest.param(*row[1:], id=row[0]) for row in VALID]


@pytest.mark.parametrize(("method", "data", "expected", "keep_alive"), ROWS)
def test_a_response_means_the_same_however_it_is_cut(method, data, expected, keep_alive, cuts, merged):
    for pieces in cuts(data):
        reader = ResponseReader(LIMITS)
        assert reader.idle
        reader.expect(method)
        assert not reader.idle
        assert merged([event for piece in pieces for event in reader.feed(piece)]) == expected
        assert reader.idle
        assert reader.keep_alive is keep_alive


@pytest.mark.parametrize(("method", "data", "expected", "keep_alive"), ROWS)
def test_what_is_taken_at_once_is_what_is_read_with_care(method, data, expected, keep_alive):
    reader = ResponseReader(LIMITS)
    reader.expect(method)
    if (taken := reader.whole(data)) is None:
        assert not reader.idle
        assert reader.feed(data) == expected
        return
    response, content = taken
    assert [Head(response, len(content), len(content) > 0), *([Data(content)] if content else []), End()] == expected
    assert reader.idle
    assert reader.keep_alive is keep_alive is True


def test_the_usual_answer_is_taken_at_once_and_only_as_a_whole():
    data = response(OK, b"Content-Length: 2", body=b"ok")
    reader = ResponseReader(LIMITS)
    assert reader.whole(data) is None, "no request is outstanding"
    for method in (b"GET", b"HEAD"):
        reader.expect(method)
        assert all(reader.whole(data[:end]) is None for end in range(len(data)))
        assert reader.whole(data + b"x") is None
        assert (reader.whole(data) is not None) is (method == b"GET")
    assert ResponseReader(LIMITS).whole(data) is None
    begun = ResponseReader(LIMITS)
    begun.expect(b"GET")
    begun.feed(data[:9])
    assert begun.whole(data) is None, "it is the rest of something"
    begun.feed(data[9:-1])
    assert begun.whole(data) is None, "it is content"


def test_one_connection_carries_them_one_after_the_other(cuts, merged):
    reader = ResponseReader(LIMITS)
    for _, method, data, expected, keep_alive in VALID * 2:
        if keep_alive:
            reader.expect(method)
            middle = len(data) // 2
            assert merged(reader.feed(data[:middle]) + reader.feed(data[middle:])) == expected


@pytest.mark.parametrize("line", [b"HTTP/1.1 200 OK", b"HTTP/1.0 200 OK\r\nConnection: keep-alive"])
def test_without_framing_the_close_is_the_end(line, cuts, merged):
    for pieces in cuts(response(line, body=b"until the end\r\n\r\n")):
        reader = ResponseReader(LIMITS)
        reader.expect(b"GET")
        events = [event for piece in pieces for event in reader.feed(piece)]
        assert not reader.idle
        head, data, end = merged([*events, *reader.feed_eof()])
        assert (head.length, head.has_body) == (None, True)
        assert data == Data(b"until the end\r\n\r\n")
        assert end == End()
        assert reader.idle
        assert not reader.keep_alive


BROKEN = [
    ("both framings", response(OK, b"Content-Length: 1", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n")),
    ("two lengths", response(OK, b"Content-Length: 1", b"Content-Length: 2")),
    ("two equal lengths", response(OK, b"Content-Length: 1", b"Content-Length: 1")),
    ("a list of lengths", response(OK, b"Content-Length: 1, 1")),
    ("no length", response(OK, b"Content-Length: x")),
    ("a length with a plus", response(OK, b"Content-Length: +1")),
    ("a negative length", response(OK, b"Content-Length: -1")),
    ("an empty length", response(OK, b"Content-Length:")),
    ("a coding that is not chunked", response(OK, b"Transfer-Encoding: gzip")),
    ("a coding before chunked", response(OK, b"Transfer-Encoding: gzip, chunked")),
    ("chunked twice", response(OK, b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked")),
    ("chunks in HTTP/1.0", response(b"HTTP/1.0 200 OK", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n")),
    ("a bad chunk size", response(OK, b"Transfer-Encoding: chunked", body=b"z\r\n")),
    ("chunk data too long", response(OK, b"Transfer-Encoding: chunked", body=b"1\r\nab\r\n0\r\n\r\n")),
    ("an endless trailer", response(OK, b"Transfer-Encoding: chunked", body=b"0\r\nX: " + b"a" * 3000)),
    ("bare LF", b"HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
    ("bare LF in one line", b"HTTP/1.1 200 OK\r\nA: b\nContent-Length: 0\r\n\r\n"),
    ("bare CR", b"HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n"),
    ("obs-fold", response(OK, b"A: b\r\n c", b"Content-Length: 0")),
    ("space before the colon", response(OK, b"Content-Length : 0")),
    ("NUL in a value", response(OK, b"A: \0")),
    ("a control byte in a value", response(OK, b"A: \x1b[2J")),
    ("a control byte in the reason", response(b"HTTP/1.1 200 \x07")),
    ("a line without a colon", response(OK, b"A")),
    ("an empty name", response(OK, b": a")),
    ("a head too large", response(OK, b"A: " + b"a" * 2100)),
    ("a head that never ends", b"HTTP/1.1 200 OK\r\nA: " + b"a" * 2100),
    ("too many fields", response(OK, *[b"A: b"] * 21)),
    ("HTTP/2", response(b"HTTP/2 200")),
    ("HTTP/1.2", response(b"HTTP/1.2 200 OK")),
    ("ICY", response(b"ICY 200 OK")),
    ("lower case", response(b"http/1.1 200 OK")),
    ("status 99", response(b"HTTP/1.1 099 X")),
    ("status of four digits", response(b"HTTP/1.1 2000 X")),
    ("status of two digits", response(b"HTTP/1.1 20 X")),
    ("a leading empty line", b"\r\n" + response(OK, b"Content-Length: 0")),
    ("SSH", b"SSH-2.0-OpenSSH_9.6\r\n"),
    ("101 that nobody asked for", response(b"HTTP/1.1 101 S", b"Connection: upgrade", b"Upgrade: x")),
    ("an endless row of 1xx", response(b"HTTP/1.1 103 E") * 33),
]


@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in BROKEN])
def test_what_is_no_response_is_502_however_it_arrives(data):
    for pieces in ([data], [data[i : i + 1] for i in range(len(data))], [data[:20], data[20:]]):
        reader = ResponseReader(LIMITS)
        reader.expect(b"GET")
        assert reader.whole(data) is None
        with pytest.raises(BrokenResponseError) as broken:  # noqa: PT012 - any of the pieces may be the one
            for piece in pieces:
                reader.feed(piece)
        assert broken.value.status == 502
        assert not reader.keep_alive


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing at all"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", id="half a head"),
        pytest.param(response(b"HTTP/1.1 103 E"), id="only an interim one"),
        pytest.param(response(OK, b"Content-Length: 3", body=b"ab"), id="short of its length"),
        pytest.param(response(OK, b"Transfer-Encoding: chunked", body=b"2\r\nab\r\n"), id="no last chunk"),
        pytest.param(response(OK, b"Transfer-Encoding: chunked", body=b"0\r\n"), id="no end of trailers"),
    ],
)
def test_an_early_end_is_502(data):
    reader = ResponseReader(LIMITS)
    reader.expect(b"GET")
    reader.feed(data)
    with pytest.raises(BrokenResponseError) as broken:
        reader.feed_eof()
    assert broken.value.status == 502


def test_an_end_between_responses_is_none():
    reader = ResponseReader(LIMITS)
    assert reader.feed_eof() == []
    assert not reader.keep_alive


def test_bytes_while_idle_are_an_error():
    reader = ResponseReader(LIMITS)
    with pytest.raises(BrokenResponseError):
        reader.feed(b"HTTP/1.1 200 OK\r\n")
    assert not reader.keep_alive


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(response(OK, b"Content-Length: 2", body=b"abc"), id="beyond its length"),
        pytest.param(
            response(OK, b"Transfer-Encoding: chunked", body=b"0\r\nA: b\r\n\r\nHTTP/1.1"), id="beyond its last chunk"
        ),
        pytest.param(response(b"HTTP/1.1 304 N", body=b"abc"), id="a body where none may be"),
    ],
)
def test_bytes_beyond_the_end_are_told_and_the_connection_is_lost(data):
    reader = ResponseReader(LIMITS)
    reader.expect(b"GET")
    *_, end = reader.feed(data)
    assert end.overrun
    assert not reader.keep_alive
    assert reader.idle
    assert (end.trailers == EMPTY) is (b"A: b" not in data)


def test_content_before_the_break_is_told():
    reader = ResponseReader(LIMITS)
    reader.expect(b"GET")
    with pytest.raises(BrokenResponseError) as broken:
        reader.feed(response(OK, b"Transfer-Encoding: chunked", body=b"2\r\nab\r\n!\n"))
    head, data = broken.value.events
    assert head.has_body
    assert data == Data(b"ab")


def test_bytes_after_101_are_for_the_tunnel(cuts):
    switch = response(b"HTTP/1.1 103 E") + response(b"HTTP/1.1 101 S", b"Connection: upgrade", b"Upgrade: websocket")
    for pieces in cuts(switch + b"\x81\x02hi"):
        reader = ResponseReader(LIMITS)
        reader.expect(b"GET", upgrade=True)
        interim, switched = [event for piece in pieces for event in reader.feed(piece)]
        assert interim == Interim(res(103, reason=b"E"))
        assert switched == Switched(res(101, (b"Connection", b"upgrade"), (b"Upgrade", b"websocket"), reason=b"S"))
        assert reader.leftover == b"\x81\x02hi"
        assert reader.feed_eof() == []


def test_2xx_to_connect_is_a_tunnel_and_others_are_not():
    reader = ResponseReader(LIMITS)
    reader.expect(b"CONNECT")
    head, end = reader.feed(response(b"HTTP/1.1 403 F", b"Content-Length: 0"))
    assert (head.response.status, end) == (403, End())
    reader.expect(b"CONNECT")
    (switched,) = reader.feed(response(b"HTTP/1.1 200 OK", b"Content-Length: 9", body=b"raw"))
    assert switched.response.status == 200
    assert reader.leftover == b"raw"
