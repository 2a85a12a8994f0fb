"""Three sidecars with hot tiers on one real Valkey: how far a purge has come, and who is not waited for."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import AsyncExitStack, closing

import pytest
from backends import Backend, Client
from servers import Valkey, until
from sidecar import Sidecar

MAX_LAG = 1.0
RULES = f"""
version: 1
service: receipts
upstream: {{url: http://127.0.0.1:1}}
log: {{hits: 0%}}
memory: {{max_lag: {int(MAX_LAG * 1000)}ms, on_store_failure: pass}}
defaults: {{ttl: 1h, stale_while_revalidate: 0s, stale_if_error: 0s}}
namespaces:
  plans: {{version: v1, ttl: 1h}}
routes:
  - {{name: plan, match: "GET /plans/{{id}}", namespace: plans, id: "{{id}}", authorization: ignore, cookies: ignore, tags: [plans]}}
invalidate:
  - after: PUT /plans/{{id}}
    tags: [plans]
"""


class Trio:
    """Three sidecars before one backend, whose answers say at which version of the data they were made."""

    def __init__(self, valkey: Valkey, sidecars: list[Sidecar]) -> None:
        self.valkey, self.sidecars = valkey, sidecars
        self.version = 0

    async def answer(self, head: bytes) -> bytes:
        body = b"%d" % self.version
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    async def ask(self, sidecar: Sidecar, target: str = "/plans/7", method: str = "GET") -> int:
        async with Client(sidecar.port) as client:
            status, _, body = await client.ask(target, method=method)
        assert status == 200
        return int(body)

    async def admin(self, sidecar: Sidecar, method: str, path: str, body=None):
        return await asyncio.to_thread(sidecar.admin, method, path, body)

    async def purge(self, sidecar: Sidecar, **order):
        """Return the status, the receipt and the seconds that it took."""
        began = time.monotonic()
        status, receipt = await self.admin(sidecar, "POST", "/purge", order)
        return status, receipt, time.monotonic() - began

    async def all_live(self, count: int) -> None:
        async with asyncio.timeout(30):
            while (await self.seen())["replicas"]["live"] != count:
                pass

    async def seen(self) -> dict:
        _, here = await self.admin(self.sidecars[0], "GET", "/purge")
        return (await self.admin(self.sidecars[0], "GET", f"/purge/{here['seq']}"))[1]


@pytest.fixture
async def trio(own_port_valkey):
    sidecars: list[Sidecar] = []
    trio = Trio(own_port_valkey, sidecars)
    async with AsyncExitStack() as stack:
        backend = await stack.enter_async_context(Backend(trio.answer))
        for _ in range(3):
            sidecar = Sidecar(RULES, upstream=backend.url, store=own_port_valkey.url)
            sidecars.append(stack.enter_context(sidecar))
        await trio.all_live(3)
        await asyncio.sleep(MAX_LAG)  # a younger list of replicas may lack one that trusts a mirror
        yield trio


@pytest.fixture
def own_port_valkey():
    with closing(Valkey(port=True)) as valkey:
        yield valkey.start()


async def test_who_waits_is_answered_when_all_have_confirmed_and_nobody_serves_what_was_purged(trio):
    for number in range(10):
        for sidecar in trio.sidecars:
            assert await trio.ask(sidecar) == number
            assert await trio.ask(sidecar) == number
        trio.version = number + 1
        status, receipt, seconds = await trio.purge(trio.sidecars[number % 3], tags=["plans"], wait="20s")
        assert (status, receipt["effective"], receipt["replicas"]) == (200, True, {"live": 3, "confirmed": 3})
        assert seconds < MAX_LAG, "confirmed, not waited out"


async def test_without_waiting_the_receipt_is_honest_and_leads_to_the_moment_when_it_holds(trio):
    for sidecar in trio.sidecars:
        await trio.ask(sidecar)
    trio.version = 1
    status, receipt, _ = await trio.purge(trio.sidecars[0], keys=["plans:v1:7"])
    assert (status, receipt["effective"]) == (202, False)
    assert receipt["replicas"]["live"] == 3
    assert await trio.ask(trio.sidecars[0]) == 1, "at once where it was purged"
    async with asyncio.timeout(20):
        while not (await trio.admin(trio.sidecars[1], "GET", f"/purge/{receipt['seq']}"))[1]["effective"]:
            pass
    assert [await trio.ask(sidecar) for sidecar in trio.sidecars] == [1, 1, 1]


async def test_a_stopped_replica_is_waited_for_as_long_as_it_may_trust_its_mirror_and_no_longer(trio):
    """By design.md section 3 its ``max_lag`` ends the wait, long before its heartbeat does.

    A stopped process serves nothing, and when it goes on its mirror is older than ``max_lag``: it asks first.
    """
    stopped = trio.sidecars[2]
    for sidecar in trio.sidecars:
        await trio.ask(sidecar)
    trio.version = 1
    os.kill(stopped.process.pid, signal.SIGSTOP)
    try:
        status, receipt, seconds = await trio.purge(trio.sidecars[0], tags=["plans"], wait="30s")
        assert (status, receipt["effective"]) == (200, True)
        assert receipt["replicas"] == {"live": 3, "confirmed": 2}
        assert MAX_LAG <= seconds < 4.0, "its max_lag, not the five seconds of its heartbeat"

        status, receipt, _ = await trio.purge(trio.sidecars[0], tags=["plans"], wait="100ms")
        assert (status, receipt["effective"]) == (202, False), "the wait ended before"

        waking = asyncio.create_task(trio.ask(stopped))  # it lies in the socket until the process goes on
        await asyncio.sleep(0.1)  # until it is written: the stopped process alone could say that it has come
        assert not waking.done()
    finally:
        os.kill(stopped.process.pid, signal.SIGCONT)
    assert await waking == 1, "with a copy and a mirror from before the purge"


async def test_who_is_gone_drops_out_at_its_heartbeats_end_and_who_leaves_in_order_at_once(trio):
    killed, leaving = trio.sidecars[1:]
    os.kill(killed.process.pid, signal.SIGKILL)
    killed.process.wait()
    status, receipt, seconds = await trio.purge(trio.sidecars[0], tags=["plans"], wait="30s")
    assert (status, receipt["replicas"]["live"]) == (200, 3)
    assert seconds >= MAX_LAG
    await trio.all_live(2)
    leaving.process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(leaving.process.wait, 30)
    assert (await trio.seen())["replicas"] == {"live": 1, "confirmed": 1}


async def test_a_flush_of_everything_lets_nothing_purged_be_served_even_from_hot_tiers(trio):
    """The list of replicas is lost too: a purge right after may not count as confirmed by the few that are back."""
    for number in range(3):
        for sidecar in trio.sidecars:
            await trio.ask(sidecar)
            assert await trio.ask(sidecar) == number
        trio.version = number + 1
        trio.valkey.command("FLUSHALL")
        status, receipt, seconds = await trio.purge(trio.sidecars[number % 3], tags=["plans"], wait="20s")
        assert (status, receipt["effective"]) == (200, True)
        assert seconds >= MAX_LAG * 0.9, "nobody knows who else trusts a mirror"
        assert [await trio.ask(sidecar) for sidecar in trio.sidecars] == [number + 1] * 3


async def test_a_purge_without_redis_is_503_and_one_of_a_write_is_kept_and_made_up_for(trio):
    first, second, _ = trio.sidecars
    for sidecar in trio.sidecars:
        await trio.ask(sidecar)
    trio.valkey.pause()
    try:
        status, problem, _ = await trio.purge(first, tags=["plans"], wait="1s")
        assert status == 503
        assert "nothing was purged" in problem["detail"]
        trio.version = 1
        await trio.ask(first, method="PUT")  # its answer is released after purge.wait_at_most
        assert await trio.ask(first) == 1, "this process knows better than to serve it again"
    finally:
        trio.valkey.resume()
    async with asyncio.timeout(30):
        while await trio.ask(second) != 1:
            pass
    await until(lambda: any(b'"retry"' in line for line in list(first.lines)))
