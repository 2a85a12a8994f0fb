"""Two replicas, one dictionary: read by both; where it is lost, damaged or planted, entries are missing and never wrong."""

from __future__ import annotations

import asyncio
import json
import random

import pytest
from alike import a_dictionary, a_plan
from nouns import a_key, a_response

from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.observe.events import StoreAnswered, TaskFailed
from proxy.purge.options import PurgeOptions
from proxy.purge.shared import SharedLedger
from proxy.store.codec import encode
from proxy.store.dictionaries import LOST_SECONDS
from proxy.store.dictionary import name_of
from proxy.store.leaning import lengths
from proxy.store.learning import LOOK_SECONDS
from proxy.store.options import DictionaryOptions, StoreOptions
from proxy.store.redis import RedisStore

OPTIONS = StoreOptions(dictionary=DictionaryOptions(size=16 * 1024, samples=128 * 1024))


class Replica:
    """A store in Redis, as one process has it."""

    def __init__(self, url, told):
        self.backplane = Backplane(BackplaneOptions(url), told)
        self.store = RedisStore(self.backplane, SharedLedger(self.backplane, "svc", PurgeOptions(), told), OPTIONS)
        self.seconds = 1000.0
        self.store._learning._now = self.store._known._now = lambda: self.seconds

    @property
    def dictionary(self):
        return self.store._learning.current

    async def saves(self, number, *, public=True, body=None, ttl=60):
        entry = a_response(a_plan(number) if body is None else body)
        size = await self.store.save(a_place(number), entry, ttl=ttl, is_for_all=lambda: public)
        await self.rests()
        return size

    async def rests(self):
        while own := [task for task in self.backplane.tasks._tasks if task.get_name() == "dictionary"]:
            await asyncio.gather(*own)

    async def finds(self, number):
        return (await self.store.load(a_place(number))).entry

    async def learns(self, *, public=True):
        """Save until entries lean on a dictionary."""
        for number in range(400):
            await self.saves(number, public=public)
        for _ in range(3):
            self.seconds += 1.1
            await self.saves(300, public=public)


def a_place(number):
    return a_key(f"GET /plans/{number}")


def record_of(valkey, number):
    return valkey.command("GET", f"cache:response:{a_place(number).digest}")


def place_of(dictionary):
    return f"cache:dictionary:{dictionary.name.hex()}"


@pytest.fixture
async def replicas(valkey, told):
    made = []

    def make():
        made.append(Replica(valkey.url, told))
        return made[-1]

    yield make
    for replica in made:
        await replica.backplane.close()
    assert told.of(TaskFailed) == []


@pytest.fixture
async def one(replicas):
    replica = replicas()
    await replica.learns()
    assert replica.dictionary is not None
    return replica


@pytest.fixture
def two(one, replicas):
    """A replica that has only just come."""
    return replicas()


async def test_what_one_wrote_the_other_reads(one, two, valkey):
    assert lengths(record_of(valkey, 300)) is not None
    assert await two.finds(300) == a_response(a_plan(300))
    assert await two.finds(0) == a_response(a_plan(0))  # of before the dictionary
    await two.saves(400)
    two.seconds += 1.1
    await two.saves(401)
    assert lengths(record_of(valkey, 401)) is not None
    assert await one.finds(401) == a_response(a_plan(401))


async def test_it_takes_half_as_much(one, valkey):
    alone = len(encode(a_response(a_plan(300)), a_place(300).material, 1024))
    assert await one.saves(300) == len(record_of(valkey, 300)) < 0.5 * alone


async def test_many_readers_load_it_once(one, two, told):
    for number in range(400, 450):
        await one.saves(number)
    told.events.clear()
    found = await asyncio.gather(*(two.finds(number) for number in range(400, 450)))
    assert found == [a_response(a_plan(number)) for number in range(400, 450)]
    assert [event.operation for event in told.of(StoreAnswered)] == ["load", "dictionary"]


async def test_a_hit_by_a_dictionary_at_hand_asks_for_nothing_more(one, told):
    told.events.clear()
    assert await one.finds(300) == a_response(a_plan(300))
    assert [event.operation for event in told.of(StoreAnswered)] == ["load"]


async def test_what_is_not_for_all_is_never_learned_from_and_may_lean(replicas, one, valkey):
    private = replicas()
    valkey.command("FLUSHALL")
    await private.learns(public=False)
    assert private.dictionary is None
    assert len(private.store._learning._samples) == 0
    await one.saves(7, public=False)
    one.seconds += LOOK_SECONDS
    await one.saves(7, public=False)
    await one.saves(7, public=False)
    assert lengths(record_of(valkey, 7)) is not None


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda valkey, place: valkey.command("DEL", place), id="gone"),
        pytest.param(lambda valkey, place: valkey.command("SETRANGE", place, "5000", "nonsense"), id="damaged"),
        pytest.param(lambda valkey, place: valkey.command("SET", place, a_dictionary("tariff").value), id="another"),
        pytest.param(lambda valkey, place: valkey.command("SET", place, b"x" * (8 << 20)), id="large"),
    ],
)
async def test_where_it_is_not_what_it_says_an_entry_is_missing_until_somebody_puts_it_back(one, two, valkey, damage):
    place = place_of(one.dictionary)
    damage(valkey, place)

    assert [await two.finds(300) for _ in range(3)] == [None] * 3
    assert lengths(record_of(valkey, 300)) is not None  # nobody deletes it
    assert await one.finds(300) == a_response(a_plan(300))

    one.seconds += LOOK_SECONDS
    await one.saves(301)
    two.seconds += LOST_SECONDS + 0.1
    assert await two.finds(300) == a_response(a_plan(300))


async def test_what_it_lost_is_fetched_again_and_saved_in_its_place(one, two, valkey):
    valkey.command("DEL", place_of(one.dictionary))
    assert await two.finds(300) is None
    await two.saves(300)
    assert await two.finds(300) == await one.finds(300) == a_response(a_plan(300))


async def test_everything_flushed_is_learned_again(one, two, valkey):
    valkey.command("FLUSHALL")
    one.seconds += LOOK_SECONDS
    await one.saves(300)
    assert await two.finds(300) == a_response(a_plan(300))
    await one.saves(301)
    assert await two.finds(301) == a_response(a_plan(301))


async def test_a_planted_dictionary_plants_answers_and_no_more(one, two, valkey):
    planted = a_dictionary("tariff")
    valkey.command("SET", place_of(planted), planted.value, "PX", "60000")
    record = encode(a_response(b"{}" * 1000), a_place(1).material, 1024, planted)
    valkey.command("SET", f"cache:response:{a_place(1).digest}", record)
    assert await two.finds(1) == a_response(b"{}" * 1000)
    for at in range(200):  # names of nothing are not remembered for ever
        forged = bytearray(record)
        forged[8:16] = at.to_bytes(8)
        valkey.command("SET", f"cache:response:{a_place(1).digest}", bytes(forged))
        assert await two.finds(1) is None
    value = b"sd\x01" + bytes(500)
    valkey.command("SET", f"cache:dictionary:{name_of(value).hex()}", value)
    valkey.command("SET", "cache:dictionary:svc:current", name_of(value).hex())
    one.seconds += LOOK_SECONDS
    await one.saves(300)
    assert await one.saves(300) < 700
    assert await two.finds(300) == a_response(a_plan(300))


async def test_no_entry_outlives_its_dictionary(one, valkey):
    chance = random.Random(7)
    for number in range(60):
        one.seconds += chance.choice((0.5, 2.0, 30.0))
        await one.saves(number, ttl=chance.choice((1, 60, 3600, 86400)))
        of_entry = int(valkey.command("PTTL", f"cache:response:{a_place(number).digest}")[1:])
        of_dictionary = int(valkey.command("PTTL", place_of(one.dictionary))[1:])
        assert lengths(record_of(valkey, number)) is None or of_entry < of_dictionary
    assert any(lengths(record_of(valkey, number)) for number in range(60))


async def test_a_body_of_any_kind_is_read_back(one):
    bodies = [b"x" * 1025, random.Random(1).randbytes(20_000), b"x" * 70_000, json.dumps([1] * 5000).encode()]
    for number, body in enumerate(bodies):
        await one.saves(number, body=body)
        assert await one.finds(number) == a_response(body)
