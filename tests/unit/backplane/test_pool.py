import asyncio

import pytest

from proxy.backplane.pool import Pool, StalledError


@pytest.fixture
async def pools(valkey):
    made = []

    def make(most, stalled=lambda: None):
        pool = Pool(valkey.url, most, 1.0, 30.0, stalled)
        made.append(pool)
        return pool

    yield make
    for pool in made:
        await pool.close()


async def test_the_last_given_back_is_the_first_taken(pools):
    pool = pools(3)
    first, second = await pool.take(), await pool.take()
    await pool.give(first, answered=True)
    await pool.give(second, answered=True)

    assert await pool.take() is second
    assert await pool.take() is first


async def test_who_comes_beyond_the_bound_waits_in_line_for_what_is_given_back(pools):
    pool = pools(1)
    only = await pool.take()
    order = []

    async def ask(name):
        connection = await pool.take()
        order.append(name)
        await pool.give(connection, answered=True)

    asking = [asyncio.create_task(ask(name)) for name in "abc"]
    await asyncio.sleep(0)
    assert order == []

    await pool.give(only, answered=True)
    await asyncio.gather(*asking)
    assert order == ["a", "b", "c"]


async def test_a_queue_that_stands_still_is_sent_away_together_and_told_once(pools):
    stalls = []
    pool = pools(1, stalled=lambda: stalls.append(1))
    await pool.take()

    results = await asyncio.gather(*(pool.take() for _ in range(20)), return_exceptions=True)

    assert {type(result) for result in results} == {StalledError}
    assert stalls == [1]


async def test_a_queue_that_moves_is_patient(pools):
    stalls = []
    pool = pools(2, stalled=lambda: stalls.append(1))
    busy, moving = await pool.take(), await pool.take()

    async def ask():
        connection = await pool.take()
        await asyncio.sleep(0.01)  # slower than a tick, faster than the patience
        await pool.give(connection, answered=True)

    asking = [asyncio.create_task(ask()) for _ in range(12)]
    await asyncio.sleep(0)
    await pool.give(moving, answered=True)
    await asyncio.gather(*asking)

    assert stalls == []
    await pool.give(busy, answered=True)


async def test_answers_that_fail_do_not_move_the_queue(pools):
    pool = pools(1)
    only = await pool.take()
    waiter = asyncio.create_task(pool.take())
    await asyncio.sleep(0)

    await pool.give(only, answered=False)

    assert await waiter is only
    assert pool._answers == 0


async def test_a_connection_handed_to_somebody_who_has_just_left_goes_on_to_the_next(pools):
    pool = pools(1)
    only = await pool.take()
    leaving, staying = asyncio.create_task(pool.take()), asyncio.create_task(pool.take())
    await asyncio.sleep(0)

    await pool.give(only, answered=True)  # handed to the first, who has not run yet
    leaving.cancel()

    assert await staying is only
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_who_leaves_the_queue_is_passed_over(pools):
    pool = pools(1)
    only = await pool.take()
    leaving, staying = asyncio.create_task(pool.take()), asyncio.create_task(pool.take())
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.sleep(0)

    await pool.give(only, answered=True)

    assert await staying is only


async def test_connections_from_before_a_failure_are_closed_idle_or_in_use(pools):
    pool = pools(2)
    idle, used = await pool.take(), await pool.take()
    await idle.connect()
    await used.connect()
    await pool.give(idle, answered=True)

    await pool.renew()
    assert not idle.is_connected
    assert used.is_connected

    await pool.give(used, answered=True)
    assert not used.is_connected


async def test_closing_sends_everybody_away(pools):
    pool = pools(1)
    used = await pool.take()
    await used.connect()
    waiter = asyncio.create_task(pool.take())
    await asyncio.sleep(0)

    await pool.close()

    with pytest.raises(StalledError):
        await waiter
    assert not used.is_connected


async def test_a_connection_is_warm_for_a_moment_after_an_answer(pools, monkeypatch):
    pool = pools(3)
    connection = await pool.take()
    await connection.connect()
    assert not pool.is_warm(connection)
    await pool.give(connection, answered=True)
    assert pool.is_warm(connection)
    monkeypatch.setattr("proxy.backplane.pool.WARM", 0.0)
    assert not pool.is_warm(connection)


@pytest.mark.parametrize("what", ["it failed", "all were renewed", "the server has closed it"])
async def test_a_connection_is_not_warm_after(pools, what):
    pool = pools(3)
    connection = await pool.take()
    await connection.connect()
    await pool.give(connection, answered=True)
    assert pool.is_warm(connection)
    if what == "the server has closed it":
        await connection.send_command("QUIT")
        await connection._reader.read()
    elif what == "it failed":
        assert await pool.take() is connection
        await pool.give(connection, answered=False)
    else:
        await pool.renew()
    assert not pool.is_warm(connection)
