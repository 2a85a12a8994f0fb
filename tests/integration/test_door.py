"""A request that waits for the store alone waits without a task: the same bytes, counters and lines as with one."""

import asyncio
import contextlib
import uuid
from dataclasses import replace

import orjson
import pytest
from clocks import Clock
from hypothesis import HealthCheck, given, settings
from lanes import House, masked
from servers import until

from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.message.errors import StoreError
from proxy.message.selectors import Seq
from proxy.observe.events import RequestServed, TaskFailed
from proxy.purge.local import LocalLedger
from proxy.purge.options import PurgeOptions
from proxy.purge.shared import SharedLedger
from proxy.store.memory import MemoryStore
from proxy.store.options import StoreOptions
from proxy.store.redis import RedisStore
from proxy.store.tiered import TieredStore
from tests.integration.test_lane import CORS, RULES, act, head, stories

EXAMPLES = 80
"""For each set of rules: a story that a broken door fails is among the first 40, for each way to break it."""

REFUSING = RULES.replace("defaults: {", "defaults: {on_store_failure: refuse, ")


@pytest.fixture
def one_id(monkeypatch):
    """Give every request without a proper id the same one."""
    monkeypatch.setattr("proxy.front.incoming.uuid.uuid4", lambda: uuid.UUID(int=7))


class Late(MemoryStore):
    """Tells what it has in another turn of the loop, as a store does that has to be asked."""

    def ask(self, key, told):
        super().ask(key, lambda found: asyncio.get_running_loop().call_soon(told, found))

    def ask_variant(self, key, base, told):
        super().ask_variant(key, base, lambda found: asyncio.get_running_loop().call_soon(told, found))


def a_house(rules, store=MemoryStore, **how):
    ledger = LocalLedger()
    ledger.seq = Seq("epoch", 0)
    clock = Clock()
    house = House(rules, lane=False, logged=1.0, ledger=ledger, store=store(ledger, StoreOptions(), now=clock), **how)
    house.stage.parts.store.now = house.stage.clock
    return house


def lines(house):
    return [{**orjson.loads(line), "seconds": 0, "time": 0} for line in house.lines]


@pytest.mark.parametrize("store", [MemoryStore, Late], ids=["at once", "later"])
@pytest.mark.parametrize("rules", [RULES, CORS, None], ids=["declared", "with CORS", "implicit"])
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=stories())
def test_the_door_changes_no_byte_no_counter_and_no_line(one_id, rules, store, steps):
    async def story():
        by_door, awaited = a_house(rules, store), a_house(rules, door=False)
        for step, what in steps:
            said = await act(by_door, step, what)
            expected = await act(awaited, step, what)
            assert masked(said) == masked(expected), (step, what)
        await by_door.ends()
        await awaited.ends()
        assert by_door.counted() == awaited.counted()
        assert lines(by_door) == lines(awaited)
        assert len(by_door.stage.origin.heard) == len(awaited.stage.origin.heard)

    asyncio.run(story())


# In front of a real Redis, which can be made to wait.

ASKING = head("GET", "/open/plain", "1.1", ["Host: api.example"])
VARIED = head("GET", "/open/varied", "1.1", ["Host: api.example", "Accept-Language: de"])


@pytest.fixture
async def redis(own_valkey, told):
    """A server and what is open to it; ``houses(...)`` opens another house on it."""
    opened = []

    class Redis:
        server = own_valkey

        async def house(self, rules=RULES, *, tiered=False, patience=1.0, **how):
            plane = Backplane(BackplaneOptions(own_valkey.url, timeout=patience), told)
            ledger = SharedLedger(plane, "door", PurgeOptions(), told)
            opened.append((plane, ledger))
            await ledger.start()
            store = RedisStore(plane, ledger, StoreOptions())
            if tiered:
                clock = Clock()
                memory = MemoryStore(ledger, StoreOptions(), now=clock)
                store = TieredStore(memory, store, ledger, 3600.0, "stale")
            house = House(rules, lane=False, logged=1.0, ledger=ledger, store=store, **how)
            house.plane = plane
            house.connects()
            return house

        async def warm_house(self, *requests, **how):
            """Return a house whose answers to these requests lie in Redis."""
            house = await self.house(**how)
            for request in requests or (ASKING,):
                assert b"X-Cache-Status: MISS" in await house.hears(request)
                await until(lambda: b"X-Cache-Status: MISS" in house.wire.written)
            await until(lambda: own_valkey.command("DBSIZE") > b":1")
            return house

    yield Redis()
    for plane, ledger in opened:
        await ledger.close()
        await plane.close()
    assert told.of(TaskFailed) == []


async def asks_and_waits(house, request):
    """Ask while the server says nothing: the question has left, and no answer can come."""
    before = len(house.wire.written)
    house.connection.data_received(request)
    await until(lambda: house.plane._pool._in_use)
    assert len(house.wire.written) == before
    assert len(house.front.background) == 0  # nobody waits in a task


@pytest.mark.parametrize("request_", [ASKING, VARIED], ids=["one read", "a variant"])
async def test_a_hit_from_redis_takes_no_task(redis, request_):
    house = await redis.warm_house(request_)
    started = []
    house.front.background.start = lambda *work: started.append(work)
    assert b"X-Cache-Status: HIT" in await house.hears(request_)
    assert started == []


async def test_a_hit_from_memory_in_front_of_redis_is_answered_in_the_same_turn(redis):
    house = await redis.warm_house(tiered=True)
    before = len(house.wire.written)
    house.connection.data_received(ASKING)
    assert b"X-Cache-Status: HIT" in house.wire.written[before:]


async def test_a_client_that_leaves_while_the_store_is_asked_takes_nothing_along(redis):
    house = await redis.warm_house()
    redis.server.pause()
    await asks_and_waits(house, ASKING)
    said = house.wire.written
    house.connection.connection_lost(None)
    redis.server.resume()
    leaver = house.wire
    house.connects()
    assert b"X-Cache-Status: HIT" in await house.hears(ASKING)
    assert leaver.written == said
    told = house.stage.facts.of(RequestServed)
    assert [(event.status, event.aborted) for event in told] == [(200, False), (499, True), (200, False)]
    assert list(house.counted()[1].values()) == [2]  # nobody read what nobody got
    await house.ends()


async def test_who_waits_for_the_store_at_the_drain_is_answered_and_told_that_it_was_the_last(redis):
    house = await redis.warm_house()
    redis.server.pause()
    await asks_and_waits(house, ASKING)
    draining = asyncio.create_task(house.front.drain(5))
    await asyncio.sleep(0)
    before = len(house.wire.written)
    redis.server.resume()
    await house.rests()
    said = house.wire.written[before:]
    assert b"X-Cache-Status: HIT" in said
    assert b"Connection: close" in said
    house.connection.connection_lost(None)
    await draining
    await house.ends()


@pytest.mark.parametrize("rules", [RULES, REFUSING], ids=["a miss", "a refusal"])
@pytest.mark.parametrize("tiered", [False, True], ids=["Redis alone", "memory in front"])
@pytest.mark.parametrize("how", ["pause", "kill"])
async def test_a_store_that_fails_costs_the_same_by_the_door_and_in_a_task(one_id, redis, how, tiered, rules):
    by_door = await redis.warm_house(rules=rules, tiered=tiered, patience=0.2)
    awaited = await redis.house(rules=rules, tiered=tiered, patience=0.2, door=False)
    await awaited.hears(ASKING)
    getattr(redis.server, how)()
    said = []
    for house in (by_door, awaited):
        if tiered:
            house.stage.parts.store._max_lag = 0.0  # so that Redis is asked
        said.append([masked(await house.hears(ASKING)) for _ in range(3)])
        assert house.stage.failures == []
    assert said[0] == said[1]
    expected = b"detail=store-unavailable" if tiered or rules is REFUSING else b"X-Cache-Status: MISS"
    assert all(expected in answer for answer in said[0])
    if how == "pause":
        redis.server.resume()


async def test_a_record_that_is_none_is_a_miss_and_goes(redis):
    house = await redis.warm_house()
    (digest,) = house.counted()[1]
    redis.server.command("SET", f"cache:response:{digest}", "garbage")
    heard = len(house.stage.origin.heard)
    assert b"X-Cache-Status: MISS" in await house.hears(ASKING)
    assert len(house.stage.origin.heard) == heard + 1
    await until(lambda: int(redis.server.command("STRLEN", f"cache:response:{digest}")[1:]) > 99)
    assert b"X-Cache-Status: HIT" in await house.hears(ASKING)


async def test_a_record_that_takes_time_to_read_is_read_by_another(redis, monkeypatch):
    house = await redis.warm_house()
    monkeypatch.setattr("proxy.store.redis._LARGE", 1)
    assert b"X-Cache-Status: HIT" in await house.hears(ASKING)


async def test_at_the_end_who_waits_for_a_large_record_is_not_forgotten(redis, monkeypatch):
    house = await redis.warm_house()
    monkeypatch.setattr("proxy.store.redis._LARGE", 1)
    told = []
    begun = asyncio.Event()

    async def never(*_):
        begun.set()
        await asyncio.Event().wait()

    house.stage.parts.store._read = never
    (key,) = house.stage.parts.book._keys.values()
    house.stage.parts.store.ask(key.cache, told.append)
    await begun.wait()
    await house.plane.tasks.drain(0)
    await asyncio.sleep(0)
    assert isinstance(told[0], StoreError)


async def test_the_rules_of_the_beginning_hold_to_the_end(redis):
    house = await redis.warm_house()
    redis.server.pause()
    await asks_and_waits(house, ASKING)
    parts = house.stage.parts
    parts.book = replace(parts.book, generation=parts.book.generation + 1, enabled=False)
    before = len(house.wire.written)
    redis.server.resume()
    await house.rests()
    assert b"X-Cache-Status: HIT" in house.wire.written[before:]
    assert b"X-Cache-Status: BYPASS" in await house.hears(ASKING)


async def test_answers_keep_their_order_whoever_has_them_first(redis):
    house = await redis.warm_house(ASKING, VARIED)
    refused = head("PURGE", "/x", "1.1", ["Host: api.example"])
    missed = head("GET", "/open/plain?a=9", "1.1", ["Host: api.example"])
    said = await house.hears(VARIED + refused + ASKING + missed + ASKING + VARIED)
    heads = [part.partition(b"\r\n")[0] for part in said.split(b"HTTP/1.1 ")[1:]]
    assert heads == [b"200 OK", b"405 Method Not Allowed", *[b"200 OK"] * 4]
    bodies = [b"varied", b"plain", b"plain?a=9", b"plain", b"varied"]
    places = [said.find(b"/open/" + body + b" for") for body in bodies]
    assert said.count(b"X-Cache-Status: HIT") == 4
    assert places[0] < places[1] < places[2]


async def test_a_purge_that_another_process_acknowledged_meanwhile_counts(redis):
    house, other = await redis.warm_house(), await redis.house()
    await other.stage.parts.ledger.purge(["tag:all"], soft=False, now=house.stage.clock.now)
    heard = len(house.stage.origin.heard)
    assert b"X-Cache-Status: MISS" in await house.hears(ASKING)  # its position came with the entry
    assert len(house.stage.origin.heard) == heard + 1


async def test_whoever_leaves_while_the_ledger_is_read_leaves_nothing_behind(redis):
    house = await redis.warm_house()
    reading = asyncio.Event()

    async def catch_up(_):
        reading.set()
        await asyncio.Event().wait()

    house.stage.parts.ledger.standing = lambda *_: None
    house.stage.parts.ledger.catch_up = catch_up
    before = len(house.stage.origin.heard)
    house.connection.data_received(ASKING)
    await reading.wait()
    await house.ends()
    assert len(house.stage.origin.heard) == before


class UnexpectedError(Exception):
    """Nobody expects it."""


@pytest.mark.parametrize("where", ["key", "plan", "store"])
async def test_a_bug_costs_its_own_request_and_is_told(one_id, monkeypatch, where):
    house = a_house(RULES, Late)
    await house.hears(ASKING)

    def fails(*_, **__):
        raise UnexpectedError

    with monkeypatch.context() as broken:
        if where == "store":
            house.stage.parts.store.ask = lambda key, told: told(UnexpectedError())
        else:
            broken.setattr(f"proxy.pipeline.answer.{where}{'s' if where == 'key' else ''}.{where}_for", fails)
        assert b"500 Internal Server Error" in await house.hears(ASKING)
        with contextlib.suppress(AttributeError):
            del house.stage.parts.store.ask
    assert [(name, type(error)) for name, error in house.stage.failures] == [("answer", UnexpectedError)]
    house.stage.failures.clear()
    assert b"X-Cache-Status: HIT" in await house.hears(ASKING)
    await house.ends()


async def test_an_answer_that_cannot_be_sent_ends_its_connection(one_id):
    house = a_house(RULES)
    await house.hears(ASKING)

    def fails(*_):
        raise UnexpectedError

    house.wire.write = fails
    house.connection.data_received(ASKING)
    assert house.wire.events == ["abort"]
    assert [(name, type(error)) for name, error in house.stage.failures] == [("exchange", UnexpectedError)]
    assert house.stage.facts.of(RequestServed)[-1].aborted


@pytest.mark.parametrize(("method", "target"), [("HEAD", "/open/plain"), ("GET", "/elsewhere")])
async def test_who_leaves_before_a_task_has_begun_leaves_no_work_behind(method, target):
    house = a_house(RULES)
    house.connects()
    house.connection.data_received(head(method, target, "1.1", ["Host: api.example"]))
    assert len(house.front.background) == 1
    await house.ends()
    assert house.stage.origin.heard == []
