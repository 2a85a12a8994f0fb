"""An exchange without a task: on a connection that rests warm, and nobody's reply is ever another's."""

import asyncio
import contextvars
from dataclasses import replace

import pytest
from redis.exceptions import BusyLoadingError, InvalidResponse, ResponseError
from servers import until

from proxy.backplane.batch import Lookups
from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.backplane.straight import Straight
from proxy.message.errors import StoreError
from proxy.observe.events import BreakerMoved, StoreAnswered, TaskFailed


@pytest.fixture
async def backplane(own_valkey, told):
    plane = Backplane(BackplaneOptions(own_valkey.url, max_connections=4, timeout=0.2), told)
    yield plane
    await plane.close()
    assert told.of(TaskFailed) == []


@pytest.fixture
async def warm(backplane):
    """A backplane with one connection that was just answered on; no task may be started."""
    assert await backplane.run("load", b"PING") == b"PONG"
    return backplane


def asked(plane, *commands, errors_are_answers=True):
    """Ask, and return a future of what is told."""
    waiting = asyncio.get_running_loop().create_future()
    plane.begin("load", commands, waiting.set_result, errors_are_answers=errors_are_answers)
    return waiting


async def test_replies_come_in_order_and_no_task_is_needed(warm):
    before = len(warm.tasks)
    asking = asked(warm, (b"SET", b"a", b"\x00\xff"), (b"MGET", b"a", b"none"), (b"INCRBY", b"n", 7))
    assert (len(warm.tasks), len(warm.tasks._tasks)) == (before + 1, 0)
    assert await asking == [b"OK", [b"\x00\xff", None], 7]
    assert len(warm.tasks) == 0


async def test_a_reply_in_many_pieces_is_one(warm):
    large = b"x" * 3_000_000
    assert await asked(warm, (b"SET", b"large", large)) == [b"OK"]
    assert await asked(warm, (b"GET", b"large"), (b"PING",)) == [large, b"PONG"]


async def test_the_same_connection_then_speaks_to_redis_py_again(warm, own_valkey):
    for _ in range(3):
        assert await asked(warm, (b"ECHO", b"one")) == [b"one"]
        assert await warm.run("load", b"ECHO", b"two") == b"two"
    assert b"connected_clients:2" in own_valkey.command("INFO", "clients")  # that one, and who asks this


async def test_many_at_once_all_get_their_own(warm):
    told = await asyncio.gather(*(asked(warm, (b"ECHO", b"%d" % number)) for number in range(200)))
    assert told == [[b"%d" % number] for number in range(200)]


async def test_without_a_warm_connection_it_goes_the_long_way(backplane, told):
    assert await asked(backplane, (b"ECHO", b"a")) == [b"a"]
    assert [event.failure for event in told.of(StoreAnswered)] == [""]


@pytest.mark.parametrize("is_warm", [True, False], ids=["straight", "the long way"])
async def test_an_error_reply_is_an_answer_to_who_wants_it(backplane, told, is_warm):
    if is_warm:
        await backplane.run("load", b"PING")
    said = await asked(backplane, (b"NONSENSE",), (b"ECHO", b"a"))
    assert (type(said[0]), said[1]) == (ResponseError, b"a")
    refused = await asked(backplane, (b"ECHO", b"a"), (b"NONSENSE",), errors_are_answers=False)
    assert isinstance(refused, StoreError)
    assert str(refused).startswith("the store refused")
    assert [event.failure for event in told.of(StoreAnswered)][-2:] == ["", "reply"]
    assert not backplane.is_open
    assert await backplane.run("load", b"ECHO", b"b") == b"b"


async def test_a_server_that_hangs_costs_the_timeout_and_its_late_reply_is_nobodys(warm, own_valkey, told):
    own_valkey.pause()
    late = await asked(warm, (b"ECHO", b"late"))
    assert isinstance(late, StoreError)
    assert str(late) == "the store did not answer within 0.2 s"
    assert told.of(StoreAnswered)[-1].failure == "timeout"
    assert (warm.is_open, warm.breaks) == (True, 1)
    own_valkey.resume()
    await until(lambda: not warm.is_open)
    for number in range(5):
        assert await asked(warm, (b"ECHO", b"%d" % number)) == [b"%d" % number]


async def test_a_server_that_is_killed_fails_those_who_wait_at_once(warm, own_valkey, told):
    warm._options = replace(warm._options, timeout=30.0)
    waiting = asked(warm, (b"BLPOP", b"nothing", 0))
    own_valkey.kill()
    failed = await waiting
    assert isinstance(failed, StoreError)
    assert "cannot be reached" in str(failed)
    assert told.of(StoreAnswered)[-1].failure == "connection"
    assert [event.is_open for event in told.of(BreakerMoved)] == [True]
    assert isinstance(await asked(warm, (b"ECHO", b"b")), StoreError)
    assert told.of(StoreAnswered)[-1].failure == "breaker"


async def test_at_the_end_nobody_waits_for_ever(warm, own_valkey, told):
    warm._options = replace(warm._options, timeout=30.0)
    own_valkey.pause()
    waiting = asked(warm, (b"ECHO", b"a"))
    await warm.close()
    assert isinstance(await waiting, StoreError)
    assert told.of(StoreAnswered)[-1].failure == "cancelled"
    assert told.of(BreakerMoved) == []
    own_valkey.resume()
    assert isinstance(await asked(warm, (b"ECHO", b"b")), StoreError)


async def test_who_asked_just_before_the_end_does_not_wait_for_ever_either(warm):
    told = []
    Lookups(warm, b"seq").ask([b"a"], told.append)  # written down, and not sent yet
    await warm.close()
    await until(lambda: told)
    assert [str(each) for each in told] == ["the store is closed"]


async def test_a_connection_from_before_a_failure_is_closed_when_it_comes_back(warm):
    asking = asked(warm, (b"ECHO", b"a"))
    (connection,) = warm._pool._in_use
    await warm._pool.renew()
    assert await asking == [b"a"]
    await until(lambda: not warm._pool._in_use)
    assert not connection.is_connected


async def test_the_exchange_is_told_on_behalf_of_who_asked(warm, told):
    asker = contextvars.ContextVar("asker", default="nobody")
    heard = []
    told.tell = lambda _: heard.append(asker.get())

    def ask():
        asker.set("me")
        return asked(warm, (b"PING",))

    await contextvars.copy_context().run(ask)
    assert heard == ["me"]


# What a server may say, told by octets.


@pytest.fixture
async def straight(warm):
    """An exchange for one reply that has not been sent, what it ended with, and its connection."""
    connection = warm._pool.take_warm()
    ended = []
    straight = Straight(connection, 1, ended.append)
    yield straight, ended
    straight.end(TimeoutError())
    await warm._give(connection, answered=False)


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        pytest.param(b"?what is this\r\n", InvalidResponse, id="no RESP"),
        pytest.param(b"-LOADING dataset\r\n", BusyLoadingError, id="a server that is not ready for any command"),
        pytest.param(b"+OK\r\n+OK\r\n", Exception, id="more than was asked for"),
    ],
)
async def test_what_cannot_be_an_answer_ends_the_exchange(straight, octets, kind):
    exchange, ended = straight
    exchange.data_received(octets)
    assert isinstance(ended[0], kind)
    exchange.data_received(b"+OK\r\n")
    exchange.eof_received()
    assert len(ended) == 1


@pytest.mark.parametrize("octets", [b"$3\r\nabc\r\n", b"-ERR no\r\n", b"$-1\r\n"])
async def test_an_answer_may_be_cut_anywhere(straight, octets):
    exchange, ended = straight
    for place in range(len(octets)):
        assert ended == []
        exchange.data_received(octets[place : place + 1])
    ((reply,),) = ended
    assert reply is None or reply == b"abc" or isinstance(reply, ResponseError)
