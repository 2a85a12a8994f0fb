import asyncio

import pytest

from proxy.front.inbound import Inbound
from proxy.message.errors import ClientGoneError, MessageError
from proxy.message.headers import Headers


class FakeConnection:
    def __init__(self):
        self.buffered = 0
        self.settled = 0
        self.asked = 0

    def settle(self):
        self.settled += 1

    def wanted(self, body):
        self.asked += 1


@pytest.fixture
def line():
    return FakeConnection()


async def test_what_came_is_read_at_once_and_in_one_piece(line):
    body = Inbound(line, 4)
    body.put(b"ab")
    body.put(b"cd")
    assert (line.buffered, body.size, body.rest) == (4, 4, 0)
    assert await body.read() == b"abcd"
    assert (line.buffered, line.settled, line.asked) == (0, 1, 0)


async def test_a_reader_waits_and_the_connection_is_told(line):
    body = Inbound(line)
    reading = asyncio.create_task(body.read())
    await asyncio.sleep(0)
    assert line.asked == 1
    body.put(b"x")
    assert await reading == b"x"
    assert body.rest is None


async def test_the_end_is_the_end_for_ever(line):
    body = Inbound(line)
    body.put(b"x")
    body.end(Headers([(b"A", b"b")]))
    assert await body.read() == b"x"
    assert await body.read() == b""
    assert await body.read() == b""
    assert body.trailers.get(b"a") == b"b"
    assert body.rest == 0


async def test_a_failure_comes_after_what_was_there(line):
    body = Inbound(line, 10)
    body.put(b"x")
    body.fail(MessageError("broke"))
    assert await body.read() == b"x"
    for _ in range(2):
        with pytest.raises(MessageError):
            await body.read()


async def test_a_failure_wakes_the_reader(line):
    body = Inbound(line, 10)
    reading = asyncio.create_task(body.read())
    await asyncio.sleep(0)
    body.fail(ClientGoneError("left"))
    with pytest.raises(ClientGoneError):
        await reading


async def test_a_complete_body_stays_complete_when_its_client_leaves(line):
    body = Inbound(line, 1)
    body.put(b"x")
    body.end()
    body.fail(ClientGoneError("left"))
    assert await body.read() == b"x"
    assert await body.read() == b""


async def test_half_a_body_given_up_never_looks_like_a_whole_one(line):
    body = Inbound(line)
    body.put(b"x")
    reading = asyncio.create_task(body.read())
    assert await reading == b"x"
    waiting = asyncio.create_task(body.read())
    await asyncio.sleep(0)
    await body.aclose()
    with pytest.raises(MessageError):
        await waiting


@pytest.mark.parametrize("complete", [True, False])
async def test_what_was_not_read_before_giving_up_is_not_an_end(line, complete):
    body = Inbound(line, 1)
    body.put(b"x")
    if complete:
        body.end()
    body.drop()
    with pytest.raises(MessageError):
        await body.read()


async def test_giving_up_after_the_end_changes_nothing(line):
    body = Inbound(line, 0)
    body.end()
    body.drop()
    assert await body.read() == b""


async def test_what_is_given_up_is_counted_and_not_kept(line):
    body = Inbound(line, 10)
    body.put(b"abc")
    await body.aclose()
    assert (line.buffered, body.size) == (0, 0)
    body.put(b"defg")
    assert (line.buffered, body.size, body.thrown, body.rest) == (0, 0, 4, 3)
