"""One door for tasks: held, watched, and awaited at the end."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from proxy.background import Background


class Failures(list):
    """What was reported, as (name, error)."""

    def __call__(self, name, error):
        self.append((name, error))


@pytest.fixture
def failures():
    return Failures()


@pytest.fixture
def background(failures):
    return Background(failures)


async def answer(value):
    return value


async def fail(error):
    raise error


async def test_a_task_has_its_name_and_its_result_and_is_counted_until_it_ends(background, failures):
    gate = asyncio.Event()

    async def work():
        await gate.wait()
        return 42

    task = background.start(work(), "a refresh")
    assert (task.get_name(), len(background)) == ("a refresh", 1)
    gate.set()
    assert await task == 42
    await asyncio.sleep(0)
    assert (len(background), failures) == (0, [])


async def test_a_task_that_nobody_else_holds_is_not_collected(background):
    gate, done = asyncio.Event(), []

    async def work(own_gate):
        await own_gate.wait()
        done.append(True)

    held = weakref.ref(background.start(work(gate), "held"))
    await asyncio.sleep(0)
    gc.collect()
    assert held() is not None
    gate.set()
    assert await background.drain(5) == 0
    assert done == [True]


async def test_a_failure_is_reported_once_with_the_tasks_name(background, failures):
    error = ValueError("no")
    background.start(fail(error), "a save")
    assert await background.drain(5) == 0
    assert failures == [("a save", error)]


async def test_a_failure_that_somebody_awaits_reaches_both(background, failures):
    error = ValueError("no")
    with pytest.raises(ValueError, match="no"):
        await background.start(fail(error), "a fetch")
    await asyncio.sleep(0)
    assert failures == [("a fetch", error)]


async def test_a_cancelled_task_is_no_failure(background, failures):
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures("the loop", context))
    task = background.start(asyncio.Event().wait(), "a wait")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert (len(background), failures) == (0, [])


async def test_draining_waits_for_what_ends_in_time(background):
    gate = asyncio.Event()
    tasks = [background.start(gate.wait(), f"task {number}") for number in range(3)]
    draining = asyncio.create_task(background.drain(5))
    await asyncio.sleep(0)
    assert not draining.done()
    gate.set()
    assert await draining == 0
    assert all(task.done() and not task.cancelled() for task in tasks)


async def test_draining_waits_for_what_is_started_meanwhile(background):
    done = []

    async def first():
        await asyncio.sleep(0)
        background.start(second(), "second")

    async def second():
        await asyncio.sleep(0)
        done.append(True)

    background.start(first(), "first")
    assert await background.drain(5) == 0
    assert done == [True]


@pytest.mark.parametrize("seconds", [pytest.param(0, id="no time"), pytest.param(0.01, id="too little time")])
async def test_draining_cancels_what_is_late_and_counts_it(background, failures, seconds):
    released = []

    async def late():
        try:
            await asyncio.Event().wait()
        finally:
            released.append(True)

    tasks = [background.start(late(), "late") for _ in range(2)]
    await asyncio.sleep(0)
    assert await background.drain(seconds) == 2
    assert all(task.cancelled() for task in tasks)
    assert (released, len(background), failures) == ([True, True], 0, [])


async def test_a_late_task_that_fails_while_it_is_cancelled_is_reported(background, failures):
    error = OSError("while closing")

    async def late():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise error from None

    background.start(late(), "late")
    await asyncio.sleep(0)
    assert await background.drain(0) == 1
    assert failures == [("late", error)]


async def test_draining_an_empty_house_is_at_once(background):
    assert await background.drain(0) == 0
    await background.start(answer(1), "afterwards")
    assert await background.drain(5) == 0


async def test_what_is_held_counts_and_is_waited_for_like_a_task(background):
    work = object()
    background.hold(work, lambda: None)
    draining = asyncio.create_task(background.drain(5))
    await asyncio.sleep(0)
    assert (len(background), draining.done()) == (1, False)
    background.release(work)
    background.release(work)
    assert (await draining, len(background)) == (0, 0)


async def test_what_is_held_goes_on_as_a_task_and_is_waited_for_all_the_same(background):
    work, done = object(), []

    async def rest():
        await asyncio.sleep(0)
        done.append(True)

    background.hold(work, lambda: None)
    draining = asyncio.create_task(background.drain(5))
    await asyncio.sleep(0)
    background.start(rest(), "the rest")
    background.release(work)
    assert (await draining, done) == (0, [True])


async def test_what_is_held_and_late_is_given_up_and_counted(background):
    given_up = []
    for name in "ab":
        background.hold(name, lambda name=name: given_up.append(name))
    assert await background.drain(0) == 2
    assert (given_up, len(background)) == (["a", "b"], 0)


async def test_what_failed_without_a_task_is_reported(background, failures):
    error = ValueError("no")
    background.failed("a flight", error)
    assert failures == [("a flight", error)]
