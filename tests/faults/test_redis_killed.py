"""Redis dies under load, without a hot tier: no request fails, hardly one waits, and it heals by itself."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from backends import Backend, Client
from sidecar import Sidecar

if TYPE_CHECKING:
    from servers import Valkey

RULES = """
version: 1
service: faults
upstream: {url: http://127.0.0.1:1, max_concurrent: 64}
memory: {max_size: 0}
store: {max_connections: 50, timeout: 2s}
log: {hits: 0%}
routes:
  - name: everything
    match: GET /**
    authorization: ignore
    cookies: ignore
    ttl: 1h
"""
CLIENTS = 8
SLOW = 0.05
MAX_CONNECTIONS = 50


class Load:
    """Clients that ask without a pause until they are told to stop."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.statuses: list[int] = []
        self.seconds: list[float] = []
        self.hits = 0
        self._stop = False
        self._progress = asyncio.Condition()

    async def run(self, number: int) -> None:
        async with Client(self._port) as client:
            turn = 0
            while not self._stop:
                turn += 1
                began = time.perf_counter()
                status, fields, _ = await client.ask(f"/item/{(number + turn) % 20}")
                self.seconds.append(time.perf_counter() - began)
                self.statuses.append(status)
                async with self._progress:
                    self.hits += fields[b"x-cache-status"] == b"HIT"
                    self._progress.notify_all()

    def stop(self) -> None:
        self._stop = True

    async def answered(self, more: int) -> None:
        """Wait for that many further answers."""
        target = len(self.statuses) + more
        async with self._progress:
            await self._progress.wait_for(lambda: len(self.statuses) >= target)

    async def hit_again(self) -> None:
        """Wait until answers come from the cache."""
        before = self.hits
        async with self._progress:
            await self._progress.wait_for(lambda: self.hits > before)


async def hello(head: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


async def under_load(valkey: Valkey, trouble) -> Load:
    async with Backend(hello) as backend:
        with Sidecar(RULES, upstream=backend.url, store=valkey.url) as sidecar:
            load = Load(sidecar.port)
            clients = [asyncio.create_task(load.run(number)) for number in range(CLIENTS)]
            await load.answered(500)
            await load.hit_again()
            load.seconds.clear()  # the first requests set up connections: that is not the store's doing
            await trouble(load)
            await asyncio.wait_for(load.hit_again(), 20)
            load.stop()
            await asyncio.gather(*clients)
    return load


async def test_killed_and_started_again(own_valkey):
    async def trouble(load: Load) -> None:
        await asyncio.to_thread(own_valkey.kill)
        await load.answered(1000)
        await asyncio.to_thread(own_valkey.start)

    load = await under_load(own_valkey, trouble)
    assert set(load.statuses) == {200}
    assert sum(seconds > SLOW for seconds in load.seconds) <= MAX_CONNECTIONS


async def test_hanging_and_going_on(own_valkey):
    async def trouble(load: Load) -> None:
        own_valkey.pause()
        await load.answered(1000)
        own_valkey.resume()

    load = await under_load(own_valkey, trouble)
    assert set(load.statuses) == {200}
    assert sum(seconds > SLOW for seconds in load.seconds) <= MAX_CONNECTIONS
