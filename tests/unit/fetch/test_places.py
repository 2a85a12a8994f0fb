import asyncio

import pytest

from proxy.fetch.places import Places
from proxy.message.errors import OriginError


async def queued(places, number):
    """Let that many stand in the queue."""
    tasks = [asyncio.create_task(places.take(60)) for _ in range(number)]
    await asyncio.sleep(0)
    assert places.waiting == number
    return tasks


async def test_as_many_as_there_are_places_come_in_at_once():
    places = Places(2)
    await places.take(0)
    await places.take(0)
    assert (places.taken, places.waiting) == (2, 0)


async def test_a_place_given_back_twice_is_given_back_once():
    places = Places(2)
    one, _ = await places.take(0), await places.take(0)
    one.give_back()
    one.give_back()
    assert places.taken == 1


async def test_first_come_first_served_and_nobody_overtakes():
    places = Places(1)
    held = await places.take(0)
    first, second = await queued(places, 2)
    held.give_back()
    late = asyncio.create_task(places.take(60))
    held = await first
    assert not second.done()
    held.give_back()
    (await second).give_back()
    (await late).give_back()
    assert places.taken == 0


async def test_the_queue_has_an_end():
    places = Places(1)
    held = await places.take(0)
    with pytest.raises(OriginError) as failure:
        await places.take(0.01)
    assert (failure.value.status, failure.value.retry_after) == (503, 1)
    assert places.waiting == 0
    held.give_back()
    assert places.taken == 0


@pytest.mark.parametrize(("patience", "seconds"), [(0.001, 1), (0.02, 1)])
async def test_retry_after_is_whole_seconds_and_never_zero(patience, seconds):
    places = Places(0)
    with pytest.raises(OriginError) as failure:
        await places.take(patience)
    assert failure.value.retry_after == seconds


async def test_who_leaves_the_queue_is_passed_over():
    places = Places(1)
    held = await places.take(0)
    gone, waiting = await queued(places, 2)
    gone.cancel()
    await asyncio.wait([gone])
    held.give_back()
    (await waiting).give_back()
    assert places.taken == 0


async def test_a_place_that_reaches_one_who_leaves_in_that_turn_goes_to_the_next():
    places = Places(1)
    held = await places.take(0)
    leaving, waiting = await queued(places, 2)
    held.give_back()  # the place is on its way to the first
    leaving.cancel()
    await asyncio.wait([leaving])
    assert leaving.cancelled()
    (await waiting).give_back()
    assert places.taken == 0


async def test_closing_sends_everybody_away():
    places = Places(1)
    held = await places.take(0)
    tasks = await queued(places, 2)
    tasks[0].cancel()
    places.close()
    await asyncio.wait(tasks)
    assert tasks[0].cancelled()
    assert tasks[1].exception().status == 503
    with pytest.raises(OriginError):
        await places.take(0)
    held.give_back()
    assert (places.taken, places.waiting) == (0, 0)
