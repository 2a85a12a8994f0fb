"""What a pod asks of its sidecar: ready before anything else is, answering while others leave, gone when told, without a loss."""

from __future__ import annotations

import asyncio
import signal
import sys
import urllib.error
import urllib.request
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from backends import Backend, Client
from servers import free_port
from sidecar import Sidecar

sys.path.insert(0, str(Path(__file__).parents[2] / "deploy" / "image"))

from load import Told, client

RULES = """\
version: 1
service: pod
log: {level: error, hits: 0%}
upstream: {host: shop.example}
routes:
  - {name: catalog, match: GET /api/v1/plans/catalog, authorization: ignore, cookies: ignore, key: {query: none}, ttl: 1h}
"""
CATALOG = "/api/v1/plans/catalog"


@asynccontextmanager
async def running(*sidecars):
    """Processes, all started at once."""
    async with AsyncExitStack() as stack:
        await asyncio.gather(*(asyncio.to_thread(one.__enter__) for one in sidecars))
        for one in sidecars:
            stack.push_async_callback(asyncio.to_thread, one.__exit__)
        yield


class Slow:
    """A backend that says ok after a while, and knows what it is asked."""

    def __init__(self):
        self.asked = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __call__(self, head):
        self.asked.set()
        if b"/held" in head:
            await self.go_on.wait()
        else:
            await asyncio.sleep(0.02)
        return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def probe(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


async def test_it_is_ready_without_a_backend_and_without_a_store():
    """A cluster that starts from zero: neither is there yet, and each may wait for this pod."""
    nobody = f"http://127.0.0.1:{free_port()}"
    sidecar = Sidecar(RULES, upstream=nobody, store=f"redis://127.0.0.1:{free_port()}/0")
    async with running(sidecar):
        assert await asyncio.to_thread(probe, sidecar.probes_port, "/readyz") == 200
        async with Client(sidecar.port) as asking:
            assert (await asking.ask(CATALOG))[0] == 502


async def test_one_of_two_leaves_under_load_and_nobody_notices(valkey):
    told, stop = Told(), asyncio.Event()
    async with Backend(Slow()) as backend:
        sidecars = [Sidecar(RULES, upstream=backend.url, store=valkey.url) for _ in range(2)]
        async with running(*sidecars):
            ports = [one.port for one in sidecars]
            clients = [asyncio.create_task(client(ports, told, stop, number)) for number in range(16)]
            while told.answered < 200:  # noqa: ASYNC110  other processes answer
                await asyncio.sleep(0.01)
            sidecars[0].process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(sidecars[0].process.wait, 30) == 0
            so_far = told.answered
            while told.answered < so_far + 50:  # noqa: ASYNC110  as above
                await asyncio.sleep(0.01)
            stop.set()
            await asyncio.gather(*clients)
    assert told.lost == []


async def test_while_it_drains_it_is_alive_and_not_ready_and_takes_nothing_new():
    slow = Slow()
    async with Backend(slow) as backend:
        sidecar = Sidecar(RULES, upstream=backend.url)
        async with running(sidecar), Client(sidecar.port) as asking:
            answer = asyncio.create_task(asking.ask("/held"))
            await asyncio.wait_for(slow.asked.wait(), 10)
            sidecar.process.send_signal(signal.SIGTERM)
            while await asyncio.to_thread(probe, sidecar.probes_port, "/readyz") != 503:  # noqa: ASYNC110  as above
                await asyncio.sleep(0.01)
            assert await asyncio.to_thread(probe, sidecar.probes_port, "/livez") == 200
            with pytest.raises(ConnectionError):
                await asyncio.open_connection("127.0.0.1", sidecar.port)
            slow.go_on.set()
            status, fields, body = await answer
            assert (status, fields[b"connection"], body) == (200, b"close", b"ok")
            assert await asyncio.to_thread(sidecar.process.wait, 30) == 0


async def test_it_outlives_the_backend_and_answers_what_it_has():
    sidecar = None
    async with Backend(Slow()) as backend:
        sidecar = Sidecar(RULES, upstream=backend.url)
        await asyncio.to_thread(sidecar.__enter__)
        async with Client(sidecar.port) as asking:
            await asking.ask(CATALOG)
    try:
        async with Client(sidecar.port) as asking:
            _, fields, _ = await asking.ask(CATALOG)
            assert fields[b"x-cache-status"] == b"HIT"
            assert (await asking.ask("/else"))[0] == 502
        assert await asyncio.to_thread(probe, sidecar.probes_port, "/readyz") == 200
    finally:
        await asyncio.to_thread(sidecar.__exit__)
    assert sidecar.process.returncode == 0
