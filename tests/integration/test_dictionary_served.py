"""Two sidecars and a dictionary as it comes about by itself: smaller in Redis, the same to clients, nobody's own in it."""

from __future__ import annotations

import asyncio

import pytest
import redis
from alike import a_plan
from backends import Backend, Client
from sidecar import Sidecar

RULES = """
version: 1
service: shop
upstream: {url: http://127.0.0.1:1}
log: {hits: 0%}
memory: {max_size: 0}
store: {dictionary: {size: 16KiB, samples: 128KiB}}
defaults: {ttl: 1h, stale_while_revalidate: 1h, stale_if_error: 1h}
routes:
  - {name: plan, match: "GET /plans/{id}", authorization: ignore, cookies: ignore}
  - {name: own, match: "GET /own/{id}", scope: credential, private: store, cookies: ignore}
"""
SECRET = b"the-account-of-somebody"
CURRENT = "cache:dictionary:shop:current"


async def origin(head: bytes) -> bytes:
    target = head.split(b" ", 2)[1]
    body = a_plan(int(target.rpartition(b"/")[2]))
    if target.startswith(b"/own/"):
        body = body.replace(b"Your price per kWh stays the same", SECRET)
    lines = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return lines % len(body) + body


@pytest.fixture
async def backend():
    async with Backend(origin) as backend:
        yield backend


@pytest.fixture
def one(backend, own_valkey):
    with Sidecar(RULES, upstream=backend.url, store=own_valkey.url) as sidecar:
        yield sidecar


@pytest.fixture
def two(backend, own_valkey):
    with Sidecar(RULES, upstream=backend.url, store=own_valkey.url) as sidecar:
        yield sidecar


@pytest.fixture
def server(own_valkey):
    with redis.Redis(unix_socket_path=own_valkey.path) as server:
        yield server


async def asked(sidecar, path, numbers, *fields):
    """What X-Cache-Status says, and the body, of each."""
    told = []
    async with Client(sidecar.port) as client:
        for number in numbers:
            _, lines, body = await client.ask(f"{path}/{number}", *fields)
            told.append((lines[b"x-cache-status"], body))
    return told


def sizes(server):
    """The bytes of each record, the smallest first."""
    return sorted(server.strlen(key) for key in server.scan_iter("cache:response:*"))


async def until_there_is_one(sidecar, server):
    """Ask for what is new until that leans on a dictionary."""
    number = 1000
    async with asyncio.timeout(30):
        while not server.exists(CURRENT) or sizes(server)[0] * 1.5 > sizes(server)[-1]:
            await asked(sidecar, "/plans", range(number, number + 10))
            number += 10


async def test_it_comes_about_by_itself_and_clients_see_nothing_of_it(one, two, server):
    first = await asked(one, "/plans", range(350))
    assert {status for status, _ in first} == {b"MISS"}
    await until_there_is_one(one, server)
    server.delete(*server.scan_iter("cache:response:*"))
    missed = await asked(one, "/plans", range(50))
    assert max(sizes(server)) < 800
    hits = await asked(two, "/plans", range(50))
    assert {status for status, _ in missed} == {b"MISS"}
    assert {status for status, _ in hits} == {b"HIT"}
    assert [body for _, body in hits] == [body for _, body in missed] == [a_plan(number) for number in range(50)]
    assert [key for key in server.scan_iter("cache:dictionary:*") if server.pttl(key) <= 0] == []


async def test_nothing_of_one_users_is_in_it(one, server):
    await asked(one, "/own", range(350), "Authorization: Bearer x.y.z")  # as many as would be enough
    await asked(one, "/plans", range(350))
    await until_there_is_one(one, server)
    name = server.get(CURRENT).decode()
    value = server.get(f"cache:dictionary:{name}")
    assert b"Your price per kWh stays the same" in value
    assert SECRET not in value
    ((_, body),) = await asked(one, "/own", [7], "Authorization: Bearer x.y.z")
    assert SECRET in body
