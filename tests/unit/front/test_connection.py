"""The protocol object on a transport of paper: whatever the cuts, the same answers."""

import asyncio
from types import SimpleNamespace

import pytest
from paper import Paper

from proxy.front import Front, FrontOptions
from proxy.front.connection import Connection
from proxy.front.waiting import Waiting
from proxy.message.response import Response
from proxy.pipeline.reply import Answer


class Echo:
    def __init__(self):
        self.seen = []

    def ask(self, request, body, asker):
        asker.goes_on(lambda: self.answer(request, body, asker.interim))

    async def answer(self, request, body, interim):
        content = b""
        while body is not None and (data := await body.read()):
            content += data
        self.seen.append((request.method, request.target, content))
        return Answer(Response(200), request.target + b":" + content)

    def finished(self, request, answer, *, seconds, sent_bytes, aborted):
        pass


@pytest.fixture
async def house():
    failures = []
    front = Front(FrontOptions("127.0.0.1:0", unsent=7000), Echo(), on_failure=lambda *what: failures.append(what))
    front.loop = asyncio.get_running_loop()
    front.clock = SimpleNamespace(date=lambda: b"noon")
    yield front
    await front.background.drain(0)
    assert failures == []


def connect(house):
    connection, transport = Connection(house), Paper()
    connection.connection_made(transport)
    return connection, transport


async def quiet(house):
    """Let every exchange run to its end."""
    while len(house.background):  # noqa: ASYNC110 - tasks have no common event
        await asyncio.sleep(0)


async def test_what_a_client_has_not_taken_is_bounded_as_the_configuration_says(house):
    _, transport = connect(house)
    assert transport.high == 7000


STREAM = (
    b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
    b"POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nX: y\r\n\r\n"
    b"\r\nPUT /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nxyz"
    b"GET /4 HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"
    b"GET /5 HTTP/1.1\r\nHost: a\r\n\r\n"
    b"BAD\r\n\r\n"
)


async def answers(house, pieces):
    connection, transport = connect(house)
    for piece in pieces:
        connection.data_received(piece)
    await quiet(house)
    connection.connection_lost(None)
    return transport


async def test_the_answers_are_the_same_however_the_requests_are_cut(house):
    expected = (await answers(house, [STREAM])).written
    bodies = [b"/1:", b"/2:abcde", b"/3:xyz", b"/4:", b"/5:"]
    positions = [expected.index(b"\r\n\r\n" + body) for body in bodies]
    assert positions == sorted(positions)
    assert expected.count(b"HTTP/1.1 200 OK\r\n") == 5
    assert expected.count(b"HTTP/1.1 400 Bad Request\r\n") == 1
    for position in range(1, len(STREAM)):
        transport = await answers(house, [STREAM[:position], STREAM[position:]])
        assert transport.written == expected, position
    transport = await answers(house, [STREAM[position : position + 1] for position in range(len(STREAM))])
    assert transport.written == expected
    assert transport.events[-1] == "eof"


async def test_head_and_small_body_are_one_write(house):
    transport = await answers(house, [b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"])
    assert transport.calls == 1


async def test_a_client_that_does_not_read_gets_no_more_answers(house):
    connection, transport = connect(house)
    connection.pause_writing()
    connection.data_received(STREAM)
    await quiet(house)
    assert transport.written == b""
    assert transport.events == ["pause"]
    connection.resume_writing()
    await quiet(house)
    assert transport.written.count(b"HTTP/1.1 200 OK") == 5
    connection.connection_lost(None)


async def test_a_client_that_reads_slowly_is_borne_and_one_that_does_not_is_not(house):
    connection, transport = connect(house)
    transport.unsent = 1000
    connection.pause_writing()
    for transport.unsent in (900, 500, 10):
        connection._rang()
        assert transport.events == ["pause"]
    connection._rang()
    assert transport.events[-1] == "abort"
    connection.connection_lost(None)


@pytest.mark.parametrize(
    ("data", "waiting"),
    [
        pytest.param(b"", Waiting.HEAD, id="nothing yet"),
        pytest.param(b"GET / HT", Waiting.HEAD, id="half a head"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", Waiting.NEXT, id="answered"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /", Waiting.HEAD, id="answered, and half a head"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nx", Waiting.BODY, id="half a body"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", Waiting.READER, id="closing"),
        pytest.param(b"BAD\r\n\r\n", Waiting.GOODBYE, id="refused"),
    ],
)
async def test_what_is_waited_for(house, data, waiting):
    connection, _ = connect(house)
    if data:
        connection.data_received(data)
    for _ in range(5):
        await asyncio.sleep(0)
    assert connection._waiting is waiting
    connection.connection_lost(None)
    assert house.connections == 0


async def test_an_idle_connection_is_small(house):
    import tracemalloc

    tracemalloc.start()
    try:
        kept = [connect(house)[0] for _ in range(200)]
        for connection in kept:
            connection.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await quiet(house)
        for connection in kept:
            connection._transport = None  # the paper's, not ours
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size / 200 < 4096
    for connection in kept:
        connection._alarm.cancel()
    house._open.clear()
