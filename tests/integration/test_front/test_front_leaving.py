"""Stalled readers bound memory; clients that leave end their requests."""

import asyncio
import resource
import socket
import struct

from playfront import Stream, get, post, swallow
from servers import until

from proxy.message.response import Response
from proxy.pipeline.reply import Answer


async def test_a_stalled_reader_stops_the_body_and_bounds_memory(start):
    _, script, connect = await start()
    block = bytes(1 << 16)
    stream = Stream(iter(lambda: block, None))

    @script.page(b"/")
    async def page(request, body, interim):
        return Answer(Response(200), stream)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    client = await connect(limit=1 << 16)
    client.send(get(b"/"))
    produced = -1
    while produced != stream.produced:
        produced = stream.produced
        await asyncio.sleep(0.05)  # the kernel's buffers fill in steps, and tell nobody that they are full
    assert 0 < produced < 16 << 20
    await client.aclose()
    await script.until_told(1)
    assert script.told[0][3]
    async with asyncio.timeout(5):
        await until(lambda: stream.closed)  # in a task of its own
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 << 10


async def test_a_stalled_reader_stops_answering_and_reading(start):
    front, script, connect = await start()
    body = bytes(1 << 20)

    @script.page(b"/")
    async def page(request, received, interim):
        return Answer(Response(200), body)

    client = await connect(limit=1 << 16)
    client.send(get(b"/") * 64)
    told = -1
    while told != len(script.told):
        told = len(script.told)
        await asyncio.sleep(0.05)  # as above
    assert told < 20
    (connection,) = front._open
    assert not connection.is_writable
    assert not connection._is_reading
    for _ in range(64):
        assert len((await client.answer())[2]) == 1 << 20


async def test_a_gibibyte_passes_to_a_fast_reader(start):
    _, script, connect = await start()
    block = bytes(1 << 20)

    @script.page(b"/")
    async def page(request, body, interim):
        return Answer(Response(200), Stream([block] * 1024, length=1 << 30))

    client = await connect(limit=1 << 22)
    client.send(get(b"/"))
    await client.head()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    left = 1 << 30
    while left:
        left -= len(await client.reader.read(1 << 22))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 << 10


async def test_a_client_that_leaves_ends_its_request(start):
    front, script, connect = await start()
    cancelled = asyncio.Event()

    @script.page(b"/")
    async def page(request, body, interim):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    client = await connect()
    client.send(get(b"/") + get(b"/queued"))
    await until(lambda: script.requests)
    await client.aclose()
    await asyncio.wait_for(cancelled.wait(), 5)
    assert script.told == [(b"/", 499, 0, True)]
    await until(lambda: not front.connections)
    assert [request.path for request in script.requests] == [b"/"]


async def test_a_client_that_leaves_within_its_body_ends_its_request(start):
    _, script, connect = await start()

    script.page(b"/")(swallow)
    client = await connect()
    client.send(post(b"/", b"Content-Length: 10", body=b"abc"))
    await until(lambda: script.requests)
    await client.aclose()
    await script.until_told(1)
    assert script.told[0][1] == 499


async def test_a_client_that_resets_ends_its_request(start):
    _, script, connect = await start()

    @script.page(b"/")
    async def page(request, body, interim):
        await asyncio.Event().wait()

    client = await connect()
    client.send(get(b"/"))
    await until(lambda: script.requests)
    client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.writer.transport.abort()
    await script.until_told(1)
