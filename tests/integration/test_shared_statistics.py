"""Statistics of two sidecars on one Valkey, as an operator asks for them: added up, kept when one leaves, reset for both."""

from __future__ import annotations

import asyncio

from backends import Backend, Client
from sidecar import Sidecar

RULES = """
version: 1
service: shared
upstream: {url: http://127.0.0.1:1}
namespaces: {plans: {ttl: 1h}}
routes:
  - {name: plan, match: "GET /plans/{id}", namespace: plans, id: "{id}", authorization: ignore, cookies: ignore}
"""


async def answer(head: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def asked(sidecar, times):
    async with Client(sidecar.port) as client:
        for _ in range(times):
            await client.ask("/plans/1")


async def stats(sidecar):
    _, document = await asyncio.to_thread(sidecar.admin, "GET", "/stats")
    return document


def counts(document):
    plan = document["routes"].get("plan", {"requests": 0})
    return document["total_requests"], document["replica"]["total_requests"], plan["requests"]


async def test_two_sidecars_are_added_up_one_that_leaves_still_counts_and_a_reset_is_for_both(valkey):
    async with Backend(answer) as backend:
        with Sidecar(RULES, upstream=backend.url, store=valkey.url) as one:
            await asked(one, 3)
            with Sidecar(RULES, upstream=backend.url, store=valkey.url) as other:
                await asked(other, 5)
                document = await stats(other)
                assert document["replicas"]["live"] == 2, "each wrote as it began"
            document = await stats(one)
            assert counts(document) == (8, 3, 8), "who left wrote once more"
            assert (document["cache_hits"], document["cache_misses"], document["hit_rate"]) == (7, 1, 87.5)
            assert document["namespaces"]["plans"]["hits"] == 7
            with Sidecar(RULES, upstream=backend.url, store=valkey.url) as third:
                await asked(third, 2)
                _, document = await asyncio.to_thread(one.admin, "POST", "/stats/reset")
                assert counts(document) == (0, 0, 0)
                assert document["replicas"]["live"] >= 1
                # Asked for its statistics, it reads who else there is, and so of the reset.
                assert counts(await stats(third)) == (0, 0, 0)
                await asked(third, 4)
                assert counts(await stats(third)) == (4, 4, 4)
