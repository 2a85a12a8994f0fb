"""What clients of several sidecars read is added up in Redis; what proves who they are never lies there."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest
from backends import Backend, Client

from proxy.service import Service
from proxy.settings import load_settings

RULES = """
version: 1
service: read
upstream: {url: http://127.0.0.1:1}
log: {level: error, hits: 0%}
routes:
  - {name: plan, match: "GET /plans/{id}", authorization: ignore, cookies: ignore, ttl: 1h}
  - {name: tenant, match: "GET /tenants/{id}", authorization: ignore, cookies: ignore, ttl: 1h, key: {headers: [X-Tenant, X-Tenant-Token]}}
  - {name: own, match: "GET /own", scope: credential, cookies: ignore, ttl: 1h}
  - {name: cookie, match: "GET /cookie", authorization: ignore, cookies: [session], ttl: 1h}
"""


@pytest.fixture
async def replicas(valkey):
    async def answer(head):
        return b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

    async with AsyncExitStack() as stack:
        backend = await stack.enter_async_context(Backend(answer))
        flags = {"listen": "127.0.0.1:0", "admin.listen": "127.0.0.1:0", "upstream.url": backend.url}
        services = [Service(load_settings(RULES, overrides=flags | {"store.url": valkey.url})) for _ in range(2)]
        for service in services:
            await service.start()
            stack.push_async_callback(service.stop)
        yield services


async def ask(service, target, *fields, times=1):
    async with Client(service.traffic_port) as client:
        for _ in range(times):
            status, _, _ = await client.ask(target, *fields)
            assert status == 200


async def merged(replicas):
    for service in replicas:
        await service.house.merging.merge()
    return await replicas[0].house.ranking.most_read(99)


async def test_hits_of_all_replicas_count_hot_ones_too(replicas):
    await ask(replicas[0], "/plans/1", times=5)
    await ask(replicas[1], "/plans/1", times=3)
    await ask(replicas[1], "/plans/2", times=6)
    found = await merged(replicas)
    assert [(one.record.recipe.target, one.reads) for one in found] == [(b"/plans/1", 8.0), (b"/plans/2", 6.0)]
    assert "route:plan" in found[0].record.selectors


async def test_no_credential_ever_lies_in_redis(replicas, valkey):
    """Whatever way it came: the dump of everything that is there does not have it."""
    secret = "hunter2hunter2"
    await ask(replicas[0], "/plans/1", f"Authorization: Bearer {secret}", f"Cookie: session={secret}", times=3)
    await ask(replicas[0], f"/plans/2?access_token={secret}&api_key={secret}", times=3)
    await ask(replicas[0], "/tenants/1", "X-Tenant: 7", f"X-Tenant-Token: {secret}", times=3)
    await ask(replicas[0], "/own", f"Authorization: Bearer {secret}", times=3)
    await ask(replicas[0], "/cookie", f"Cookie: session={secret}", times=3)
    assert [one.record.recipe.target for one in await merged(replicas)] == [b"/plans/1"]
    keys = await replicas[0].house.backplane.run("test", b"KEYS", b"cache:popular:*")
    assert len(keys) == 5
    for key in keys:
        assert secret.encode() not in await replicas[0].house.backplane.run("test", b"DUMP", key)


async def test_while_redis_is_away_counts_wait(own_valkey, replicas):
    flags = {"listen": "127.0.0.1:0", "admin.listen": "127.0.0.1:0", "upstream.url": "http://127.0.0.1:1"}
    service = Service(load_settings(RULES, overrides=flags | {"store.url": own_valkey.url}))
    await service.start()
    popularity = service.house.parts.popularity
    row = replicas[0].house.parts.popularity
    await ask(replicas[0], "/plans/1", times=4)
    (gain,) = row.gains(1)
    popularity.begin(gain.digest, gain.recipe, gain.selectors, reads=4)
    own_valkey.kill()
    await service.house.merging.merge()
    assert [one.reads for one in popularity.gains(9)] == [4]
    await service.stop()
