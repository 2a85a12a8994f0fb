"""Upgrades become tunnels, or read on as HTTP."""

import asyncio
import socket
import struct

from playfront import get
from servers import until

from proxy.message.headers import Headers
from proxy.message.response import Response
from proxy.pipeline.reply import Answer


class FarSide:
    """A tunnel whose far side is the test."""

    def __init__(self):
        self.down = asyncio.Queue()
        self.up = asyncio.Queue()
        self.closed = asyncio.Event()

    async def read(self):
        return await self.down.get()

    async def write(self, data):
        self.up.put_nowait(data)

    async def write_eof(self):
        self.up.put_nowait(b"")

    async def aclose(self):
        self.closed.set()


UPGRADE = get(b"/ws", b"Connection: keep-alive, Upgrade", b"Upgrade: websocket")


def accept(script):
    far = FarSide()

    @script.page(b"/ws")
    async def page(request, body, interim):
        assert request.upgrade
        return Answer(Response(101, Headers([(b"Upgrade", b"websocket"), (b"Sec-WebSocket-Accept", b"x")])), far)

    return far


async def test_an_upgrade_becomes_a_tunnel_with_the_bytes_that_came_along(start):
    front, script, connect = await start()
    far = accept(script)
    client = await connect()
    client.send(UPGRADE + b"early")
    status, fields = await client.head()
    assert (status, fields[b"connection"], fields[b"upgrade"], fields[b"sec-websocket-accept"]) == (
        101,
        b"upgrade",
        b"websocket",
        b"x",
    )
    assert await asyncio.wait_for(far.up.get(), 5) == b"early"
    assert front.tunnels == 1
    client.send(b"GET / HTTP/1.1\r\n\r\n")
    assert await asyncio.wait_for(far.up.get(), 5) == b"GET / HTTP/1.1\r\n\r\n"
    far.down.put_nowait(b"from the far side")
    assert await client.exactly(17) == b"from the far side"
    client.writer.write_eof()
    assert await asyncio.wait_for(far.up.get(), 5) == b""
    far.down.put_nowait(b"still talking")
    far.down.put_nowait(b"")
    assert await client.end() == b"still talking"
    await asyncio.wait_for(far.closed.wait(), 5)
    await script.until_told(1)
    assert script.told[0][1] == 101
    assert script.told[0][3] is False


async def test_a_client_that_leaves_a_tunnel_ends_it(start):
    _, script, connect = await start()
    far = accept(script)
    client = await connect()
    client.send(UPGRADE)
    await client.head()
    client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.writer.transport.abort()
    await asyncio.wait_for(far.closed.wait(), 5)


async def test_a_client_that_keeps_a_dead_tunnel_is_let_go(start):
    _, script, connect = await start(keep_alive=0.1)
    far = accept(script)
    client = await connect()
    client.send(UPGRADE)
    await client.head()
    far.down.put_nowait(b"")
    assert await client.end() == b""
    await asyncio.wait_for(far.closed.wait(), 5)


async def test_a_refused_upgrade_reads_on_as_http(start):
    _, _, connect = await start()
    client = await connect()
    client.send(UPGRADE + get(b"/next"))
    assert (await client.answer())[2] == b"/ws"
    assert (await client.answer())[2] == b"/next"


async def test_tunnels_are_counted(start):
    _, script, connect = await start(tunnels=1)
    far = accept(script)
    first = await connect()
    first.send(UPGRADE)
    assert (await first.head())[0] == 101
    second = await connect()
    second.send(UPGRADE)
    assert (await second.answer())[0] == 503
    await first.aclose()
    far.down.put_nowait(b"")
    await asyncio.wait_for(far.closed.wait(), 5)
    await until(lambda: len(script.told) >= 2)
    accept(script)
    second.send(UPGRADE)
    assert (await second.head())[0] == 101
