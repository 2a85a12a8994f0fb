import asyncio
import gc
import weakref

import pytest

from proxy.fetch.exchange import Exchange
from proxy.fetch.options import OriginOptions
from proxy.fetch.origin import Outgoing
from proxy.fetch.places import Places
from proxy.message.errors import MessageError, OriginError
from proxy.message.headers import Headers
from tests.rawbackend import Chunks
from tests.transports import connected

HOST = Headers([(b"Host", b"app")])
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Scene:
    """One exchange under way on a wire."""

    def __init__(self, place, **more):
        self.place = place
        self.connection, self.wire = connected()
        self.given_back = []
        self.seen = []
        exchange = Exchange(
            self.connection,
            place,
            OriginOptions("http://app"),
            lambda response: self.seen.append(response.status),
            lambda connection, reusable: self.given_back.append(reusable),
        )
        self.exchange = exchange
        method = more.pop("method", b"GET")
        self.running = asyncio.create_task(exchange.run(Outgoing(method, b"/", HOST, **more)))


@pytest.fixture
def places():
    return Places(1)


@pytest.fixture
async def begin(places):
    async def begin(**more):
        scene = Scene(await places.take(0), **more)
        await asyncio.sleep(0)
        return scene

    return begin


async def test_a_whole_reply_gives_connection_and_place_back_at_once(begin, places):
    scene = await begin()
    assert scene.wire.sent == b"GET / HTTP/1.1\r\nHost: app\r\n\r\n"
    scene.connection.data_received(OK)
    assert (scene.given_back, places.taken) == ([True], 0)
    reply = await scene.running
    assert await reply.body.read() == b"ok"
    await reply.body.aclose()
    assert scene.given_back == [True]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", id="it says close"),
        pytest.param(OK + b"more", id="more came than its length"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 2\r\n\r\no|k",
            id="it had left the count",
        ),
    ],
)
async def test_a_connection_that_must_not_be_used_again(begin, answer):
    scene = await begin()
    for piece in answer.split(b"|"):
        scene.connection.data_received(piece)
    assert scene.given_back == [False]
    await scene.running


async def test_until_there_is_a_reply_the_place_is_the_senders(begin, places):
    scene = await begin()
    scene.connection.connection_lost(None)
    with pytest.raises(OriginError):
        await scene.running
    assert scene.given_back == [False]
    assert places.taken == 1
    assert scene.exchange.was_dropped


@pytest.mark.parametrize("end", ["eof", "lost", "expired"])
async def test_a_reply_that_began_and_broke_is_nobodys_to_repeat(begin, end):
    scene = await begin()
    scene.connection.data_received(b"HTTP/1.1 2")
    if end == "eof":
        assert not scene.connection.eof_received()
    elif end == "lost":
        scene.connection.connection_lost(None)
    else:
        scene.exchange.expired()
    with pytest.raises(OriginError) as failure:
        await scene.running
    assert failure.value.status == (504 if end == "expired" else 502)
    assert not scene.exchange.was_dropped


async def test_bytes_before_a_break_in_the_same_read_are_read(begin):
    scene = await begin()
    scene.connection.data_received(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\nzz\r\n")
    reply = await scene.running
    assert await reply.body.read() == b"a"
    with pytest.raises(MessageError):
        await reply.body.read()


async def test_interim_heads_go_to_who_asked_but_100_to_the_body(begin):
    body = Chunks(b"ab", length=2)
    scene = await begin(method=b"POST", body=body, expect_continue=True)
    scene.connection.data_received(b"HTTP/1.1 102 Processing\r\n\r\n")
    await asyncio.sleep(0)
    assert (scene.seen, body.pulled) == ([102], 0)
    scene.connection.data_received(b"HTTP/1.1 100 Continue\r\n\r\n")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (scene.seen, body.pulled) == ([102], 1)
    scene.connection.data_received(OK)
    await scene.running
    assert scene.given_back == [True]


async def test_a_100_without_a_body_is_nothing(begin):
    scene = await begin()
    scene.connection.data_received(b"HTTP/1.1 100 Continue\r\n\r\n" + OK)
    assert (await scene.running).response.status == 200


async def test_cancelled_in_the_turn_in_which_the_reply_came_it_gives_all_back(begin, places):
    scene = await begin()
    scene.connection.data_received(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")
    scene.running.cancel()
    await asyncio.wait([scene.running])
    assert scene.running.cancelled()
    assert (scene.given_back, places.taken) == ([False], 0)


async def test_cancelled_in_the_turn_in_which_the_tunnel_came_it_ends_the_tunnel(begin, places):
    scene = await begin(upgrade=True)
    scene.connection.data_received(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n")
    scene.running.cancel()
    await asyncio.wait([scene.running])
    assert "close" in scene.wire.calls
    assert places.taken == 0


async def test_bytes_that_come_after_it_gave_up_are_nobodys(begin):
    scene = await begin()
    await scene.exchange.aclose()
    scene.exchange.received(OK)
    scene.exchange.lost()
    assert scene.given_back == [False]
    scene.running.cancel()
    await asyncio.wait([scene.running])


@pytest.mark.parametrize(
    ("pieces", "whole"),
    [
        pytest.param([OK], b"ok", id="all in one piece"),
        pytest.param([OK[:-2], b"ok"], None, id="the content later"),
        pytest.param([OK[:-1], b"k"], None, id="the end of it later"),
        pytest.param([OK[:9], OK[9:]], b"ok", id="a head in two pieces, then all the rest"),
        pytest.param([b"HTTP/1.1 204 No Content\r\n\r\n"], b"", id="no content"),
        pytest.param([OK + b"more"], None, id="bytes of no message behind it"),
        pytest.param(
            [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"], None, id="no length stated"
        ),
    ],
)
async def test_content_that_came_with_its_head_is_handed_over_with_it(begin, pieces, whole):
    scene = await begin()
    scene.connection.data_received(pieces[0])
    await asyncio.sleep(0)
    if len(pieces) == 1:
        reply = await scene.running
    elif pieces[0].endswith(b"\r\n\r\n") or pieces[0].endswith(b"o"):
        reply = await scene.running
        scene.connection.data_received(pieces[1])
    else:
        scene.connection.data_received(pieces[1])
        reply = await scene.running
    assert reply.whole == whole
    expected = b"" if whole == b"" else b"ok"
    assert await reply.body.read() + await reply.body.read() == expected  # it can be read all the same
    await reply.body.aclose()


@pytest.mark.parametrize("pieces", [[OK], [OK[:-2], b"ok"]], ids=["in one piece", "in two"])
async def test_what_was_answered_is_freed_without_the_collector(begin, pieces):
    scene = await begin()
    gone = weakref.ref(scene.exchange)
    gc.disable()
    try:
        for piece in pieces:
            scene.connection.data_received(piece)
            await asyncio.sleep(0)
        reply = await scene.running
        await reply.body.aclose()
        scene.connection.rest(60)
        scene.connection.patience.stop()
        del reply, scene.exchange, scene.running
        await asyncio.sleep(0)
        assert gone() is None
    finally:
        gc.enable()
