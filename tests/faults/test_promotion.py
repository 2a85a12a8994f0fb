"""A replica of Redis is promoted that had not heard of the last purges; behind the same address, as of a service."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, closing, suppress

import pytest
from nouns import a_key, a_response
from servers import Valkey, until

from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.message.errors import StoreError
from proxy.message.selectors import PURGED
from proxy.purge.options import PurgeOptions
from proxy.purge.shared import SharedLedger
from proxy.store.options import StoreOptions
from proxy.store.redis import RedisStore

NEVER = 3600.0


class Address:
    """A port that leads to one server, then to another: whoever is connected is cut off in between."""

    def __init__(self, to: Valkey) -> None:
        self._to = to
        self._writers: set[asyncio.StreamWriter] = set()
        self._talks: set[asyncio.Task[None]] = set()

    async def open(self) -> str:
        self._server = await asyncio.start_server(self._met, "127.0.0.1", 0)
        return f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/0"

    def lead_to(self, server: Valkey) -> None:
        self._to = server
        for writer in tuple(self._writers):
            writer.close()

    async def _met(self, reader, writer) -> None:
        try:
            there, forth = await asyncio.open_connection("127.0.0.1", self._to.port)
        except ConnectionError:
            writer.close()
            return
        self._writers |= {writer, forth}
        await asyncio.gather(self._carry(reader, forth), self._carry(there, writer))
        self._writers -= {writer, forth}

    async def _carry(self, reader, writer) -> None:
        with suppress(ConnectionError):
            while octets := await reader.read(65536):
                writer.write(octets)
                await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def aclose(self) -> None:
        self.lead_to(self._to)
        self._server.close()
        await self._server.wait_closed()


@pytest.fixture
def primary():
    with closing(Valkey(port=True)) as server:
        yield server.start()


@pytest.fixture
def secondary(primary):
    with closing(Valkey("--replicaof", f"127.0.0.1 {primary.port}", port=True)) as server:
        yield server.start()


@pytest.fixture
async def address(primary):
    async with aclosing(Address(primary)) as address:
        address.url = await address.open()
        yield address


@pytest.fixture
async def process(address, told):
    """Start a process: its ledger and its store, through that address."""
    opened = []

    async def start(poll=NEVER):
        backplane = Backplane(BackplaneOptions(address.url, timeout=5.0), told)
        ledger = SharedLedger(backplane, "svc", PurgeOptions(), told, poll)
        opened.append((ledger, backplane))
        await ledger.start()
        return ledger, RedisStore(backplane, ledger, StoreOptions())

    yield start
    for ledger, backplane in opened:
        await ledger.close()
        await backplane.close()


async def judged(ledger, entry, at):
    """As a lookup does."""
    if (standing := ledger.standing(entry.selectors, entry.seq, at)) is None:
        await ledger.catch_up(at)
        standing = ledger.standing(entry.selectors, entry.seq, at)
    return standing


async def in_step(primary, secondary):
    await until(lambda: b"master_link_status:up" in secondary.command("INFO", "replication"))
    await until(lambda: primary.command("WAIT", "1", "1000") == b":1")


@pytest.mark.parametrize("who_purged_lives", [True, False], ids=["who purged lives on", "who purged is gone too"])
async def test_what_the_promoted_replica_never_heard_of_stays_purged(
    process, address, primary, secondary, who_purged_lives
):
    """Even at a process that had not heard of the purge either, and reads a position that it has seen before."""
    one, other = await process(), await process()
    entry = a_response(seq=await one[0].position(), selectors=("tag:a",))
    await one[1].save(a_key(), entry, ttl=3600)
    assert (await other[1].load(a_key())).entry == entry
    await in_step(primary, secondary)
    secondary.command("REPLICAOF", "NO", "ONE")
    await one[0].purge(["tag:a"], soft=False, now=0.0)

    address.lead_to(secondary)
    primary.kill()
    if who_purged_lives:
        await until_answered(one[0].position)
    found = await until_answered(lambda: other[1].load(a_key()))

    assert found.entry == entry, "it is there, as it was replicated"
    if not who_purged_lives:
        assert found.seq == other[0].known(), "nothing in what was read says that a purge is missing"
    assert await judged(other[0], entry, found.seq) == PURGED


async def test_after_a_failover_purges_and_fetches_go_on(process, address, primary, secondary):
    one, other = await process(poll=0.01), await process(poll=0.01)
    before = await one[0].position()
    await in_step(primary, secondary)
    secondary.command("REPLICAOF", "NO", "ONE")
    address.lead_to(secondary)
    primary.kill()

    await until_answered(one[0].position)
    s0 = await one[0].position()
    entry = a_response(seq=s0, selectors=("tag:a",))
    assert s0.epoch != before.epoch
    assert not (await judged(other[0], entry, await other[0].position())).purged
    at = await one[0].purge(["tag:a"], soft=False, now=0.0)
    assert await judged(other[0], entry, at) == PURGED
    assert one[0].looks.reconnected + other[0].looks.reconnected >= 1


async def until_answered(ask):
    async with asyncio.timeout(30):
        while True:
            with suppress(StoreError):
                return await ask()
            await asyncio.sleep(0.01)
