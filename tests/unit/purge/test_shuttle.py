import asyncio

import pytest

from proxy.background import Background
from proxy.message.errors import StoreError
from proxy.purge.shuttle import Shuttle


class Asked:
    def __init__(self):
        self.times, self.asked, self.gate, self.failure = 0, asyncio.Event(), asyncio.Event(), None
        self.gate.set()
        self.at = []

    async def __call__(self):
        self.times += 1
        self.asked.set()
        number = self.times
        self.at.append(asyncio.get_running_loop().time())
        await self.gate.wait()
        if self.failure:
            raise self.failure
        return number


@pytest.fixture
async def tasks():
    failed = []
    tasks = Background(lambda *what: failed.append(what))
    yield tasks
    await tasks.drain(1)
    assert failed == []


async def test_many_share_one_question(tasks):
    ask = Asked()
    shuttle = Shuttle(tasks, ask, apart=0.0)
    assert await asyncio.gather(*(shuttle.ride() for _ in range(100))) == [1] * 100


async def test_who_comes_while_one_is_under_way_takes_the_next_and_shares_that(tasks):
    ask = Asked()
    ask.gate.clear()
    shuttle = Shuttle(tasks, ask, apart=0.0)
    first = asyncio.create_task(shuttle.ride())
    await ask.asked.wait()
    later = [asyncio.create_task(shuttle.ride()) for _ in range(10)]
    await asyncio.sleep(0)
    ask.gate.set()

    assert await first == 1
    assert await asyncio.gather(*later) == [2] * 10


async def test_questions_are_apart(tasks):
    ask = Asked()
    shuttle = Shuttle(tasks, ask, apart=0.05)
    for _ in range(3):
        await shuttle.ride()
    assert min(later - earlier for earlier, later in zip(ask.at, ask.at[1:], strict=False)) >= 0.049


async def test_a_failure_is_everybodys_and_the_next_is_asked_again(tasks):
    ask = Asked()
    ask.failure = StoreError("gone")
    shuttle = Shuttle(tasks, ask, apart=0.0)
    outcomes = await asyncio.gather(*(shuttle.ride() for _ in range(3)), return_exceptions=True)
    assert [str(one) for one in outcomes] == ["gone"] * 3
    ask.failure = None
    assert await shuttle.ride() == 2


async def test_who_leaves_takes_nothing_from_the_others(tasks):
    ask = Asked()
    ask.gate.clear()
    shuttle = Shuttle(tasks, ask, apart=0.0)
    leaving, staying = asyncio.create_task(shuttle.ride()), asyncio.create_task(shuttle.ride())
    await asyncio.sleep(0)
    leaving.cancel()
    ask.gate.set()
    assert await staying == 1
