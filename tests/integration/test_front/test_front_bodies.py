"""Request bodies flow with back-pressure, and unread ones do not hurt the answer."""

import asyncio

import pytest
from playfront import get, post, swallow
from servers import until

from proxy.message.headers import Headers
from proxy.message.response import Response
from proxy.pipeline.reply import Answer


async def test_a_request_body_flows_with_back_pressure(start):
    front, script, connect = await start()
    gate = asyncio.Event()

    @script.page(b"/")
    async def page(request, body, interim):
        await gate.wait()
        size = 0
        while data := await body.read():
            size += len(data)
        return Answer(Response(200, Headers([(b"X-Trailer", body.trailers.get(b"x-sum") or b"")])), b"%d" % size)

    client = await connect()
    client.send(post(b"/", b"Transfer-Encoding: chunked"))
    block = b"10000\r\n" + bytes(65536) + b"\r\n"

    async def upload():
        for _ in range(256):
            client.send(block)
            await client.writer.drain()
        client.send(b"0\r\nX-Sum: 5\r\n\r\n")

    sending = asyncio.create_task(upload())
    await until(lambda: front._open)
    (connection,) = front._open
    await until(lambda: not connection._is_reading)
    assert connection.buffered <= 64 * 1024 + 256 * 1024
    assert not sending.done()
    gate.set()
    await sending
    status, fields, body = await client.answer()
    assert (status, body, fields[b"x-trailer"]) == (200, b"%d" % (256 * 65536), b"5")


async def test_100_is_sent_when_the_handler_reads_and_not_before(start):
    _, script, connect = await start()
    gate = asyncio.Event()

    @script.page(b"/")
    async def page(request, body, interim):
        await gate.wait()
        return Answer(Response(200), await body.read())

    client = await connect()
    client.send(post(b"/", b"Content-Length: 2", b"Expect: 100-continue"))
    await until(lambda: script.requests)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.reader.read(1), 0.05)
    gate.set()
    assert await client.head() == (100, {})
    client.send(b"ok" + get(b"/next"))
    assert (await client.answer())[2] == b"ok"
    assert (await client.answer())[2] == b"/next"


async def test_no_100_once_the_body_has_begun(start):
    _, script, connect = await start()

    @script.page(b"/")
    async def page(request, body, interim):
        return Answer(Response(200), await body.read() + await body.read())

    client = await connect()
    client.send(post(b"/", b"Content-Length: 4", b"Expect: 100-continue", body=b"o"))
    await until(lambda: script.requests)
    client.send(b"kay")
    assert (await client.head())[0] == 200


async def test_refusing_a_client_that_expects_100_closes(start):
    _, script, connect = await start()

    @script.page(b"/")
    async def page(request, body, interim):
        return Answer(Response(413))

    client = await connect()
    client.send(post(b"/", b"Content-Length: 2", b"Expect: 100-continue"))
    status, fields, _ = await client.answer()
    assert (status, fields[b"connection"]) == (413, b"close")
    assert await client.end() == b""


@pytest.mark.parametrize("framing", [b"Content-Length: 60000", b"Transfer-Encoding: chunked"])
async def test_a_small_rest_of_a_body_is_drained(start, framing):
    _, script, connect = await start()

    @script.page(b"/")
    async def page(request, body, interim):
        return Answer(Response(403))

    rest = bytes(60000)
    client = await connect()
    client.send(post(b"/", framing))
    status, fields, _ = await client.answer()
    assert status == 403
    assert b"connection" not in fields
    client.send((b"ea60\r\n" + rest + b"\r\n0\r\n\r\n" if b"chunked" in framing else rest) + get(b"/next"))
    assert (await client.answer())[2] == b"/next"


async def test_a_large_rest_closes_and_the_answer_arrives_all_the_same(start):
    _, script, connect = await start()

    @script.page(b"/")
    async def page(request, body, interim):
        return Answer(Response(403), b"no")

    client = await connect()
    client.send(post(b"/", b"Content-Length: 8000000", body=bytes(8000000)))
    status, fields, body = await client.answer()
    assert (status, fields[b"connection"], body) == (403, b"close", b"no")
    assert await client.end() == b""


async def test_a_large_rest_of_unknown_length_closes_too(start):
    _, script, connect = await start()

    @script.page(b"/")
    async def page(request, body, interim):
        return Answer(Response(403), b"no")

    client = await connect()
    client.send(post(b"/", b"Transfer-Encoding: chunked"))
    assert (await client.answer())[0] == 403
    client.send(b"100000\r\n" + bytes(0x100000))
    assert await client.end() == b""


async def test_a_body_that_breaks_is_the_handlers_error_and_its_answer(start):
    _, script, connect = await start()

    script.page(b"/")(swallow)
    client = await connect()
    client.send(post(b"/", b"Transfer-Encoding: chunked", body=b"2\r\nab\r\nzz\r\n" + get(b"/smuggled")))
    status, fields, _ = await client.answer()
    assert (status, fields[b"connection"]) == (400, b"close")
    assert await client.end() == b""
    assert len(script.requests) == 1
