import asyncio
from contextlib import suppress

import orjson
import pytest
from admincontrol import FakeControl

from proxy.admin.watching import KEPT, Watch, event
from proxy.observe.pulse import Pulse


def read(said):
    name, data = said.decode().removesuffix("\n\n").split("\n")
    return name.removeprefix("event: "), orjson.loads(data.removeprefix("data: "))


@pytest.fixture
async def begin():
    running = []

    def start(control, **options):
        watch = Watch(control, **{"every": 0.001, "wall": lambda: 1_790_000_000.0, **options})
        running.append(asyncio.create_task(watch.run()))
        return watch, running[-1]

    yield start
    for task in running:
        task.cancel()
    for task in running:
        with suppress(asyncio.CancelledError, ZeroDivisionError):
            await task


async def points_of(watch, count):
    async with asyncio.timeout(30):
        while len(points := read(watch.history())[1]["points"]) < count:  # noqa: ASYNC110 - what ends it happens in the server
            await asyncio.sleep(0.001)
    return points


async def test_points_are_kept_while_nobody_watches_and_nothing_else_is_asked(begin):
    control = FakeControl(store_is_down=True)
    watch, _ = begin(control)
    points = await points_of(watch, 3)
    assert {point["t"] for point in points} == {1_790_000_000.0}
    assert watch._snapshot == b""


async def test_who_watches_gets_everything_of_one_look(begin):
    control = FakeControl(pulses=[Pulse({}, memory_bytes=10, memory_entries=2, in_flight=1)])
    watch, _ = begin(control)
    await points_of(watch, 1)
    watch.watchers = 1
    name, seen = read(await watch.next())
    assert name == "snapshot"
    assert seen["health"]["status"] == "healthy"
    assert seen["stats"]["routes"]["catalog"]["hits"] == 8
    assert seen["purges"][0]["seq"] == "k3f9:1000"
    assert seen["replicas"][0]["is_this"] is True
    assert set(seen["warm"]) == {"warmers", "jobs"}
    assert (seen["memory"], seen["in_flight"]) == ({"bytes": 10, "entries": 2}, 1)
    assert (seen["service"], seen["hash"]) == ("api", "abc123")
    assert seen["point"]["t"] == 1_790_000_000.0
    control.store_is_down = True
    await watch.next()
    _, seen = read(await watch.next())
    assert (seen["purges"], seen["replicas"]) == (None, None)
    assert seen["stats"] is not None


async def test_the_oldest_points_are_forgotten():
    watch = Watch(FakeControl())
    assert watch._points.maxlen == KEPT == 600
    assert watch._samples.maxlen == 12


async def test_when_it_is_over_whoever_waits_hears_so(begin):
    watch, task = begin(FakeControl(), every=3600.0)
    waiting = asyncio.create_task(watch.next())
    await asyncio.sleep(0)
    task.cancel()
    assert await asyncio.wait_for(waiting, 30) is None
    assert await watch.next() is None


async def test_a_bug_ends_it_and_whoever_waits_is_not_left_waiting(begin):
    watch, task = begin(FakeControl(bug=ZeroDivisionError()))
    assert await asyncio.wait_for(watch.next(), 30) is None
    assert isinstance(task.exception(), ZeroDivisionError)


def test_an_event_is_one_line_whatever_is_in_it():
    assert event("snapshot", {"a": "x\n\ny"}) == b'event: snapshot\ndata: {"a":"x\\n\\ny"}\n\n'
