"""What a hostile client tried, against a sidecar as its users run it; each of these once worked somewhere."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from backends import Client
from sidecar import Sidecar

RULES = """
version: 1
service: attacked
upstream: {url: http://127.0.0.1:1}
routes:
  - {name: cached, match: GET /cached/**, authorization: ignore, cookies: ignore}
"""


async def echo(request: web.Request) -> web.Response:
    """Say which fields came, as a backend does that answers by one of them."""
    await request.read()
    names = sorted(name.lower() for name in request.headers)
    return web.Response(text=" ".join(names), headers={"Cache-Control": "max-age=60"})


@pytest.fixture
async def upstream():
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", echo)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def raw(port: int, data: bytes) -> bytes:
    """Send bytes and return all that comes until the sidecar closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_trailers_of_one_client_never_become_fields_of_another(upstream):
    """aiohttp's server takes trailers for the first fields of the next request on that connection."""
    with Sidecar(RULES, upstream=upstream) as sidecar:
        for _ in range(3):
            planted = await raw(
                sidecar.port,
                b"POST /any HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"1\r\na\r\n0\r\nX-Planted: 1\r\n\r\n",
            )
            assert planted.startswith(b"HTTP/1.1 200")
            async with Client(sidecar.port) as victim:
                status, _, body = await victim.ask("/cached/1")
            assert status == 200
            assert b"x-planted" not in body
