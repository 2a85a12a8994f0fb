"""One sidecar of several processes, as its users run it: one port, one admin port, sums that are exact and only grow."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.request
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest
from backends import Backend, Client
from prometheus_client.parser import text_string_to_metric_families
from servers import free_port, until
from sidecar import Sidecar

RULES = """
version: 1
service: crew
workers: 2
log: {hits: 0%}
drain_timeout: 10s
routes:
  - {name: plan, match: "GET /plans/{id}", authorization: ignore, cookies: ignore, tags: ["plan:{id}"], ttl: 1h}
"""
CLIENTS = 24  # by chance all at one of two workers: once in eight million runs


class Origin:
    """Counts what is asked for; a body is the version of the data."""

    def __init__(self) -> None:
        self.asked = 0
        self.version = 0
        self.gate: asyncio.Event | None = None

    async def __call__(self, head: bytes) -> bytes:
        self.asked += 1
        body = b"%d" % self.version
        if self.gate is not None:
            await self.gate.wait()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


@asynccontextmanager
async def crew(store, rules=RULES, **more):
    origin = Origin()
    async with AsyncExitStack() as stack:
        backend = await stack.enter_async_context(Backend(origin))
        sidecar = Sidecar(rules, upstream=backend.url, store=store, **more)
        await asyncio.to_thread(sidecar.__enter__)
        stack.push_async_callback(asyncio.to_thread, sidecar.__exit__, None, None, None)
        yield sidecar, origin


@asynccontextmanager
async def clients(sidecar, number=CLIENTS):
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Client(sidecar.port)) for _ in range(number)]


def workers(sidecar) -> list[int]:
    """Return the process ids of the workers."""
    return [pid for pid in children_of(sidecar) if b"proxy.service" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def children_of(sidecar) -> list[int]:
    leader = sidecar.process.pid
    return list(map(int, Path(f"/proc/{leader}/task/{leader}/children").read_text().split()))


def files(pid: int) -> int:
    """Return how many files a process has open, sockets among them."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def is_there(pid: int) -> bool:
    with suppress(OSError):
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


async def admin(sidecar, method, path, body=None):
    return await asyncio.to_thread(sidecar.admin, method, path, body)


async def scrape(sidecar) -> dict[str, float]:
    """Return each metric's sum over its labels."""

    def read():
        with urllib.request.urlopen(f"http://127.0.0.1:{sidecar.probes_port}/metrics", timeout=10) as answer:
            return answer.read().decode()

    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(await asyncio.to_thread(read)):
        for sample in family.samples:
            sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
    return sums


async def test_all_answer_on_one_port_and_their_counts_add_up_exactly(valkey):
    async with crew(valkey.url) as (sidecar, origin):
        pids = workers(sidecar)
        assert len(pids) == 2, "two workers"
        open_before = [files(pid) for pid in pids]
        async with clients(sidecar) as asking:
            for turn in range(10):
                for client, (status, _, body) in zip(
                    asking, await asyncio.gather(*(client.ask(f"/plans/{turn}") for client in asking)), strict=True
                ):
                    assert (status, body, client) == (200, b"0", client)
            open_now = [files(pid) for pid in pids]
            assert all(now > before for now, before in zip(open_now, open_before, strict=True)), "both have clients"
            sums = await scrape(sidecar)
        _, stats = await admin(sidecar, "GET", "/stats")
        assert stats["total_requests"] == sums["sapwood_requests_total"] == 10 * CLIENTS
        assert sums["sapwood_request_seconds_count"] == 10 * CLIENTS
        assert stats["cache_hits"] + stats["cache_misses"] == 10 * CLIENTS
        assert sums["sapwood_upstream_requests_total"] == origin.asked
        assert sums["sapwood_memory_entries"] >= 10
        assert (sums["sapwood_workers_up"], sums["sapwood_worker_restarts_total"]) == (2, 0)
        _, zero = await admin(sidecar, "POST", "/stats/reset")
        assert (zero["total_requests"], zero["cache_hits"]) == (0, 0)
        assert (await scrape(sidecar))["sapwood_requests_total"] == 10 * CLIENTS, "metrics only grow"


async def test_a_purge_holds_at_all_workers_when_its_receipt_says_so(valkey):
    async with crew(valkey.url) as (sidecar, origin), clients(sidecar) as asking:
        for version in range(5):
            origin.version = version
            for _ in range(2):  # the second time from the hot tier
                answers = [await client.ask("/plans/1") for client in asking]
                assert {body for _, _, body in answers} == {b"%d" % version}
            origin.version += 1
            status, receipt = await admin(sidecar, "POST", "/purge", {"tags": ["plan:1"], "wait": "5s"})
            assert (status, receipt["effective"]) == (200, True)
            assert receipt["replicas"] == {"live": 3, "confirmed": 3}, "two workers and the one that leads them"


async def test_estimates_refreshes_and_entries_are_of_all_workers(valkey):
    async with crew(valkey.url) as (sidecar, origin), clients(sidecar) as asking:
        for client in asking:
            await client.ask("/plans/1")
        _, known = await admin(sidecar, "POST", "/purge", {"tags": ["plan:1"], "dry_run": True})
        assert (known["entries"], known["most_read"]) == (1, ["/plans/1"])
        assert known["reads"] in {CLIENTS - 1, CLIENTS}, "of all workers; the first of them was no hit yet"
        asked = origin.asked
        _, receipt = await admin(sidecar, "POST", "/purge", {"tags": ["plan:1"], "wait": "5s", "refresh": 5})
        assert (receipt["refreshing"], receipt["effective"]) == (1, True)
        async with asyncio.timeout(10):
            await until(lambda: origin.asked > asked)
            while not (await admin(sidecar, "GET", "/entries?url=http://a.example/plans/1"))[1]["entries"][0]["fresh"]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        _, nothing = await admin(sidecar, "POST", "/purge", {"tags": ["none"], "refresh": 5})
        assert nothing["refreshing"] == 0


async def test_a_worker_that_is_killed_is_replaced_and_its_counts_stay(valkey):
    """The others go on meanwhile: only who was connected to it notices."""
    async with crew(valkey.url) as (sidecar, _):
        stop, broken, done = asyncio.Event(), 0, 0

        async def keep_asking():
            nonlocal broken, done
            while not stop.is_set():
                try:
                    async with Client(sidecar.port) as client:
                        while not stop.is_set():
                            assert (await client.ask("/plans/1"))[0] == 200
                            done += 1
                except (ConnectionError, asyncio.IncompleteReadError):
                    broken += 1

        asking = [asyncio.create_task(keep_asking()) for _ in range(8)]
        async with asyncio.timeout(60):
            await until(lambda: done > 500)
            seen = (await admin(sidecar, "GET", "/stats"))[1]["total_requests"]
            (victim, other) = workers(sidecar)
            os.kill(victim, signal.SIGKILL)
            before = done
            await until(lambda: done > before + 200)
            while (sums := await scrape(sidecar))["sapwood_worker_restarts_total"] < 1 or sums[
                "sapwood_workers_up"
            ] < 2:
                assert sums["sapwood_requests_total"] >= seen
                seen = sums["sapwood_requests_total"]
        stop.set()
        await asyncio.gather(*asking)
        assert broken <= 8, "one break for each connection at most"
        assert workers(sidecar).count(other) == 1
        assert len(workers(sidecar)) == 2
        assert victim not in workers(sidecar)
        (line,) = [json.loads(line) for line in sidecar.lines if b"worker_ended" in line]
        assert (line["how"], line["level"]) == ("killed by SIGKILL", "error")
        # What it had not told yet is all that may be missing.
        assert done * 0.5 < (await admin(sidecar, "GET", "/stats"))[1]["total_requests"] <= done + broken
        assert (await admin(sidecar, "GET", "/health"))[1]["status"] == "healthy"

        # Nobody asks any more, and it has told all that it counted: not one of these is lost with it.
        told = (await scrape(sidecar))["sapwood_requests_total"]
        os.kill(other, signal.SIGKILL)
        async with asyncio.timeout(30):
            while (sums := await scrape(sidecar))["sapwood_worker_restarts_total"] < 2 or sums[
                "sapwood_workers_up"
            ] < 2:
                assert sums["sapwood_requests_total"] == told
        assert (await scrape(sidecar))["sapwood_requests_total"] == told


async def test_a_drain_answers_everything_that_was_accepted(valkey):
    async with crew(valkey.url) as (sidecar, origin), clients(sidecar) as asking:
        pids = workers(sidecar)
        origin.gate = asyncio.Event()
        answers = [asyncio.create_task(client.ask(f"/plans/{number}")) for number, client in enumerate(asking)]
        async with asyncio.timeout(30):
            await until(lambda: origin.asked == CLIENTS)
            sidecar.process.send_signal(signal.SIGTERM)
            while await accepts(sidecar.port):  # noqa: ASYNC110  another process cannot set our events
                await asyncio.sleep(0.01)
            origin.gate.set()
            assert [status for status, _, _ in await asyncio.gather(*answers)] == [200] * CLIENTS
            for client in asking:
                await client.__aexit__()  # else the sidecar waits a while for them to read
            assert await asyncio.to_thread(sidecar.process.wait, 20) == 0
        assert [pid for pid in pids if is_there(pid)] == []
        assert b"worker_ended" not in b"".join(sidecar.lines)


async def is_replaced(sidecar) -> None:
    """Wait until another worker has taken a dead one's place."""
    async with asyncio.timeout(30):
        while True:
            sums = await scrape(sidecar)
            if sums["sapwood_worker_restarts_total"] and sums["sapwood_workers_up"] == 2:
                return


async def accepts(port: int) -> bool:
    """Say whether somebody still listens."""
    with suppress(ConnectionRefusedError):
        async with Client(port):
            return True
    return False


async def test_a_reload_is_taken_by_all_or_by_none(valkey):
    async with crew(valkey.url) as (sidecar, _):
        sidecar.rules.write_text(RULES.replace("ttl: 1h", "ttl: soon"))
        status, problem = await admin(sidecar, "POST", "/reload")
        assert (status, problem["mistakes"][0]["path"]) == (422, "routes[0].ttl")
        assert (await admin(sidecar, "GET", "/health"))[1]["status"] == "degraded"
        sidecar.rules.write_text(RULES.replace("workers: 2", "workers: 3"))
        status, problem = await admin(sidecar, "POST", "/reload")
        assert (status, problem["mistakes"][0]["message"]) == (422, "needs a restart")
        sidecar.rules.write_text(RULES.replace("name: plan", "name: other"))
        assert (await admin(sidecar, "POST", "/reload"))[0] == 200
        async with clients(sidecar) as asking:
            for client in asking:
                await client.ask("/plans/1")
        stats = (await admin(sidecar, "GET", "/stats"))[1]
        assert {name: line["requests"] for name, line in stats["routes"].items()} == {"other": CLIENTS}
        (victim, _) = workers(sidecar)
        os.kill(victim, signal.SIGKILL)
        await is_replaced(sidecar)
        async with clients(sidecar) as asking:
            for client in asking:
                await client.ask("/plans/1")
        stats = (await admin(sidecar, "GET", "/stats"))[1]
        assert stats["routes"].keys() == {"other"}, "who comes later begins with what runs"
        assert (await admin(sidecar, "GET", "/explain?url=http://a.example/plans/1"))[1]["route"] == "other"


async def test_what_is_logged_is_changed_at_all_workers_those_to_come_too(valkey):
    async with crew(valkey.url) as (sidecar, _):
        async with clients(sidecar, 1) as (client,):
            await client.ask("/plans/1")
        assert (await admin(sidecar, "PUT", "/log", {"hits": "100%"}))[0] == 200
        os.kill(workers(sidecar)[0], signal.SIGKILL)
        await is_replaced(sidecar)
        async with clients(sidecar) as asking:
            for client in asking:
                await client.ask("/plans/1")
        async with asyncio.timeout(10):
            await until(lambda: len([line for line in sidecar.lines if b'"outcome":"hit' in line]) == CLIENTS)


async def test_when_the_leader_is_killed_nothing_remains(valkey):
    """The workers go, and so does the store that it had started."""
    async with AsyncExitStack() as stack:
        backend = await stack.enter_async_context(Backend(Origin()))
        sidecar = Sidecar(RULES, upstream=backend.url, store="embedded://")
        await asyncio.to_thread(sidecar.__enter__)
        stack.push_async_callback(asyncio.to_thread, sidecar.__exit__, None, None, None)
        children = children_of(sidecar)
        assert len(children) == 3
        async with clients(sidecar, 4) as asking:
            assert [(await client.ask("/plans/1"))[0] for client in asking] == [200] * 4
        sidecar.process.kill()
        async with asyncio.timeout(10):
            await until(lambda: not any(is_there(pid) for pid in children))


async def test_a_port_that_another_service_has_is_refused(valkey):
    port = free_port()
    async with Backend(Origin(), port), Backend(Origin()) as backend:
        sidecar = Sidecar(RULES, upstream=backend.url, store=valkey.url, listen=f"127.0.0.1:{port}")
        with pytest.raises(RuntimeError, match=f"cannot listen on 127.0.0.1:{port}: .*[Aa]ddress already in use"):
            await asyncio.to_thread(sidecar.__enter__)
        assert await asyncio.to_thread(sidecar.process.wait, 10) == 1
        await asyncio.to_thread(sidecar.__exit__, None, None, None)


async def test_all_accept_from_one_unix_socket(valkey, tmp_path):
    path = tmp_path / "front.sock"
    async with crew(valkey.url, listen=f"unix:{path}") as (sidecar, origin):

        async def ask(number):
            reader, writer = await asyncio.open_unix_connection(str(path))
            writer.write(b"GET /plans/%d HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n" % number)
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            writer.close()

        await asyncio.gather(*map(ask, range(20)))
        os.kill(workers(sidecar)[0], signal.SIGTERM)  # it drains, and is replaced; the socket is the leader's
        await is_replaced(sidecar)
        await asyncio.gather(*map(ask, range(20, 40)))
        assert origin.asked == 40
    assert not path.exists()


def test_several_workers_need_a_shared_store(tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES + "upstream: {url: http://127.0.0.1:1}\n")
    done = subprocess.run(
        [sys.executable, "-m", "proxy", "serve", "--config", str(rules)], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert b"rules.yaml:4:10: workers: 2 processes need a store that they share" in done.stderr
