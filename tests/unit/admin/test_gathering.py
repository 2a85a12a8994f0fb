import asyncio

import pytest

from proxy.admin.gathering import Gathering
from proxy.message.errors import StoreError


class Asked:
    """Answers with how often it was asked, when it is let."""

    def __init__(self):
        self.times = 0
        self.let = asyncio.Event()
        self.let.set()
        self.failure = None

    async def __call__(self):
        self.times += 1
        await self.let.wait()
        if self.failure:
            raise self.failure
        return self.times


async def test_one_that_is_slow_holds_up_nobody_and_is_not_asked_twice():
    quick, slow = Asked(), Asked()
    gathering = Gathering({"quick": quick, "slow": slow}, patience=60.0)
    assert await gathering.round() == {"quick": 1, "slow": 1}
    slow.let.clear()
    gathering._patience = 0.001
    assert await gathering.round() == {"quick": 2, "slow": 1}
    assert await gathering.round() == {"quick": 3, "slow": 1}
    assert slow.times == 2
    slow.let.set()
    gathering._patience = 60.0
    assert await gathering.round() == {"quick": 4, "slow": 2}


async def test_what_the_store_does_not_say_is_not_known():
    asked = Asked()
    gathering = Gathering({"it": asked}, patience=60.0)
    assert await gathering.round() == {"it": 1}
    asked.failure = StoreError("down")
    assert await gathering.round() == {"it": None}
    asked.failure = None
    assert await gathering.round() == {"it": 3}


async def test_a_bug_is_not_hidden():
    asked = Asked()
    asked.failure = ZeroDivisionError()
    gathering = Gathering({"it": asked}, patience=60.0)
    with pytest.raises(ZeroDivisionError):
        await gathering.round()


async def test_closing_ends_what_is_under_way():
    asked = Asked()
    asked.let.clear()
    gathering = Gathering({"it": asked}, patience=0.001)
    assert await gathering.round() == {"it": None}
    (task,) = gathering._asked.values()
    await gathering.close()
    assert task.cancelled()
