"""Two sidecars with hot tiers on one Valkey: what is handed over to one replaces what the other holds."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from contextlib import closing

import pytest
from backends import Backend, Client
from servers import Valkey
from sidecar import Sidecar

RULES = """
version: 1
service: handed
upstream: {url: http://127.0.0.1:1}
hosts: [a.example]
log: {hits: 0%}
memory: {max_lag: 250ms}
defaults: {ttl: 1h, stale_while_revalidate: 0, stale_if_error: 1h}
routes:
  - {name: plan, match: "GET /plans/{id}", authorization: ignore, cookies: ignore, tags: ["plan:{id}", plans]}
"""


def put(sidecar, target, seq, body, **fields):
    """Hand over; return status and JSON."""
    url = f"http://127.0.0.1:{sidecar.admin_port}/entries?url={target}&seq={seq}"
    request = urllib.request.Request(url, data=body, method="PUT", headers={"Content-Type": "text/plain", **fields})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


async def hand_over(sidecar, target, body, seq=None, **fields):
    if seq is None:
        _, document = await asyncio.to_thread(sidecar.admin, "GET", "/purge")
        seq = document["seq"]
    return await asyncio.to_thread(put, sidecar, target, seq, body, **fields)


async def ask(sidecar, target):
    async with Client(sidecar.port) as client:
        status, lines, body = await client.ask(target)
    assert status == 200
    return lines[b"x-cache-status"].decode(), body


@pytest.fixture
async def pair():
    asked = []

    async def answer(head):
        asked.append(head.split()[1])
        return b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nfetched"

    async with Backend(answer) as backend:
        with closing(Valkey(port=True)) as valkey:
            store = valkey.start().url
            with (
                Sidecar(RULES, upstream=backend.url, store=store) as a,
                Sidecar(RULES, upstream=backend.url, store=store) as b,
            ):
                yield valkey, a, b, asked


async def test_it_replaces_what_lies_hot_in_the_other_replica(pair):
    _, a, b, asked = pair
    for sidecar in (a, b):
        await ask(sidecar, "/plans/1")
        assert await ask(sidecar, "/plans/1") == ("HIT", b"fetched")
    fetched = len(asked)
    for number in range(10):
        body = b"number %d" % number
        status, receipt = await hand_over((a, b)[number % 2], "/plans/1", body, **{"Surrogate-Key": "extra"})
        assert (status, receipt["replaced"]) == (200, True)
        assert await ask((a, b)[number % 2], "/plans/1") == ("HIT", body), "where it was handed over, at once"
        loop = asyncio.get_running_loop()
        told = loop.time()
        while (await ask((b, a)[number % 2], "/plans/1"))[1] != body:
            assert loop.time() - told < 5
        assert loop.time() - told < 2, "max_lag is a quarter of a second; the machine may be busy"
    assert len(asked) == fetched, "nobody had to ask the backend"


async def test_a_purge_through_the_other_replica_since_the_data_were_read(pair):
    _, a, b, _ = pair
    await ask(b, "/plans/1")
    _, document = await asyncio.to_thread(a.admin, "GET", "/purge")
    await asyncio.to_thread(b.admin, "POST", "/purge", {"tags": ["plans"]})
    status, problem = await hand_over(a, "/plans/1", b"too old", document["seq"])
    assert status == 409
    assert await ask(a, "/plans/1") == ("MISS", b"fetched")

    assert (await hand_over(a, "/plans/1", b"new", problem["position"]))[0] == 200
    assert await ask(a, "/plans/1") == ("HIT", b"new")
    await asyncio.to_thread(b.admin, "POST", "/purge", {"tags": ["plans"], "wait": "5s"})
    assert await ask(a, "/plans/1") == ("MISS", b"fetched")


async def test_while_redis_is_away_it_is_said_and_nothing_is_stored(pair):
    valkey, a, _, _ = pair
    _, document = await asyncio.to_thread(a.admin, "GET", "/purge")
    valkey.kill()
    assert (await hand_over(a, "/plans/1", b"new", document["seq"]))[0] == 503
    assert (await ask(a, "/plans/1"))[1] == b"fetched"


async def test_many_hand_over_at_once_and_nothing_older_than_any_of_them_is_served(pair):
    """A version counts as committed when it is handed over; whoever is refused reads again."""
    _, a, b, _ = pair
    committed = 0

    async def writes(sidecar):
        nonlocal committed
        for _ in range(25):
            committed += 1
            mine, status = committed, 409
            while status == 409:
                _, document = await asyncio.to_thread(sidecar.admin, "GET", "/purge")
                status, _ = await hand_over(sidecar, "/plans/1", b"%d" % committed, document["seq"])
            assert status in {200, 201}
            _, body = await ask(sidecar, "/plans/1")
            assert body == b"fetched" or int(body) >= mine

    async with asyncio.timeout(100):
        await asyncio.gather(writes(a), writes(b), writes(a), writes(b))
    async with asyncio.timeout(10):
        await until_same(a, b, b"%d" % committed)


async def until_same(a, b, last):
    """Wait until both serve the last version, or what was fetched since."""
    while not {(await ask(a, "/plans/1"))[1], (await ask(b, "/plans/1"))[1]} <= {last, b"fetched"}:
        pass
