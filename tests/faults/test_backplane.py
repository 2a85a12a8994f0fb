"""Redis dies, hangs, comes back, forgets: what that costs those who ask."""

import asyncio
import time
from collections import Counter

import pytest
from nouns import a_key, a_response
from servers import until

from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.message.errors import StoreError
from proxy.observe.events import BreakerMoved, StoreAnswered, TaskFailed
from proxy.purge.options import PurgeOptions
from proxy.purge.shared import SharedLedger
from proxy.store.options import StoreOptions
from proxy.store.redis import RedisStore

CONNECTIONS = 8
TIMEOUT = 1.0
CLIENTS = 60


@pytest.fixture
async def backplane(own_valkey, told):
    plane = Backplane(BackplaneOptions(own_valkey.url, CONNECTIONS, TIMEOUT, TIMEOUT), told)
    yield plane
    await plane.close()
    assert told.of(TaskFailed) == []


class Load:
    """Clients that ask without a pause; what each asking took, and how it ended."""

    def __init__(self, backplane):
        self._backplane = backplane
        self.seconds = []
        self.outcomes = Counter()
        self._clients = [asyncio.create_task(self._ask()) for _ in range(CLIENTS)]

    async def _ask(self):
        while True:
            began = time.perf_counter()
            try:
                await self._backplane.run("load", b"GET", b"a")
                outcome = "answered"
            except StoreError:
                outcome = "failed"
            self.seconds.append(time.perf_counter() - began)
            self.outcomes[outcome] += 1
            await asyncio.sleep(0.001)

    async def more(self, outcome, count=CLIENTS * 3):
        """Wait for that many further outcomes."""
        wanted = self.outcomes[outcome] + count
        await until(lambda: self.outcomes[outcome] >= wanted)

    async def stop(self):
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    @property
    def slow(self):
        return [seconds for seconds in self.seconds if seconds > TIMEOUT / 2]


@pytest.fixture
async def load(backplane):
    load = Load(backplane)
    await load.more("answered")
    yield load
    await load.stop()


@pytest.mark.parametrize("fault", ["kill", "pause"])
async def test_redis_goes_under_load_and_comes_back(own_valkey, backplane, load, told, fault):
    await asyncio.to_thread(getattr(own_valkey, fault))
    await load.more("failed")
    assert backplane.is_open
    if fault == "pause":
        await until(lambda: len(load.slow) >= CONNECTIONS)  # those who had a connection pay the timeout
        await load.more("failed", CLIENTS * 20)

    assert len(load.slow) == (CONNECTIONS if fault == "pause" else 0)

    await asyncio.to_thread(own_valkey.start if fault == "kill" else own_valkey.resume)
    await load.more("answered", CLIENTS * 20)

    assert not backplane.is_open
    assert len(load.slow) == (CONNECTIONS if fault == "pause" else 0)
    moves = [event.is_open for event in told.of(BreakerMoved)]
    assert moves[0] is True
    assert moves[-1] is False


async def test_while_the_breaker_is_open_a_call_fails_without_waiting(own_valkey, backplane, told):
    own_valkey.kill()
    with pytest.raises(StoreError):
        await backplane.run("load", b"GET", b"a")

    with pytest.raises(StoreError):
        backplane.run("load", b"GET", b"a").send(None)  # one step of the coroutine: no turn of the loop

    assert [event.failure for event in told.of(StoreAnswered)] == ["connection", "breaker"]


async def test_a_hung_server_that_accepts_connections_costs_one_timeout(own_valkey, backplane, told):
    own_valkey.pause()
    began = time.perf_counter()

    with pytest.raises(StoreError, match="within 1 s"):
        await backplane.run("load", b"GET", b"a")

    assert TIMEOUT * 0.9 < time.perf_counter() - began < TIMEOUT * 1.8  # connecting and asking together
    assert told.of(StoreAnswered)[0].failure == "timeout"
    own_valkey.resume()


async def test_a_server_that_hangs_only_for_the_old_connections_is_used_over_new_ones(own_valkey, backplane, told):
    """As when a path between has dropped its state: nobody tells the old connections."""
    await asyncio.gather(*(backplane.run("load", b"DEBUG", b"SLEEP", b"0.01") for _ in range(CONNECTIONS)))
    own_valkey.pause()
    with pytest.raises(StoreError):
        await backplane.run("load", b"GET", b"a")
    own_valkey.resume()
    await until(lambda: not backplane.is_open)

    idle = backplane._pool._idle
    assert [connection for connection in idle if connection.is_connected] == []
    assert await backplane.run("load", b"PING") == b"PONG"


async def test_a_whole_store_and_its_ledger_survive_a_restart(own_valkey, told):
    backplane = Backplane(BackplaneOptions(own_valkey.url, CONNECTIONS, TIMEOUT, TIMEOUT), told)
    ledger = SharedLedger(backplane, "svc", PurgeOptions(), told, poll=0.01)
    store = RedisStore(backplane, ledger, StoreOptions())
    await ledger.start()
    try:
        key = a_key()
        before = (await store.load(key)).seq
        await store.save(key, a_response(seq=before), ttl=60)

        own_valkey.kill()
        with pytest.raises(StoreError):
            await store.load(key)
        own_valkey.start()
        await until(lambda: own_valkey.command("EXISTS", ledger.seq_key) == b":1" and not backplane.is_open)

        found = await store.load(key)
        assert found.entry is None
        assert found.seq.epoch != before.epoch
        await ledger.catch_up(found.seq)
        assert ledger.standing(["tag:a"], before, found.seq).purged
        await store.save(key, a_response(seq=found.seq), ttl=60)  # and the scripts that it forgot are sent again
        assert (await ledger.purge(["tag:plans"], soft=False, now=0.0)).n > found.seq.n
    finally:
        await ledger.close()
        await backplane.close()


async def test_forgotten_scripts_are_sent_again(own_valkey, told):
    backplane = Backplane(BackplaneOptions(own_valkey.url), told)
    ledger = SharedLedger(backplane, "svc", PurgeOptions(), told)
    await ledger.start()
    s0 = await ledger.position()
    own_valkey.command("SCRIPT", "FLUSH")

    at = await ledger.purge(["tag:a"], soft=False, now=0.0)

    assert ledger.standing(["tag:a"], s0, at).purged
    assert {event.failure for event in told.of(StoreAnswered)} == {""}
    await ledger.close()
    await backplane.close()


async def test_a_server_that_speaks_something_else_is_a_store_that_cannot_be_reached(told):
    async def babble(reader, writer):
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    backplane = Backplane(BackplaneOptions(f"redis://127.0.0.1:{port}/0"), told)
    with pytest.raises(StoreError):
        await backplane.run("load", b"PING")
    assert backplane.is_open
    await backplane.close()
    server.close()
    await server.wait_closed()
