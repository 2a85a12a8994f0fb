"""Answers come in order, framed for whoever asked."""

import asyncio

import pytest
from playfront import Stream, dechunked, get, post
from servers import until

from proxy.message.errors import MessageError
from proxy.message.headers import Headers
from proxy.message.response import Response
from proxy.pipeline.reply import Answer


async def test_answers_keep_the_order_of_their_requests_whatever_they_take(start):
    _, script, connect = await start()
    gate = asyncio.Event()

    @script.page(b"/slow")
    async def slow(request, body, interim):
        await gate.wait()
        return Answer(Response(200), b"slow")

    client = await connect()
    client.send(get(b"/slow") + get(b"/1") + post(b"/2", b"Content-Length: 3", body=b"abc") + get(b"/3"))
    await until(lambda: script.requests)
    gate.set()
    for expected in (b"slow", b"/1", b"/2", b"/3"):
        status, fields, body = await client.answer()
        assert (status, body) == (200, expected)
        assert b"connection" not in fields
        assert fields[b"date"].endswith(b"GMT")
    assert [request.path for request in script.requests] == [b"/slow", b"/1", b"/2", b"/3"]


async def test_only_one_request_of_a_connection_is_in_flight(start):
    _, script, connect = await start()
    inside, most, gate = 0, 0, asyncio.Event()

    @script.page(b"/x")
    async def page(request, body, interim):
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await gate.wait()
        inside -= 1
        return Answer(Response(204))

    client = await connect()
    client.send(get(b"/x") * 10)
    await until(lambda: script.requests)
    gate.set()
    for _ in range(10):
        assert (await client.head())[0] == 204
    assert most == 1


async def test_more_pipelined_requests_than_allowed_are_read_later_and_all_answered(start):
    front, script, connect = await start(pipelined=4)
    gate = asyncio.Event()

    @script.page(b"/first")
    async def first(request, body, interim):
        await gate.wait()
        return Answer(Response(200), b"/first")

    client = await connect()
    client.send(get(b"/first") + b"".join(get(b"/%d" % number) for number in range(500)))
    await until(lambda: script.requests)
    (connection,) = front._open
    assert len(connection._queue) <= 4
    assert not connection._is_reading
    gate.set()
    assert (await client.answer())[2] == b"/first"
    for number in range(500):
        assert (await client.answer())[2] == b"/%d" % number


async def test_a_stream_is_chunked_with_its_trailers_and_each_piece_leaves_at_once(start):
    _, script, connect = await start()
    stream = Stream([b"one", None, b"two" * 50000], trailers=Headers([(b"X-Sum", b"1")]))

    @script.page(b"/")
    async def page(request, body, interim):
        return Answer(
            Response(200, Headers([(b"Trailer", b"X-Sum"), (b"Content-Length", b"5"), (b"Connection", b"x")])), stream
        )

    client = await connect()
    client.send(get(b"/"))
    status, fields = await client.head()
    assert (status, fields[b"transfer-encoding"], fields[b"trailer"]) == (200, b"chunked", b"X-Sum")
    assert not {b"content-length", b"connection"} & set(fields)
    assert await client.exactly(8) == b"3\r\none\r\n"
    stream.gate.set()
    assert await dechunked(client) == (b"two" * 50000, b"X-Sum: 1\r\n")
    client.send(get(b"/again"))
    assert (await client.answer())[2] == b"/again"
    assert stream.closed


async def test_a_stream_of_known_length_has_that_length(start):
    _, script, connect = await start()

    @script.page(b"/")
    async def page(request, body, interim):
        return Answer(Response(200, Headers([(b"Transfer-Encoding", b"chunked")])), Stream([b"ab", b"cd"], length=4))

    client = await connect()
    client.send(get(b"/") * 2)
    for _ in range(2):
        status, fields, body = await client.answer()
        assert (status, body) == (200, b"abcd")
        assert b"transfer-encoding" not in fields


BROKEN = [
    pytest.param([b"ab"], 4, id="short of its length"),
    pytest.param([b"abcdef"], 4, id="beyond its length"),
    pytest.param([b"ab", MessageError("broke off", 502)], 4, id="breaks off"),
    pytest.param([b"ab", MessageError("broke off", 502)], None, id="breaks off while chunked"),
    pytest.param([b"ab", ValueError("a bug")], None, id="a bug"),
]


@pytest.mark.parametrize(("chunks", "length"), BROKEN)
async def test_a_body_that_breaks_ends_the_connection_before_its_end(start, chunks, length):
    _, script, connect = await start()
    stream = Stream(chunks, length=length)

    @script.page(b"/")
    async def page(request, body, interim):
        return Answer(Response(200), stream)

    client = await connect()
    client.send(get(b"/") + get(b"/next"))
    await client.head()
    rest = await client.end()
    assert not rest.endswith(b"0\r\n\r\n")
    assert b"HTTP/1.1" not in rest
    assert stream.closed
    assert [(told[1], told[3]) for told in script.told] == [(200, True)]
    assert len(script.failures) == any(isinstance(chunk, ValueError) for chunk in chunks)


async def test_a_body_that_breaks_before_an_http_1_0_client_is_a_reset(start):
    _, script, connect = await start()

    @script.page(b"/")
    async def page(request, body, interim):
        return Answer(Response(200), Stream([b"ab", MessageError("broke off", 502)]))

    client = await connect()
    client.send(get(b"/", version=b"HTTP/1.0"))
    with pytest.raises(ConnectionResetError):
        await client.end()


async def test_http_1_0_gets_no_chunks_no_interim_and_the_close_it_expects(start):
    _, script, connect = await start()

    @script.page(b"/stream")
    async def stream(request, body, interim):
        interim(Response(103, Headers([(b"Link", b"</a>")])))
        return Answer(Response(200), Stream([b"ab", b"cd"]))

    client = await connect()
    client.send(get(b"/stream", b"Connection: keep-alive", version=b"HTTP/1.0"))
    status, fields = await client.head()
    assert (status, fields[b"connection"]) == (200, b"close")
    assert b"transfer-encoding" not in fields
    assert await client.end() == b"abcd"

    client = await connect()
    client.send(get(b"/1", b"Connection: keep-alive", version=b"HTTP/1.0"))
    assert (await client.answer())[1][b"connection"] == b"keep-alive"
    client.send(get(b"/2", version=b"HTTP/1.0"))
    assert (await client.answer())[1][b"connection"] == b"close"
    assert await client.end() == b""


async def test_a_client_that_asks_for_the_close_gets_it(start):
    _, _, connect = await start()
    client = await connect()
    client.send(get(b"/1", b"Connection: close") + get(b"/2"))
    status, fields, body = await client.answer()
    assert (status, fields[b"connection"], body) == (200, b"close", b"/1")
    assert await client.end() == b""


@pytest.mark.parametrize(
    ("method", "status", "fields", "expected"),
    [
        pytest.param(b"HEAD", 200, [(b"Content-Length", b"99")], b"99", id="HEAD keeps the stated length"),
        pytest.param(b"HEAD", 200, [], None, id="HEAD states none"),
        pytest.param(b"GET", 304, [(b"Content-Length", b"99")], b"99", id="304 keeps the stated length"),
        pytest.param(b"GET", 304, [], None, id="304 states none"),
        pytest.param(b"GET", 204, [(b"Content-Length", b"99")], None, id="204 has none"),
    ],
)
async def test_answers_without_content(start, method, status, fields, expected):
    _, script, connect = await start()
    stream = Stream([b"never sent"])

    @script.page(b"/")
    async def page(request, body, interim):
        return Answer(Response(status, Headers(fields)), stream if len(script.requests) % 2 else b"")

    client = await connect()
    client.send((method + get(b"/")[3:]) * 2 + get(b"/after"))
    for _ in range(2):
        got, head = await client.head()
        assert (got, head.get(b"content-length")) == (status, expected)
        assert b"transfer-encoding" not in head
    assert (await client.answer())[2] == b"/after"
    assert stream.closed
    assert stream.produced == 0


async def test_interim_heads_pass(start):
    _, script, connect = await start()

    @script.page(b"/")
    async def page(request, body, interim):
        interim(Response(103, Headers([(b"Link", b"</a>"), (b"Connection", b"x")]), b"Early Hints"))
        interim(Response(100))
        interim(Response(101))
        return Answer(Response(299, reason=b"Odd"), b"x")

    client = await connect()
    client.send(get(b"/"))
    assert await client.head() == (103, {b"link": b"</a>"})
    assert (await client.answer())[0] == 299


async def test_a_head_that_would_split_is_a_500(start):
    _, script, connect = await start()

    @script.page(b"/")
    async def page(request, body, interim):
        return Answer(
            Response(200, Headers([(b"X", b"a\r\nSet-Cookie: b")])),
            b"x" if len(script.requests) % 2 else Stream([b"x"]),
        )

    client = await connect()
    for _ in range(2):
        client.send(get(b"/"))
        status, fields, _ = await client.answer()
        assert status == 500
        assert b"set-cookie" not in fields
