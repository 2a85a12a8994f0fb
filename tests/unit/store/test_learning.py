"""Entries lean on what is sure to lie in Redis for longer than they do; what was lost is put back, by whoever has it."""

import asyncio

import pytest
from alike import a_dictionary, a_plan, sections
from nouns import a_response
from servers import until

from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.observe.events import DictionaryTrained
from proxy.store.codec import encode
from proxy.store.dictionaries import Dictionaries
from proxy.store.dictionary import name_of
from proxy.store.learning import LONGEST_LIFE, LOOK_SECONDS, Learning
from proxy.store.options import DictionaryOptions
from proxy.store.shelf import Shelf

OPTIONS = DictionaryOptions(size=16 * 1024, samples=256 * 1024, every=900.0)
SAMPLES = sections(400)
CURRENT = "cache:dictionary:svc:current"
TURN = "cache:dictionary:svc:turn"


class Replica:
    """What one process learns; its clock goes by itself only a little."""

    def __init__(self, url, told, options=OPTIONS):
        self.backplane = Backplane(BackplaneOptions(url), told)
        self.shelf = Shelf(self.backplane, "svc")
        self.known = Dictionaries(self.shelf, self.backplane.tasks)
        self.seconds = 1000.0
        tasks = self.backplane.tasks
        self.learning = Learning(self.shelf, self.known, options, tasks, told, now=lambda: self.seconds)

    async def saves(self, ttl=60.0):
        """Save something; what that begins has ended when it is back."""
        leans_on = self.learning.for_entry(ttl)
        await self.rests()
        return leans_on

    async def rests(self):
        while own := [task for task in self.backplane.tasks._tasks if task.get_name() == "dictionary"]:
            await asyncio.gather(*own, return_exceptions=True)

    async def passes(self, seconds):
        self.seconds += seconds

    def learns(self, samples=SAMPLES):
        for at, sample in enumerate(samples):
            self.learning.sample(str(at), sample)

    async def trains(self, samples=SAMPLES):
        """Learn, save until the dictionary is in use, and return it."""
        await self.saves()
        self.learns(samples)
        await self.passes(1.0)
        await self.saves()
        assert self.learning.current is not None
        return self.learning.current


@pytest.fixture
async def replicas(valkey, told):
    made = []

    def make(options=OPTIONS):
        made.append(Replica(valkey.url, told, options))
        return made[-1]

    yield make
    for replica in made:
        await replica.backplane.close()


@pytest.fixture
def replica(replicas):
    return replicas()


def place(dictionary):
    return f"cache:dictionary:{dictionary.name.hex()}"


def seconds_of(valkey, key):
    return int(valkey.command("PTTL", key)[1:]) / 1000


async def test_enough_samples_make_a_dictionary(replica, valkey, told):
    assert replica.learning.wants_samples
    dictionary = await replica.trains()
    (trained,) = told.of(DictionaryTrained)
    assert (trained.name, trained.left) == (dictionary.name.hex(), dictionary.ratio)
    assert trained.left < 0.9 * trained.left_before
    assert await replica.saves() is dictionary
    assert dictionary.decompress(dictionary.compress(SAMPLES[0]), len(SAMPLES[0])) == SAMPLES[0]
    assert not replica.learning.wants_samples
    assert replica.learning._samples is None  # their memory is given back
    assert sorted(valkey.command("EXISTS", key) for key in (place(dictionary), CURRENT, TURN)) == [b":1"] * 3


async def test_every_key_has_a_time(replica, valkey):
    dictionary = await replica.trains()
    assert 0 < seconds_of(valkey, place(dictionary)) <= 2 * (60 + LOOK_SECONDS)
    assert 0 < seconds_of(valkey, CURRENT) <= 2 * (60 + LOOK_SECONDS)
    assert 890 < seconds_of(valkey, TURN) <= 900
    assert valkey.command("DBSIZE") == b":3"


async def test_no_save_waits_and_the_first_are_without(replica):
    assert replica.learning.for_entry(60) is None
    replica.learns()
    assert replica.learning.for_entry(60) is None
    await replica.rests()


async def test_what_asks_for_longer_than_the_dictionary_is_sure_of_leans_on_it_only_when_that_is_longer(
    replica, valkey
):
    dictionary = await replica.trains()
    assert await replica.saves(60) is dictionary
    await replica.passes(1.0)
    assert await replica.saves(7 * 86400) is None
    assert seconds_of(valkey, place(dictionary)) > 7 * 86400
    assert await replica.saves(7 * 86400) is dictionary


async def test_its_time_is_prolonged_while_entries_ask_for_it(replica, valkey):
    dictionary = await replica.trains()
    for _ in range(5):
        await replica.passes(LOOK_SECONDS)
        valkey.command("PEXPIRE", place(dictionary), "70000")  # as if that time had passed there too
        assert await replica.saves(60) is dictionary
        assert seconds_of(valkey, place(dictionary)) > 200


async def test_an_entry_never_leans_on_what_may_end_before_it(replica):
    dictionary = await replica.trains()
    replica.learning._looks_at = float("inf")  # nobody prolongs it
    replica.learning._looked_at = float("inf")
    leaning = []
    while replica.learning.for_entry(60) is not None:
        leaning.append(replica.seconds)
        await replica.passes(1.0)
    assert replica.learning.current is dictionary
    assert leaning[-1] + 60 + 9 < replica.learning._ends  # its time begins only when Redis has it


async def test_what_lives_too_long_leans_on_nothing(replica, valkey):
    dictionary = await replica.trains()
    assert await replica.saves(LONGEST_LIFE + 1) is None
    await replica.passes(LOOK_SECONDS)
    await replica.saves(60)
    assert seconds_of(valkey, place(dictionary)) < 3600


async def test_another_replica_takes_what_is_agreed_on_and_trains_nothing(replicas):
    dictionary = await replicas().trains()
    other = replicas()
    other.learns()
    await other.saves()
    assert other.learning.current.name == dictionary.name
    assert (await other.saves()).name == dictionary.name
    assert other.learning._samples is None


async def test_where_it_is_anothers_turn_nothing_is_trained(replica, valkey):
    valkey.command("SET", TURN, "1")
    await replica.saves()
    replica.learns()
    await replica.passes(1.0)
    await replica.saves()
    assert replica.learning.current is None
    valkey.command("DEL", TURN)
    await replica.passes(LOOK_SECONDS)
    await replica.saves()
    assert replica.learning.current is not None


async def test_two_that_train_at_the_same_time_agree_in_the_end(replicas, valkey):
    one, two = replicas(), replicas()
    first = await one.trains()
    two.learning.current = None
    valkey.command("DEL", TURN, CURRENT)
    second = await two.trains(sections(400, kind="tariff"))
    assert first.name != second.name
    assert valkey.command("EXISTS", place(first), place(second)) == b":2"
    await one.passes(LOOK_SECONDS)
    await one.saves()
    assert (await one.saves()).name == second.name
    assert (await two.saves()).name == second.name
    assert first.name in one.known  # for what was saved under it


async def test_what_makes_no_dictionary_is_not_tried_again_at_once(replica, valkey, told):
    await replica.saves()
    replica.learns([b"x" * 1000] * 300)
    await replica.passes(1.0)
    await replica.saves()
    assert [(event.name, event.left == event.left_before) for event in told.of(DictionaryTrained)] == [("", True)]
    assert (replica.learning.current, replica.learning.wants_samples) == (None, False)
    assert 890 < seconds_of(valkey, TURN) <= 900
    assert valkey.command("DBSIZE") == b":1"

    await replica.passes(LOOK_SECONDS)
    await replica.saves()
    assert not replica.learning.wants_samples
    await replica.passes(900)
    await replica.saves()
    assert replica.learning.wants_samples


@pytest.mark.parametrize("lost", [("DEL",), ("FLUSHALL",)], ids=["let go by a full server", "with all else"])
async def test_what_was_lost_is_put_back_by_who_has_it(replica, valkey, lost):
    dictionary = await replica.trains()
    valkey.command(*lost, *([place(dictionary)] if lost == ("DEL",) else []))
    await replica.passes(LOOK_SECONDS)
    await replica.saves()
    assert await replica.shelf.current() == dictionary.name
    assert (await replica.shelf.fetch(dictionary.name)).value == dictionary.value
    assert await replica.saves() is dictionary


async def test_where_what_is_agreed_on_is_lost_another_is_agreed_on(replica, valkey):
    dictionary = await replica.trains()
    valkey.command("SET", CURRENT, a_dictionary("tariff").name.hex())
    await replica.passes(LOOK_SECONDS)
    await replica.saves()
    assert await replica.shelf.current() == dictionary.name
    assert await replica.saves() is dictionary


async def test_after_a_connection_broke_nothing_is_sure_until_it_was_looked_at(replica):
    dictionary = await replica.trains()
    replica.backplane.breaks += 1
    await replica.passes(1.0)
    assert await replica.saves() is None
    assert await replica.saves() is dictionary


async def test_a_store_that_fails_only_means_less_compression(own_valkey, told):
    replica = Replica(own_valkey.url, told)
    dictionary = await replica.trains()
    own_valkey.kill()
    await replica.passes(LOOK_SECONDS)
    await replica.saves()
    await replica.passes(300)
    assert await replica.saves() is None
    own_valkey.start()
    await until(lambda: not replica.backplane.is_open)
    await replica.passes(LOOK_SECONDS)
    await replica.saves()
    assert await replica.saves() is dictionary
    await replica.backplane.close()


def a_record(number, dictionary):
    return encode(a_response(a_plan(number, kind="tariff")), b"GET /tariffs", 1024, dictionary)


async def test_when_content_changes_another_one_is_trained(replica, valkey):
    first = await replica.trains()
    while not replica.learning.wants_samples:
        replica.learning.was_saved(a_record(1, first))
    await replica.passes(LOOK_SECONDS)
    assert await replica.saves() is first  # it is its successor's turn only after a while
    replica.learns(sections(400, kind="tariff"))
    await replica.passes(LOOK_SECONDS)
    assert await replica.saves() is first
    valkey.command("DEL", TURN)
    await replica.passes(LOOK_SECONDS)
    await replica.saves()
    second = replica.learning.current
    assert second is not first
    assert await replica.shelf.current() == second.name
    assert set(replica.known) == {first.name, second.name}
    assert second.ratio < 0.9 * (
        first.left_of(sections(50, kind="tariff")) / sum(map(len, sections(50, kind="tariff")))
    )


async def test_where_a_new_one_would_be_no_better_the_old_one_stays(replica, valkey):
    first = await replica.trains()
    while not replica.learning.wants_samples:
        replica.learning.was_saved(a_record(1, first))
    valkey.command("DEL", TURN)
    replica.learns(SAMPLES)
    await replica.passes(LOOK_SECONDS)
    await replica.saves()
    assert replica.learning.current is first
    assert replica.learning._samples is None
    assert not replica.learning.wants_samples


async def test_a_dictionary_that_lives_long_has_few_successors(replica, valkey):
    await replica.saves(7 * 86400)
    replica.learns()
    await replica.passes(1.0)
    await replica.saves(7 * 86400)
    assert replica.learning.current is not None
    assert seconds_of(valkey, TURN) > 3 * 86400


async def test_a_dictionary_that_nobody_can_read_is_not_taken(replica, valkey):
    value = b"sd\x01" + bytes(200)
    name = name_of(value)
    valkey.command("SET", f"cache:dictionary:{name.hex()}", value)
    valkey.command("SET", CURRENT, name.hex())
    await replica.saves()
    assert replica.learning.current is None
    assert (await replica.trains()).name != name


async def test_without_a_size_nothing_is_learned_and_redis_is_not_asked(replicas, valkey, told):
    replica = replicas(DictionaryOptions(size=0))
    assert not replica.learning.wants_samples
    replica.learns()
    assert await replica.saves() is None
    assert told.events == []
