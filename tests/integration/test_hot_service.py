"""A service as it is built: its hot tier, its schedules and its refetches at work, with a clock that the test sets."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest
from backends import Backend, Client
from servers import Told, until

from proxy.observe.events import Purged
from proxy.service import Service
from proxy.settings import load_settings
from proxy.store.memory import MemoryStore
from proxy.store.redis import RedisStore
from proxy.store.tiered import TieredStore
from proxy.warming.turns import OwnTurns, SharedTurns

RULES = """
version: 1
service: hot
listen: 127.0.0.1:0
admin: {{listen: "127.0.0.1:0"}}
upstream: {{url: "{upstream}"}}
store: {{url: "{store}"}}
memory: {{max_size: {size}, max_lag: 1s}}
log: {{hits: 0%, level: error}}
defaults: {{ttl: 1h, stale_if_error: 1h}}
namespaces: {{plans: {{version: v1}}}}
routes:
  - {{name: plan, match: "GET /plans/{{id}}", namespace: plans, id: "{{id}}", authorization: ignore, cookies: ignore, tags: [plans]}}
invalidate:
  - schedule: "* * * * *"
    patterns: ["plans:*"]
"""


class Sidecar:
    """One service in this process, its clock ``ahead`` seconds before the wall's."""

    def __init__(self, backend, store, size="64MiB"):
        self.ahead, self.told = 0.0, Told()
        settings = load_settings(RULES.format(upstream=backend.url, store=store, size=size))
        # Half a minute past: no test is overtaken by the next one.
        self.offset = 30 - time.time() % 60
        self.service = Service(settings, wall=lambda: time.time() + self.offset + self.ahead, watch=self.told)

    async def __aenter__(self):
        await self.service.start()
        return self

    async def __aexit__(self, *_):
        await self.service.stop()

    async def ask(self, target):
        async with Client(self.service.traffic_port) as client:
            _, fields, body = await client.ask(target)
        await until(lambda: not self.service.house.background)  # what was fetched is saved
        return fields[b"x-cache-status"].decode(), body

    async def purge(self, **order):
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"http://127.0.0.1:{self.service.admin_port}/purge", json=order) as answer,
        ):
            return await answer.json()


@pytest.fixture
async def backend():
    asked = []

    async def answer(head):
        asked.append(head.split()[1])
        body = b"%d" % len(asked)
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    async with Backend(answer) as backend:
        backend.asked = asked
        yield backend


@pytest.mark.parametrize(
    ("shared", "size", "store", "turns"),
    [
        pytest.param(False, "64MiB", MemoryStore, OwnTurns, id="memory alone"),
        pytest.param(True, "64MiB", TieredStore, SharedTurns, id="memory in front of Redis"),
        pytest.param(True, "0", RedisStore, SharedTurns, id="Redis alone"),
    ],
)
async def test_what_is_built(backend, valkey, shared, size, store, turns):
    async with Sidecar(backend, valkey.url if shared else "memory://", size) as sidecar:
        house = sidecar.service.house
        assert type(house.store) is store
        assert type(house.schedule._turns) is turns
        assert [(await sidecar.ask("/plans/1"))[0] for _ in range(2)] == ["MISS", "HIT"]


async def test_what_is_hot_survives_the_store(backend, own_valkey):
    async with Sidecar(backend, own_valkey.url) as sidecar:
        await sidecar.ask("/plans/1")
        own_valkey.kill()
        sidecar.service.house.store._max_lag = 0.0  # as if the mirror were older than that
        assert await sidecar.ask("/plans/1") == ("STALE", b"1")
        assert backend.asked == [b"/plans/1"]


async def test_the_most_read_is_hot_again_before_anybody_asks(backend, valkey):
    async with Sidecar(backend, valkey.url) as sidecar:
        began = time.monotonic()
        for target, times in (("/plans/1", 1), ("/plans/2", 3), ("/plans/3", 2)):
            for _ in range(times):
                await sidecar.ask(target)
        estimate = await sidecar.purge(patterns=["plans:*"], dry_run=True)
        assert (estimate["estimate"], estimate["entries"], estimate["reads"]) == (True, 3, 6)
        assert estimate["most_read"] == ["/plans/2", "/plans/3", "/plans/1"]
        assert (await sidecar.ask("/plans/2"))[0] == "HIT"

        await until(lambda: time.monotonic() - began > 1)  # a list of replicas younger than max_lag may lack one
        receipt = await sidecar.purge(patterns=["plans:*"], refresh=2, wait="2s")
        assert (receipt["refreshing"], receipt["estimate"], receipt["effective"]) == (2, True, True)
        async with asyncio.timeout(10):
            await until(lambda: len(backend.asked) == 5 and not sidecar.service.house.background)
        assert [(await sidecar.ask(f"/plans/{number}"))[0] for number in (2, 3, 1)] == ["HIT", "HIT", "MISS"]


async def test_what_the_clock_purges_is_purged_once_by_two_services(backend, valkey):
    async with Sidecar(backend, valkey.url) as one, Sidecar(backend, valkey.url) as two:
        sidecars, events = (one, two), []
        async with asyncio.timeout(20):
            await until(lambda: one.told.of(Purged) + two.told.of(Purged))  # of the minute in which they started
            assert await one.ask("/plans/1") == ("MISS", b"1")
            assert [(await sidecar.ask("/plans/1"))[0] for sidecar in sidecars] == ["HIT", "HIT"]
            for sidecar in sidecars:
                sidecar.told.events.clear()
                sidecar.ahead = 60.0
                sidecar.service.house.schedule.use(sidecar.service.settings.scheduled)  # look at the clock now
            await until(lambda: one.told.of(Purged) + two.told.of(Purged))
            await until(lambda: one.service.house.ledger.known() == two.service.house.ledger.known())
        for sidecar in sidecars:
            await sidecar.service.house.schedule.run_due()
            events += sidecar.told.of(Purged)
        assert [(purge.kind, purge.selectors) for purge in events] == [("schedule", ("pattern:plans:*",))]
        assert [await sidecar.ask("/plans/1") for sidecar in sidecars] == [("MISS", b"2"), ("HIT", b"2")]
