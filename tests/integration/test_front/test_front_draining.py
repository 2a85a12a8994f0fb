"""Limits, draining, addresses."""

import asyncio
import socket

import pytest
from playfront import Client, get
from servers import until

from proxy.message.response import Response
from proxy.pipeline.reply import Answer
from proxy.wire import WireLimits


async def test_over_the_limit_is_503(start):
    front, _, connect = await start(connections=1)
    first = await connect()
    first.send(get(b"/1"))
    await first.answer()
    second = await connect()
    assert (await second.answer())[0] == 503
    await second.gone()
    assert front.connections == 1
    first.send(get(b"/2"))
    assert (await first.answer())[2] == b"/2"


async def test_draining_closes_the_idle_and_finishes_the_busy(start):
    front, script, connect = await start()
    gate = asyncio.Event()

    @script.page(b"/slow")
    async def slow(request, body, interim):
        await gate.wait()
        return Answer(Response(200), b"slow")

    idle, busy = await connect(), await connect()
    idle.send(get(b"/"))
    await idle.answer()
    busy.send(get(b"/slow") + get(b"/queued"))
    await until(lambda: len(script.requests) >= 2)
    draining = asyncio.create_task(front.drain(5))
    assert await idle.end() == b""
    with pytest.raises(ConnectionRefusedError):
        await connect()
    gate.set()
    status, fields, body = await busy.answer()
    assert (status, body) == (200, b"slow")
    assert b"connection" not in fields
    status, fields, body = await busy.answer()
    assert (status, fields[b"connection"], body) == (200, b"close", b"/queued")
    assert await busy.end() == b""
    await busy.aclose()
    await draining
    assert front.connections == 0


async def test_draining_ends_what_is_late(start):
    front, script, connect = await start()

    @script.page(b"/never")
    async def never(request, body, interim):
        await asyncio.Event().wait()

    client = await connect()
    client.send(get(b"/never"))
    await until(lambda: script.requests)
    await front.drain(0.05)
    await client.gone()
    assert script.told == [(b"/never", 499, 0, True)]


async def test_nagle_is_off(start):
    front, _, connect = await start()
    client = await connect()
    client.send(get(b"/"))
    await client.answer()
    (connection,) = front._open
    assert connection._transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_a_unix_socket_is_trusted_and_removed(start, tmp_path):
    path = tmp_path / "front.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    front, script, _ = await start(listen=f"unix:{path}")
    client = Client(*await asyncio.open_unix_connection(str(path)))
    client.send(get(b"/", b"X-Forwarded-For: 203.0.113.9", b"X-Forwarded-Proto: https"))
    await client.answer()
    assert (script.requests[0].client, script.requests[0].forwarded_for, script.requests[0].scheme) == (
        "203.0.113.9",
        b"203.0.113.9",
        b"https",
    )
    assert front.port == 0
    await client.aclose()
    await front.drain(1)
    assert not list(tmp_path.iterdir())


async def test_the_limits_of_a_head_are_the_operators(start):
    _, _, connect = await start(wire=WireLimits(fields=3))
    client = await connect()
    client.send(get(b"/", b"A: b", b"C: d", b"E: f"))
    assert (await client.answer())[0] == 431
