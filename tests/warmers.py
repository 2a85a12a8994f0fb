"""Sidecars that warm: services in this process on one real Valkey, before a backend whose hands the test can hold."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from backends import Backend, Client
from servers import until

from proxy.service import Service
from proxy.settings import load_settings

RULES = """
version: 1
service: warm
hosts: [a.example]
upstream: {url: http://127.0.0.1:1}
log: {level: error, hits: 0%}
defaults: {stale_while_revalidate: 0}
routes:
  - {name: catalog, match: "GET /plans/catalog", authorization: ignore, cookies: ignore, ttl: 1h, key: {query: [page]}}
  - {name: plan, match: "GET /plans/{id:int}", authorization: ignore, cookies: ignore, ttl: 1h, key: {query: none}, tags: [plans, "plan:{id}"]}
  - {name: own, match: "GET /own/{id}", scope: credential, cookies: ignore, ttl: 1h}
  - {name: private, match: "GET /private/{id}", authorization: ignore, cookies: ignore, ttl: 1h}
"""


class Asked:
    """A backend that remembers what it was asked, and answers when ``gate`` is open."""

    def __init__(self) -> None:
        self.targets: list[str] = []
        self.heads: list[bytes] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.came = asyncio.Event()
        self.says: dict[str, bytes] = {}

    async def answer(self, head: bytes) -> bytes:
        target = head.split()[1].decode()
        self.targets.append(target)
        self.heads.append(head)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self.came.set()
        try:
            await self.gate.wait()
        finally:
            self.in_flight -= 1
        return self.says.get(target, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

    async def was_asked(self, times: int) -> None:
        while len(self.targets) < times:
            self.came.clear()
            await self.came.wait()


@asynccontextmanager
async def sidecars(count=1, store="memory://", warm="", *, clock=None, rules=RULES, held=False):
    """Yield the services and the backend's memory. ``warm``: the section's items; ``held``: the backend's gate is shut."""
    asked, services = Asked(), []
    if held:
        asked.gate.clear()
    async with Backend(asked.answer) as backend:
        flags = {
            "listen": "127.0.0.1:0",
            "admin.listen": "127.0.0.1:0",
            "upstream.url": backend.url,
            "store.url": store,
        }
        settings = load_settings(rules + (f"warm:\n{warm}\n" if warm else ""), overrides=flags)
        more = {} if clock is None else {"wall": clock}
        try:
            for _ in range(count):
                service = Service(settings, **more)
                await service.start()
                services.append(service)
            yield services, asked
        finally:
            asked.gate.set()
            for service in services:
                await service.stop()


async def read(service, target, *fields, times=1):
    """Read a target as a client; return what X-Cache-Status said last."""
    async with Client(service.traffic_port) as client:
        for _ in range(times):
            _, lines, _ = await client.ask(target, *fields)
    return lines[b"x-cache-status"].decode()


async def ranked(*services):
    """Carry what was read into the ranking, once all of it is saved: that happens behind the answers."""
    for service in services:
        await until(lambda: not len(service.house.parts.flights))  # noqa: B023 - awaited before the next
        await service.house.merging.merge()


def runs(service, trigger=None):
    """The runs of a service, the oldest first."""
    jobs = reversed(service.house.warming._jobs._jobs)
    return [run for job in reversed(list(jobs)) for run in job.runs if trigger in {None, run.trigger}]


async def ended(service, trigger, count=1):
    """Wait until so many runs have ended, and return them."""
    await until(lambda: sum(run.ended is not None for run in runs(service, trigger)) >= count)
    return runs(service, trigger)


def counts(run):
    return {result.value: number for result, number in run.counts.items() if number}
