"""Every wait has its end."""

import asyncio

from playfront import Stream, get, post, swallow
from servers import until

from proxy.message.response import Response
from proxy.pipeline.reply import Answer


async def test_a_head_that_stops_coming_is_408(start):
    _, _, connect = await start(head_timeout=0.1)
    client = await connect()
    client.send(b"GET / HTTP/1.1\r\nHos")
    status, fields, _ = await client.answer()
    assert (status, fields[b"connection"]) == (408, b"close")
    assert await client.end() == b""


async def test_trickling_a_head_buys_no_time(start):
    _, _, connect = await start(head_timeout=0.2)
    client = await connect()

    async def trickle():
        client.send(b"GET / HTTP/1.1\r\n")
        while True:
            client.send(b"A: b\r\n")
            await asyncio.sleep(0.02)

    trickling = asyncio.create_task(trickle())
    assert (await client.answer())[0] == 408
    trickling.cancel()


async def test_a_client_that_says_nothing_is_closed(start):
    _, _, connect = await start(head_timeout=0.1)
    client = await connect()
    assert await client.end() == b""


async def test_an_idle_connection_is_closed_and_one_in_use_is_not(start):
    _, script, connect = await start(keep_alive=0.15, head_timeout=0.05)
    gate = asyncio.Event()

    @script.page(b"/slow")
    async def slow(request, body, interim):
        await asyncio.wait_for(gate.wait(), 5)
        return Answer(Response(200), b"slow")

    client = await connect()
    client.send(get(b"/slow"))
    asyncio.get_running_loop().call_later(0.4, gate.set)
    assert (await client.answer())[2] == b"slow"
    assert await client.end() == b""


async def test_a_body_that_stops_coming_is_408(start):
    _, script, connect = await start(body_timeout=0.1)

    script.page(b"/")(swallow)
    client = await connect()
    client.send(post(b"/", b"Content-Length: 10", body=b"abc"))
    status, fields, _ = await client.answer()
    assert (status, fields[b"connection"]) == (408, b"close")


async def test_an_unwanted_body_that_stops_coming_is_closed(start):
    _, script, connect = await start(body_timeout=0.1)

    @script.page(b"/")
    async def page(request, body, interim):
        return Answer(Response(403))

    client = await connect()
    client.send(post(b"/", b"Content-Length: 10", body=b"abc"))
    assert (await client.answer())[0] == 403
    assert await client.end() == b""


async def test_a_stalled_reader_is_given_up(start):
    _, script, connect = await start(write_timeout=0.2)
    stream = Stream(iter(lambda: bytes(1 << 16), None))

    @script.page(b"/")
    async def page(request, body, interim):
        return Answer(Response(200), stream)

    client = await connect(limit=1 << 10)
    client.send(get(b"/"))
    await script.until_told(1)
    assert script.told[0][3]
    await client.gone()


async def test_a_stalled_reader_of_a_last_answer_is_given_up(start):
    front, script, connect = await start(write_timeout=0.2)

    @script.page(b"/")
    async def page(request, body, interim):
        return Answer(Response(200), bytes(8 << 20))

    client = await connect(limit=1 << 10)
    client.send(get(b"/", b"Connection: close"))
    await until(lambda: script.told)
    await until(lambda: not front.connections)
    await client.gone()
