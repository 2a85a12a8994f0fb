"""A worker in this process, and a leader's end of the channel to it in the test's hands."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import asynccontextmanager

import pytest
from backends import Backend, Client

from proxy.background import Background
from proxy.message.errors import SapwoodError
from proxy.observe.snapshots import counters_of
from proxy.service.channel import Channel, ChannelError
from proxy.service.worker import Worker
from proxy.settings import load_settings

RULES = """
version: 1
workers: 2
service: worker
upstream: {url: "http://127.0.0.1:1", max_concurrent: 9}
log: {level: error, hits: 0%}
routes:
  - {name: plan, match: "GET /plans/{id}", authorization: ignore, cookies: ignore, tags: ["plan:{id}"], ttl: 1h}
"""


class Leader:
    """What a leader hears."""

    def __init__(self, written) -> None:
        self.written = written
        self.channel: Channel
        self.told = []
        self.failed = []

    async def obey(self, order, said):
        raise SapwoodError(order)

    def hear(self, news, said):
        self.told.append((news, said))

    async def begin(self, port, **more):
        said = {"written": self.written, "index": 1, "listen": f"127.0.0.1:{port}", "store_url": None, **more}
        return await self.channel.ask("begin", 30, **said)


@asynccontextmanager
async def led(valkey, upstream="http://127.0.0.1:1"):
    flags = {"store.url": valkey.url, "upstream.url": upstream}
    leader = Leader(load_settings(RULES, overrides=flags).written.as_dict())
    background = Background(lambda name, error: leader.failed.append((name, error)))
    ours, theirs = socket.socketpair()
    leader.channel = await Channel.over(ours, background)
    serving = background.start(leader.channel.serve(leader), name="leader")
    worker = Worker(None)
    running = asyncio.create_task(worker.run(theirs))
    try:
        async with asyncio.timeout(60):
            yield leader, worker, running
    finally:
        await leader.channel.close()
        await asyncio.wait([running, serving])
        await background.drain(0)
    running.result()


def reserved() -> tuple[socket.socket, int]:
    """Hold a port as a leader does."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return held, held.getsockname()[1]


@pytest.fixture(autouse=True)
def unsettled(monkeypatch):
    """What a worker does to its process' heap is not for this one."""
    monkeypatch.setattr("proxy.service.worker.settle", lambda *_: None)


@pytest.fixture
def port():
    held, number = reserved()
    yield number
    held.close()


async def hello(head):
    return b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


async def test_it_serves_its_share_and_tells_what_it_counts(valkey, port):
    async with Backend(hello) as backend, led(valkey, backend.url) as (leader, worker, running):
        assert await leader.begin(port) == {"failure": ""}
        assert worker._service.settings.origin.max_concurrent == 4, "half of what the leader leaves of nine"
        async with Client(port) as client:
            for _ in range(3):
                assert (await client.ask("/plans/1"))[0] == 200
        assert await leader.channel.ask("count", 5) == {}
        counters = counters_of(leader.told[-1][1]["counters"])
        assert sum(sum(row.classes) for row in counters.served.values()) == 3
        assert leader.told[-1][1]["gauges"]["memory_entries"] == 1
        known = await leader.channel.ask("would_hit", 5, selectors=["tag:plan:1"])
        assert (known["entries"], known["most_read"]) == (1, ["/plans/1"])
        assert await leader.channel.ask("drain", 20) == {}
        await running
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)


async def test_an_address_that_it_cannot_have_is_told(valkey):
    with socket.create_server(("127.0.0.1", 0)) as other:
        async with led(valkey) as (leader, *_):
            said = await leader.begin(other.getsockname()[1])
            assert "cannot listen on 127.0.0.1" in said["failure"]


async def test_mistakes_are_told_and_change_nothing(valkey, port):
    async with led(valkey) as (leader, worker, _):
        await leader.begin(port)
        before = worker._service.settings
        wrong = {**leader.written, "text": RULES.replace("ttl: 1h", "ttl: soon")}
        for order in ("check", "use"):
            said = await leader.channel.ask(order, 5, written=wrong)
            (mistake,) = said["mistakes"]
            assert "routes[0].ttl" in mistake
        assert worker._service.settings is before
        assert "routes[0].ttl" in (await leader.begin(port, written=wrong))["failure"]


async def test_other_rules_are_checked_and_then_used(valkey, port):
    async with led(valkey) as (leader, worker, _):
        await leader.begin(port)
        other = {**leader.written, "text": RULES.replace("name: plan", "name: other")}
        checked = await leader.channel.ask("check", 5, written=other)
        assert worker._service.house.parts.book.route_for(b"GET", b"/plans/1").route.name == "plan"
        used = await leader.channel.ask("use", 5, written=other)
        assert checked == used == {"mistakes": [], "fingerprint": worker._service.settings.fingerprint}
        assert worker._service.house.parts.book.route_for(b"GET", b"/plans/1").route.name == "other"


async def test_an_unknown_order_is_not_answered(valkey, port):
    async with led(valkey) as (leader, *_):
        await leader.begin(port)
        with pytest.raises(ChannelError, match="no answer"):
            await leader.channel.ask("dance", 0.05)


async def test_it_ends_when_its_leader_is_gone(valkey, port):
    async with led(valkey) as (leader, _, running):
        await leader.begin(port)
        await leader.channel.close()
        await running


async def test_it_drains_by_itself_when_it_is_told_by_a_signal(valkey, port):
    async with led(valkey) as (leader, worker, running):
        await leader.begin(port)
        leader.told.clear()
        os.kill(os.getpid(), signal.SIGTERM)
        await running
        assert not worker._service.is_ready
        assert leader.told[-1][0] == "counts", "its last words"


async def test_a_worker_that_never_began_just_ends(valkey):
    async with led(valkey) as (leader, _, running):
        with pytest.raises(ChannelError):  # it hears orders, so it hears signals
            await leader.channel.ask("dance", 0.05)
        os.kill(os.getpid(), signal.SIGTERM)
        await running
