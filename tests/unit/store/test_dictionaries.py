"""Dictionaries at hand: many askers, one load; so many and no more; a lost one is not asked for all the time."""

import asyncio

import pytest
from alike import a_dictionary

from proxy.background import Background
from proxy.message.errors import StoreError
from proxy.store.dictionaries import LOST_SECONDS, MOST_HELD, MOST_LOST, Dictionaries
from proxy.store.dictionary import BadDictionaryError, Dictionary

NAME = a_dictionary().name


class Shelved:
    """What a shelf would give, when it is let."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []
        self.let = asyncio.Event()
        self.let.set()

    async def fetch(self, name):
        self.asked.append(name)
        await self.let.wait()
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer


class Clock:
    seconds = 1000.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def tasks():
    failures = []
    tasks = Background(lambda name, error: failures.append((name, error)))
    yield tasks
    await tasks.drain(1)
    assert failures == []


async def test_many_askers_are_one_load(clock, tasks):
    shelf = Shelved(a_dictionary())
    shelf.let.clear()
    known = Dictionaries(shelf, tasks, now=clock)
    asking = [asyncio.create_task(known.get_one(NAME)) for _ in range(50)]
    await asyncio.sleep(0)
    asking[0].cancel()  # one who leaves takes nothing from the others
    shelf.let.set()
    assert await asyncio.gather(*asking[1:]) == [a_dictionary()] * 49
    assert await known.get_one(NAME) is known[NAME] is a_dictionary()
    assert shelf.asked == [NAME]


async def test_a_lost_one_is_asked_for_again_after_a_while(clock, tasks):
    shelf = Shelved(None, a_dictionary())
    known = Dictionaries(shelf, tasks, now=clock)
    assert [await known.get_one(NAME) for _ in range(3)] == [None] * 3
    assert len(shelf.asked) == 1
    clock.seconds += LOST_SECONDS + 0.1
    assert await known.get_one(NAME) is a_dictionary()


async def test_one_that_is_none_counts_as_lost(clock, tasks):
    shelf = Shelved(BadDictionaryError("nonsense"))
    known = Dictionaries(shelf, tasks, now=clock)
    assert [await known.get_one(NAME) for _ in range(3)] == [None] * 3
    assert len(shelf.asked) == 1


async def test_a_shelf_that_fails_says_nothing_of_what_is_there(clock, tasks):
    shelf = Shelved(StoreError("away"), a_dictionary())
    known = Dictionaries(shelf, tasks, now=clock)
    with pytest.raises(StoreError):
        await known.get_one(NAME)
    assert await known.get_one(NAME) is a_dictionary()


async def test_what_was_lost_is_at_hand_when_somebody_has_it(clock, tasks):
    known = Dictionaries(Shelved(), tasks, now=clock)
    assert await known.get_one(NAME) is None
    known.hold(a_dictionary())
    assert await known.get_one(NAME) is a_dictionary()


async def test_no_more_than_so_many_are_held_and_the_first_goes(clock, tasks):
    known = Dictionaries(Shelved(), tasks, now=clock)
    others = [Dictionary(a_dictionary().value + bytes([at])) for at in range(MOST_HELD)]
    known.hold(a_dictionary())
    for other in others[:-1]:
        known.hold(other)
    known.hold(a_dictionary())
    known.hold(others[-1])
    assert list(known.values()) == [*others[1:-1], a_dictionary(), others[-1]]


async def test_no_more_than_so_many_are_known_to_be_lost(clock, tasks):
    known = Dictionaries(Shelved(), tasks, now=clock)
    for at in range(MOST_LOST + 20):
        await known.get_one(b"%08d" % at)
    assert len(known._lost) == MOST_LOST
    assert known._asked == {}
