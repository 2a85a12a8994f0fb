"""Looks at the ledger: when their answers may be judged by. What they bring is ``test_shared``'s."""

import asyncio

import pytest

from proxy.background import Background
from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.message.errors import StoreError
from proxy.message.selectors import PURGED, Seq
from proxy.observe.events import TaskFailed
from proxy.purge.calls import Calls
from proxy.purge.following import Following
from proxy.purge.mirror import Mirror


@pytest.fixture
async def follower(own_valkey, told):
    backplane = Backplane(BackplaneOptions(own_valkey.url, timeout=1.0), told)
    tasks = Background(lambda name, error: told.tell(TaskFailed(name, error)))
    calls, mirror = Calls(backplane, "svc", 100, 0.0), Mirror(100)
    following = Following(calls, mirror, backplane, tasks)
    following.calls, following.mirror, following.backplane = calls, mirror, backplane
    yield following
    await tasks.drain(0)
    await backplane.close()
    assert told.of(TaskFailed) == []


async def test_before_the_first_answer_there_is_no_age(follower, own_valkey):
    own_valkey.kill()
    assert isinstance(await follower.look(), StoreError)
    assert follower.age() is None
    assert (follower.looks.answered, follower.looks.failed) == (0, 1)


async def test_age_counts_from_the_sending(follower, own_valkey):
    """The server lies still until both moments are known, so its answer cannot be older than the second one."""
    asking, snapshot, clock = asyncio.Event(), follower.calls.snapshot, asyncio.get_running_loop().time

    async def telling(*what):
        asking.set()
        return await snapshot(*what)

    follower.calls.snapshot = telling
    own_valkey.pause()
    before = clock()
    look = follower.look()
    await asking.wait()
    after = clock()
    own_valkey.resume()
    assert await look is None
    assert before <= clock() - follower.age() <= after


async def test_an_answer_from_before_a_loss_does_not_bring_back_trust(follower, own_valkey):
    """(1) a look is answered, (2) the ledger is lost, (3) we purge in the next one, (4) the answer arrives."""
    await follower.look()
    s0 = follower.mirror.seq
    answered, release = asyncio.Event(), asyncio.Event()
    tail = follower.calls.tail

    async def slowly(mirrored):
        reply = await tail(mirrored)
        answered.set()
        await release.wait()
        return reply

    follower.calls.tail = slowly
    look = follower.look()
    await answered.wait()
    own_valkey.command("FLUSHALL")
    at = await follower.purge(["tag:a"], soft=False)
    release.set()
    assert await look is None

    assert follower.age() is None
    assert follower.may_be_another_ledger
    await follower.catch_up(at)
    assert follower.mirror.standing(["tag:a"], s0, at) == PURGED
    assert not follower.may_be_another_ledger


async def test_how_often_what_was_needed_is_counted(follower):
    await follower.look()
    at = await follower.purge(["tag:a"], soft=False)
    await follower.catch_up(at)
    assert (follower.looks.answered, follower.looks.reloaded, follower.looks.caught_up) == (1, 1, 0)

    beyond, _ = await follower.calls.purge(["tag:b"], 0, soft=False)
    await follower.catch_up(beyond)
    assert (follower.looks.answered, follower.looks.reloaded, follower.looks.caught_up) == (2, 1, 1)
    assert follower.mirror.standing(["tag:b"], at, beyond) == PURGED
    assert follower.mirror.standing(["tag:c"], Seq(at.epoch, at.n), beyond).purged is False
