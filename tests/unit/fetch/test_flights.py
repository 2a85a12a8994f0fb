"""One flight per key."""

import asyncio

import pytest

from proxy.background import Background
from proxy.fetch.flights import Failed, Flights, Handed, Shared
from proxy.fetch.origin import Reply
from proxy.fetch.spool import Budget, Spool
from proxy.fetch.whole import Content
from proxy.message.errors import OriginError
from proxy.message.response import Response

FAILED = Failed(OriginError("no answer"))


@pytest.fixture
def failures():
    return []


@pytest.fixture
def flights(failures):
    return Flights(Background(lambda name, error: failures.append((name, error))), waiters=2)


class Closable:
    """A reply's body that knows whether it was given up."""

    length = None

    def __init__(self):
        self.closed = False

    async def aclose(self):
        self.closed = True


def crew(gate, landing):
    async def fly(flight):
        await gate.wait()
        flight.land(landing)

    return fly


def shared(spool):
    return Shared(None, Response(200), 200, spool, "fetched", saving=True)


async def settled():
    for _ in range(10):
        await asyncio.sleep(0)


async def test_all_who_wait_get_the_same_landing(flights):
    gate = asyncio.Event()
    flight = flights.start("k", crew(gate, FAILED), leader=True)
    assert flights.under_way("k") is flight
    waiting = [asyncio.create_task(flight.lead()), *(asyncio.create_task(flight.follow()) for _ in range(3))]
    await settled()
    assert flight.followers == 3
    assert flights.is_full(flight)
    gate.set()
    assert await asyncio.gather(*waiting) == [FAILED] * 4
    await settled()
    assert flights.under_way("k") is None
    assert flight.followers == 0


async def test_a_drain_ends_what_has_not_begun(flights):
    """Also for those who wait for it, and without a coroutine that nobody awaits (warnings are errors)."""
    flight = flights.start("k", crew(asyncio.Event(), FAILED), leader=True)
    await flights._background.drain(0)
    assert flight.has_ended
    assert flights.under_way("k") is None


async def test_a_leader_that_leaves_cancels_nothing(flights):
    gate = asyncio.Event()
    flight = flights.start("k", crew(gate, shared(Content(b"x"))), leader=True)
    leader, follower = asyncio.create_task(flight.lead()), asyncio.create_task(flight.follow())
    await settled()
    leader.cancel()
    await settled()
    gate.set()
    assert isinstance(await follower, Shared)
    assert flight.leader_body is None, "no reader is made for somebody who has gone"


async def test_everybody_may_leave_and_the_flight_fails_without_a_word(flights, failures):
    gate = asyncio.Event()
    flight = flights.start("k", crew(gate, FAILED), leader=True)
    waiting = [asyncio.create_task(flight.lead()), asyncio.create_task(flight.follow())]
    await settled()
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    gate.set()
    await settled()
    assert not len(flights)
    assert failures == []


async def test_a_leader_that_leaves_as_the_flight_lands_gives_up_what_was_set_aside(flights):
    body = Closable()
    flight = flights.start("k", crew(asyncio.Event(), FAILED), leader=True)
    leader = asyncio.create_task(flight.lead())
    await settled()
    flight.land(Handed(Reply(Response(200), body, None), "private", 200))
    leader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leader
    assert body.closed


async def test_a_reader_set_aside_for_a_leader_that_leaves_is_closed(flights):
    spool = Spool(Budget(9), length=1, max_body=9, reserved=1)
    flight = flights.start("k", crew(asyncio.Event(), FAILED), leader=True)
    leader = asyncio.create_task(flight.lead())
    await settled()
    flight.land(shared(spool))
    leader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leader
    assert not spool._readers


async def test_a_crash_is_reported_and_nobody_is_left_waiting(flights, failures):
    async def crash(flight):
        raise RuntimeError("a bug")

    flight = flights.start("k", crash, leader=True)
    landing = await flight.lead()
    assert isinstance(landing, Failed)
    await settled()
    assert [type(error) for _, error in failures] == [RuntimeError]


async def test_a_flight_in_the_place_of_a_refused_one_keeps_its_place(flights):
    first_gate, second_gate = asyncio.Event(), asyncio.Event()
    first = flights.start("k", crew(first_gate, FAILED), leader=True)
    second = flights.start("k", crew(second_gate, FAILED), leader=True)
    first_gate.set()
    await first.follow()
    await settled()
    assert flights.under_way("k") is second, "the end of the first must not take the second off the board"
    second_gate.set()
    await second.follow()


async def test_a_flight_alone_is_on_no_board(flights):
    gate = asyncio.Event()
    flight = flights.start_alone("k", crew(gate, FAILED), leader=True)
    assert flights.under_way("k") is None
    gate.set()
    assert await flight.lead() is FAILED


async def land(flights, key):
    gate = asyncio.Event()
    gate.set()
    flight = flights.start(key, crew(gate, FAILED), leader=True)
    await flight.lead()
    await settled()


async def test_a_flight_that_ended_lately_is_remembered_and_forgotten_in_time(flights, monkeypatch):
    assert not flights.ended_lately("a")
    await land(flights, "a")
    assert flights.ended_lately("a")
    assert not flights.ended_lately("b")
    monkeypatch.setattr("proxy.fetch.flights.LATELY", 0.0)
    await land(flights, "b")
    assert flights.ended_lately("a")  # the last half of the time still counts
    await land(flights, "c")
    assert [flights.ended_lately(key) for key in "abc"] == [False, True, True]


async def test_no_more_ends_are_remembered_than_the_bound(flights, monkeypatch):
    monkeypatch.setattr("proxy.fetch.flights.MOST_NOTED", 2)
    for key in "abcdef":
        await land(flights, key)
    assert [flights.ended_lately(key) for key in "abcdef"] == [False, False, True, True, True, True]


async def test_a_flight_that_nobody_could_join_is_not_remembered(flights):
    gate = asyncio.Event()
    gate.set()
    await flights.start_alone("k", crew(gate, FAILED), leader=True).lead()
    await settled()
    assert not flights.ended_lately("k")


async def test_a_flight_that_sets_out_needs_no_task(flights):
    def set_out(flight):
        flights_out.append(flight)
        return flight.end

    flights_out = []
    flight = flights.start("k", None, leader=True, set_out=set_out)
    assert flights_out == [flight]
    assert flights.under_way("k") is flight
    flight.land(FAILED)
    assert flights.under_way("k") is flight, "it is not over before it says so"
    flight.end()
    flight.end()
    assert await flight.lead() is FAILED
    assert (flights.under_way("k"), flights.ended_lately("k"), len(flights._background)) == (None, True, 0)


async def test_a_flight_that_set_out_and_came_to_its_end_at_once_holds_nothing_up(flights):
    def set_out(flight):
        flight.land(FAILED)
        flight.end()
        return lambda: None

    flights.start("k", None, leader=True, set_out=set_out)
    assert await flights._background.drain(0) == 0


async def test_a_flight_goes_on_with_a_task_and_is_over_with_it(flights):
    gate = asyncio.Event()
    flight = flights.start("k", None, leader=False, set_out=lambda flight: flight.end)
    flights.go_on(flight, crew(gate, FAILED)(flight))
    draining = asyncio.create_task(flights._background.drain(5))
    await settled()
    assert not draining.done()
    gate.set()
    assert await draining == 0
    assert flight.has_ended


async def test_a_flight_that_cannot_set_out_is_flown(flights):
    gate = asyncio.Event()
    gate.set()
    flight = flights.start_alone("k", crew(gate, FAILED), leader=True, set_out=lambda flight: None)
    assert await flight.lead() is FAILED


async def test_one_who_waits_and_leaves_cancels_nothing_for_another(flights):
    flight = flights.start("k", None, leader=False, set_out=lambda flight: flight.end)
    leaving, staying = asyncio.create_task(flight.follow()), asyncio.create_task(flight.follow())
    await settled()
    leaving.cancel()
    await settled()
    flight.land(FAILED)
    assert await staying is FAILED
    assert leaving.cancelled()


async def test_a_crash_while_it_sets_out_is_reported_and_nobody_is_left_waiting(flights, failures):
    def set_out(flight):
        raise RuntimeError("a bug")

    flight = flights.start("k", None, leader=True, set_out=set_out)
    assert isinstance(await flight.lead(), Failed)
    assert flights.under_way("k") is None
    assert [type(error) for _, error in failures] == [RuntimeError]


class Told:
    """A leader that is told without waiting."""

    def __init__(self):
        self.has_left = False
        self.landings = []

    def landed(self, flight, landing):
        self.landings.append((landing, flight.leader_body is not None))


@pytest.mark.parametrize("has_left", [False, True], ids=["who is there", "who has left"])
async def test_a_leader_is_told_in_the_next_turn(flights, has_left):
    leader = Told()
    flight = flights.start("k", None, leader=leader, set_out=lambda flight: flight.end)
    assert flight.has_leader
    leader.has_left = has_left
    assert flight.has_leader is not has_left
    landing = shared(Content(b"x"))
    flight.land(landing)
    assert leader.landings == []
    await settled()
    assert leader.landings == ([] if has_left else [(landing, True)])
    assert (flight.leader_body is None) is has_left
    leader.has_left = True
    flight.end()


async def test_a_leader_that_is_told_hears_of_the_end_too(flights):
    leader = Told()
    flights.start("k", None, leader=leader, set_out=lambda flight: flight.end).end()
    await settled()
    ((landing, _),) = leader.landings
    assert isinstance(landing, Failed)
