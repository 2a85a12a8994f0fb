"""Redis dies under load, without a hot tier: no request fails, hardly one waits, and it heals by itself."""

from __future__ import annotations

import asyncio
import time

from servers import Valkey
from sidecar import Sidecar

RULES = """
version: 1
service: faults
upstream: {url: http://127.0.0.1:1, max_concurrent: 64}
memory: {max_size: 0}
store: {max_connections: 8, timeout: 2s}
log: {hits: 0%}
routes:
  - name: everything
    match: GET /**
    authorization: ignore
    cookies: ignore
    ttl: 1h
"""
CLIENTS = 16
SLOW = 0.05


class Load:
    """Clients that ask without a pause until they are told to stop."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.statuses: list[int] = []
        self.seconds: list[float] = []
        self.hits = 0
        self._stop = False

    async def run(self, number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        turn = 0
        while not self._stop:
            turn += 1
            began = time.perf_counter()
            writer.write(b"GET /item/%d HTTP/1.1\r\nHost: a\r\n\r\n" % ((number + turn) % 20))
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            self.seconds.append(time.perf_counter() - began)
            self.statuses.append(int(head.split()[1]))
            self.hits += b"X-Cache-Status: HIT" in head
        writer.close()

    def stop(self) -> None:
        self._stop = True

    async def answered(self, more: int) -> None:
        """Wait for that many further answers."""
        target = len(self.statuses) + more
        while len(self.statuses) < target:
            await asyncio.sleep(0.01)

    async def hit_again(self) -> None:
        """Wait until answers come from the cache."""
        before = self.hits
        while self.hits == before:
            await asyncio.sleep(0.01)


async def origin_port() -> tuple[asyncio.Server, int]:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


async def under_load(valkey: Valkey, trouble) -> Load:
    server, port = await origin_port()
    with Sidecar(RULES, upstream=f"http://127.0.0.1:{port}", store=valkey.url) as sidecar:
        load = Load(sidecar.port)
        clients = [asyncio.create_task(load.run(number)) for number in range(CLIENTS)]
        await load.answered(500)
        await load.hit_again()
        await trouble(load)
        await asyncio.wait_for(load.hit_again(), 20)
        load.stop()
        await asyncio.gather(*clients)
    server.close()
    return load


async def test_killed_and_started_again(own_valkey):
    async def trouble(load: Load) -> None:
        await asyncio.to_thread(own_valkey.kill)
        await load.answered(2000)
        await asyncio.to_thread(own_valkey.start)

    load = await under_load(own_valkey, trouble)
    assert set(load.statuses) == {200}
    assert sum(seconds > SLOW for seconds in load.seconds) <= 8


async def test_hanging_costs_its_timeout_at_most_once_per_connection(own_valkey):
    async def trouble(load: Load) -> None:
        own_valkey.pause()
        await load.answered(2000)
        own_valkey.resume()

    load = await under_load(own_valkey, trouble)
    assert set(load.statuses) == {200}
    assert sum(seconds > SLOW for seconds in load.seconds) <= 8 + CLIENTS
