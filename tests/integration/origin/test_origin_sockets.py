"""The pool before a real socket: which connection is used, when a request is sent again, and what is left behind."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
from contextlib import asynccontextmanager

import pytest
from servers import until

from proxy.fetch import outflow
from proxy.fetch.options import OriginOptions
from proxy.fetch.origin import Outgoing
from proxy.fetch.pool import Pool
from proxy.message.errors import ClientGoneError, MessageError, OriginError
from proxy.message.headers import Headers
from proxy.wire import WireLimits
from tests.rawbackend import Chunks, RawBackend, whole

HOST = Headers([(b"Host", b"api.example")])
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@asynccontextmanager
async def pool_before(talk, **bounds):
    async with RawBackend(talk) as backend:
        pool = Pool(OriginOptions(backend.url, **bounds))
        try:
            yield pool, backend
        finally:
            await pool.close()
            assert pool.in_flight == 0
            assert pool.connections == 0


def asking(method=b"GET", **more):
    return Outgoing(method, b"/", HOST, **more)


async def answering(peer):
    while True:
        await peer.request()
        await peer.say(OK)


# Which connection.


async def test_one_connection_serves_one_request_after_another():
    async with pool_before(answering) as (pool, backend):
        for _ in range(3):
            assert await whole((await pool.send(asking())).body) == b"ok"
        assert len(backend.peers) == 1


async def test_the_connection_used_last_is_used_next():
    said = []

    async def talk(peer):
        while True:
            await peer.request()
            said.append(peer)
            await asyncio.sleep(0)
            await peer.say(OK)

    async with pool_before(talk) as (pool, backend):
        replies = await asyncio.gather(*(pool.send(asking()) for _ in range(2)))
        for reply in replies:
            await whole(reply.body)
        last = said[-1]
        await until(lambda: pool.in_flight == 0)
        for _ in range(3):
            await whole((await pool.send(asking())).body)
        assert len(backend.peers) == 2
        assert len({id(peer) for peer in said[2:]}) == 1
        del last


async def test_the_connection_is_free_once_the_reply_has_come_however_slowly_it_is_read():
    async with pool_before(answering, max_concurrent=1) as (pool, backend):
        first = await pool.send(asking())
        await until(lambda: pool.in_flight == 0)
        second = await pool.send(asking())
        assert [await whole(first.body), await whole(second.body)] == [b"ok", b"ok"]
        assert len(backend.peers) == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok", id="it says close"),
        pytest.param(b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", id="HTTP/1.0"),
    ],
)
async def test_a_connection_that_will_not_persist_is_not_used_again(answer):
    async def talk(peer):
        await peer.request()
        await peer.say(answer)
        await peer.reader.read()

    async with pool_before(talk) as (pool, backend):
        for _ in range(2):
            assert await whole((await pool.send(asking())).body) == b"ok"
        assert len(backend.peers) == 2
        await until(lambda: backend.open == 0)


async def test_a_reply_may_end_with_its_connection():
    async def talk(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\n\r\nall of it")

    async with pool_before(talk) as (pool, _):
        reply = await pool.send(asking())
        assert reply.body.length is None
        assert await whole(reply.body) == b"all of it"
        assert pool.in_flight == 0


@pytest.mark.parametrize("more", [pytest.param(b"", id="end"), pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", id="bytes")])
async def test_a_resting_connection_is_dropped_at_its_end_or_at_bytes_nobody_asked_for(more):
    speak = asyncio.Event()

    async def talk(peer):
        await peer.request()
        await peer.say(OK)
        await speak.wait()
        if more:
            await peer.say(more)
            await peer.reader.read()

    async with pool_before(talk) as (pool, backend):
        await whole((await pool.send(asking())).body)
        assert pool.connections == 1
        speak.set()
        await until(lambda: pool.connections == 0)
        speak.clear()
        await whole((await pool.send(asking())).body)
        assert len(backend.peers) == 2
        speak.set()


async def test_a_resting_connection_ends_after_the_idle_timeout():
    async with pool_before(answering, idle_timeout=0.05) as (pool, _):
        await whole((await pool.send(asking())).body)
        assert pool.connections == 1
        await until(lambda: pool.connections == 0)


async def test_never_more_connections_than_allowed():
    gate = asyncio.Event()
    most = 0

    async def talk(peer):
        nonlocal most
        while True:
            await peer.request()
            most = max(most, backend.open)
            await gate.wait()
            await peer.say(OK)

    async with pool_before(talk, max_connections=3, max_concurrent=64) as (pool, backend):
        tasks = [asyncio.create_task(pool.send(asking())) for _ in range(20)]
        await until(lambda: len(backend.peers) == 3)
        gate.set()
        for reply in await asyncio.gather(*tasks):
            assert await whole(reply.body) == b"ok"
        assert most == 3
        assert len(backend.peers) == 3


# Sending again.


@pytest.mark.parametrize(
    ("request_", "times"),
    [
        pytest.param(asking, 2, id="GET is sent again"),
        pytest.param(lambda: asking(b"DELETE"), 2, id="DELETE without a body is sent again"),
        pytest.param(lambda: asking(b"POST"), 1, id="POST is not"),
        pytest.param(lambda: asking(b"PATCH"), 1, id="PATCH is not"),
        pytest.param(lambda: asking(b"PUT", body=Chunks(b"ab", length=2)), 1, id="PUT whose body was pulled is not"),
    ],
)
@pytest.mark.parametrize("end", ["closed", "reset"])
async def test_what_is_sent_again_when_a_used_connection_goes_without_a_byte(request_, times, end):
    heads = 0

    async def talk(peer):
        nonlocal heads
        await peer.request()
        if len(backend.peers) == 1:
            await peer.say(OK)
            await peer.head()
            heads += 1
            peer.hang_up() if end == "closed" else peer.reset()
            return
        heads += 1
        await peer.say(OK)

    async with pool_before(talk) as (pool, backend):
        await whole((await pool.send(asking())).body)
        if times == 2:
            assert await whole((await pool.send(request_())).body) == b"ok"
        else:
            with pytest.raises(OriginError) as failure:
                await pool.send(request_())
            assert failure.value.status == 502
        assert heads == times


async def test_it_is_sent_again_once_and_on_a_fresh_connection():
    gate = asyncio.Event()
    fresh = 0

    async def talk(peer):
        nonlocal fresh
        await peer.request()
        if gate.is_set():
            fresh += 1
            return
        await peer.say(OK)
        await peer.head()

    async with pool_before(talk) as (pool, backend):
        replies = await asyncio.gather(pool.send(asking()), pool.send(asking()))
        for reply in replies:
            await whole(reply.body)
        await until(lambda: pool.in_flight == 0)
        gate.set()
        with pytest.raises(OriginError):
            await pool.send(asking())
        assert fresh == 1
        assert len(backend.peers) == 3


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"", id="closed without a word"),
        pytest.param(b"HTTP/1.1 2", id="closed within the status line"),
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-le", id="closed within the head"),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\n\r\n", id="closed after an interim head"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", id="no HTTP"),
        pytest.param(b"HTTP/1.1 200 OK\r\na : b\r\n\r\n", id="a malformed field"),
        pytest.param(b"HTTP/1.1 200 OK\r\na: " + b"x" * 40000 + b"\r\n\r\n", id="a head beyond the limit"),
    ],
)
async def test_a_fresh_connection_that_breaks_is_502_and_nothing_is_sent_again(said):
    async def talk(peer):
        await peer.request()
        await peer.say(said)

    async with pool_before(talk) as (pool, backend):
        with pytest.raises(OriginError) as failure:
            await pool.send(asking())
        assert failure.value.status == 502
        assert len(backend.peers) == 1


async def test_a_used_connection_that_breaks_within_an_answer_is_not_used_for_another_try():
    async def talk(peer):
        await peer.request()
        await peer.say(OK)
        await peer.request()
        await peer.say(b"HTTP/1.1 200 O")

    async with pool_before(talk) as (pool, backend):
        await whole((await pool.send(asking())).body)
        with pytest.raises(OriginError):
            await pool.send(asking())
        assert len(backend.peers) == 1


# Content.


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcdef", id="a stated length"),
        pytest.param(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\ndef", id="chunks"),
    ],
)
async def test_content_beyond_its_length_is_cut_off_and_told_and_the_connection_is_dropped(answer):
    async def talk(peer):
        await peer.request()
        await peer.say(answer)
        await peer.reader.read()

    async with pool_before(talk) as (pool, backend):
        reply = await pool.send(asking())
        assert await whole(reply.body) == b"abc"
        assert reply.body.overrun
        await until(lambda: backend.open == 0)


@pytest.mark.parametrize("end", ["closed", "reset", "malformed"])
async def test_content_that_breaks_off_is_an_error_where_its_bytes_end(end):
    async def talk(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await go_on.wait()
        if end == "reset":
            peer.reset()
        elif end == "malformed":
            await peer.say(b"xyz\r\n")
            await peer.reader.read()

    go_on = asyncio.Event()
    async with pool_before(talk) as (pool, backend):
        reply = await pool.send(asking())
        assert await reply.body.read() == b"abc"
        go_on.set()
        with pytest.raises(MessageError) as failure:
            await reply.body.read()
        assert failure.value.status == 502
        assert pool.in_flight == 0
        await until(lambda: backend.open == 0)


async def test_every_split_of_an_answer_is_the_same_answer():
    answer = (
        b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nDigest: q\r\n\r\n"
    )
    at = 0

    async def talk(peer):
        peer.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            await peer.request()
            await peer.say(answer[:at])
            await asyncio.sleep(0.001)  # so that they come in two reads: nobody can tell when the first was made
            await peer.say(answer[at:])

    async with pool_before(talk) as (pool, backend):
        for at in range(len(answer)):  # noqa: B007  the backend reads it
            seen = []
            reply = await pool.send(asking(), seen.append)
            assert (reply.response.status, [head.status for head in seen]) == (200, [103])
            assert await whole(reply.body) == b"abcde"
            assert reply.body.trailers.lines == ((b"Digest", b"q"),)
        assert len(backend.peers) == 1


async def test_a_reader_that_stalls_stalls_the_backend():
    sent = 0

    async def talk(peer):
        nonlocal sent
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (64 * 2**20))
        for _ in range(64):
            await peer.say(bytes(2**20))
            sent += 1
        await peer.reader.read()

    async with pool_before(talk, idle_timeout=0.2) as (pool, _):
        reply = await pool.send(asking())
        size = len(await reply.body.read())
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.3)  # longer than idle_timeout: our own reader's delay is not the backend's
        assert sent < 32  # what sockets and one buffer hold
        while data := await reply.body.read():
            size += len(data)
        assert size == 64 * 2**20


async def test_a_backend_that_stalls_stalls_the_body():
    go_on = asyncio.Event()
    got = 0

    async def talk(peer):
        nonlocal got
        await peer.head()
        await go_on.wait()
        while got < 64 * 2**20:
            got += len(await peer.reader.read(2**20))
        await peer.say(OK)

    body = Chunks(*([bytes(2**20)] * 64), length=64 * 2**20)
    async with pool_before(talk) as (pool, _):
        sending = asyncio.create_task(pool.send(asking(b"POST", body=body)))
        before = -1
        while before != body.pulled:
            before = body.pulled
            await asyncio.sleep(0.05)  # the kernel's buffers fill in steps, and tell nobody that they are full
        assert body.pulled < 32
        go_on.set()
        assert await whole((await sending).body) == b"ok"
        assert got == 64 * 2**20


# An answer before the whole body.


async def test_a_refusal_before_the_whole_body_stops_it_and_ends_the_connection():
    async def talk(peer):
        await peer.head()
        await peer.say(b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nbig")
        await peer.reader.read()

    never = asyncio.Event()
    body = Chunks(b"a", b"b", length=2, gate=never)
    async with pool_before(talk) as (pool, backend):
        reply = await pool.send(asking(b"POST", body=body))
        assert body.cancelled  # before the reply is handed over: its owner may now read the rest
        assert (reply.response.status, await whole(reply.body)) == (413, b"big")
        await until(lambda: backend.open == 0)


async def test_a_success_may_flow_while_the_body_does():
    async def talk(peer):
        _, headers = await peer.head()
        await peer.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        assert headers.get(b"transfer-encoding") == b"chunked"
        for _ in range(2):
            line = await peer.reader.readuntil(b"\r\n")
            data = await peer.reader.readexactly(int(line, 16) + 2)
            await peer.say(line, data)
        await peer.say(await peer.reader.readexactly(5))
        await answering(peer)

    gate = asyncio.Event()
    async with pool_before(talk) as (pool, backend):
        reply = await pool.send(asking(b"POST", body=Chunks(b"one", b"two", gate=gate)))
        assert await reply.body.read() == b"one"
        gate.set()
        assert await whole(reply.body) == b"two"
        assert await whole((await pool.send(asking())).body) == b"ok"
        assert len(backend.peers) == 1


async def test_a_whole_reply_before_the_whole_body_ends_the_connection():
    async def talk(peer):
        await peer.head()
        await peer.say(OK)
        await peer.reader.read()

    body = Chunks(b"a", b"b", length=2, gate=asyncio.Event())
    async with pool_before(talk) as (pool, backend):
        reply = await pool.send(asking(b"POST", body=body))
        assert await whole(reply.body) == b"ok"
        await until(lambda: body.cancelled and backend.open == 0)


# Expect.


async def test_the_body_waits_for_100_which_is_not_passed_on():
    async def talk(peer):
        _, headers = await peer.head()
        assert headers.get(b"expect") == b"100-continue"
        await peer.say(b"HTTP/1.1 102 Processing\r\n\r\n")
        await asked.wait()
        assert body.pulled == 0
        await peer.say(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert await peer.body(headers) == b"ab"
        await peer.say(OK)

    asked = asyncio.Event()
    body = Chunks(b"ab", length=2)
    seen = []

    def interim(response):
        seen.append(response.status)
        asked.set()

    async with pool_before(talk) as (pool, _):
        reply = await pool.send(asking(b"POST", body=body, expect_continue=True), interim)
        assert await whole(reply.body) == b"ok"
        assert seen == [102]


@pytest.mark.parametrize("status", [b"200 OK", b"417 Expectation Failed"])
async def test_a_final_head_before_100_wants_no_body(status):
    async def talk(peer):
        await peer.head()
        await peer.say(b"HTTP/1.1 ", status, b"\r\ncontent-length: 0\r\n\r\n")
        await peer.reader.read()

    body = Chunks(b"ab", length=2)
    async with pool_before(talk) as (pool, backend):
        reply = await pool.send(asking(b"POST", body=body, expect_continue=True))
        assert await whole(reply.body) == b""
        assert body.pulled == 0
        await until(lambda: backend.open == 0)


async def test_the_body_does_not_wait_for_100_for_ever(monkeypatch):
    monkeypatch.setattr(outflow, "CONTINUE_PATIENCE", 0.05)
    async with pool_before(answering) as (pool, _):
        reply = await pool.send(asking(b"POST", body=Chunks(b"ab", length=2), expect_continue=True))
        assert await whole(reply.body) == b"ok"


# Time.


async def test_a_connection_refused_is_502():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    pool = Pool(OriginOptions(f"http://127.0.0.1:{port}"))
    with pytest.raises(OriginError) as failure:
        await pool.send(asking())
    assert failure.value.status == 502
    assert pool.in_flight == 0
    await pool.close()


async def test_a_connection_not_accepted_in_time_is_504():
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        port = deaf.getsockname()[1]
        full = []
        for _ in range(4):  # the queue of a listener that never accepts: after it is full, SYNs are dropped
            knocking = socket.socket()
            knocking.setblocking(False)
            knocking.connect_ex(("127.0.0.1", port))
            full.append(knocking)
        pool = Pool(OriginOptions(f"http://127.0.0.1:{port}", connect_timeout=0.1))
        with pytest.raises(OriginError) as failure:
            await pool.send(asking())
        assert failure.value.status == 504
        assert (pool.in_flight, pool.connections) == (0, 0)
        await pool.close()
        for knocking in full:
            knocking.close()


async def test_dripping_bytes_do_not_stretch_the_time_for_the_head():
    async def talk(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\n")
        while True:
            await peer.say(b"a: b\r\n")
            await asyncio.sleep(0.02)  # the backend's pace: far below ``timeout``

    async with pool_before(talk, timeout=0.15) as (pool, _):
        with pytest.raises(OriginError) as failure:
            await pool.send(asking())
        assert failure.value.status == 504


async def test_a_body_that_the_client_sends_slowly_does_not_spend_the_backends_time():
    async with pool_before(answering, timeout=0.1) as (pool, _):
        gate = asyncio.Event()
        sending = asyncio.create_task(pool.send(asking(b"POST", body=Chunks(b"a", b"b", length=2, gate=gate))))
        await asyncio.sleep(0.3)  # three times ``timeout``: it is time that must not count
        gate.set()
        assert await whole((await sending).body) == b"ok"


async def test_silence_within_the_content_is_504():
    async def talk(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")
        await peer.reader.read()

    async with pool_before(talk, idle_timeout=0.05) as (pool, _):
        reply = await pool.send(asking())
        assert await reply.body.read() == b"abc"
        with pytest.raises(OriginError) as failure:
            await reply.body.read()
        assert failure.value.status == 504
        assert pool.in_flight == 0


# Tunnels.

UPGRADE = Outgoing(b"GET", b"/", HOST.plus([(b"Upgrade", b"chat")]), upgrade=True)
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: chat\r\n\r\n"


async def test_bytes_that_come_with_the_switch_are_the_tunnels_first():
    async def talk(peer):
        _, headers, _ = await peer.request()
        assert headers.get(b"connection") == b"upgrade"
        await peer.say(SWITCHED, b"hello")
        assert await peer.reader.read() == b"bye"
        await peer.say(b"good night")

    async with pool_before(talk) as (pool, backend):
        tunnel = (await pool.send(UPGRADE)).tunnel
        assert await tunnel.read() == b"hello"
        await tunnel.write(b"bye")
        await tunnel.write_eof()
        assert await tunnel.read() == b"good night"
        assert await tunnel.read() == b""
        await tunnel.aclose()
        await until(lambda: backend.open == 0)


async def test_our_direction_outlives_the_backends():
    async def talk(peer):
        await peer.request()
        await peer.say(SWITCHED)
        peer.writer.write_eof()
        got.extend(await peer.reader.read())
        done.set()

    got, done = bytearray(), asyncio.Event()
    async with pool_before(talk) as (pool, backend):
        tunnel = (await pool.send(UPGRADE)).tunnel
        assert await tunnel.read() == b""
        await tunnel.write(b"still here")
        await tunnel.write_eof()
        await done.wait()
        assert got == b"still here"
        await until(lambda: backend.open == 0 and pool.connections == 0)


async def test_an_upgrade_that_is_declined_is_an_ordinary_reply():
    async with pool_before(answering) as (pool, _):
        reply = await pool.send(UPGRADE)
        assert reply.tunnel is None
        assert await whole(reply.body) == b"ok"


async def test_a_silent_tunnel_ends():
    async def talk(peer):
        await peer.request()
        await peer.say(SWITCHED)
        await peer.reader.read()

    async with pool_before(talk, idle_timeout=0.05) as (pool, _):
        tunnel = (await pool.send(UPGRADE)).tunnel
        assert await tunnel.read() == b""
        with pytest.raises(OriginError):
            await tunnel.write(b"x")


async def test_a_101_that_nobody_asked_for_is_502():
    async def talk(peer):
        await peer.request()
        await peer.say(SWITCHED)
        await peer.reader.read()

    async with pool_before(talk) as (pool, _):
        with pytest.raises(OriginError) as failure:
            await pool.send(asking())
        assert failure.value.status == 502


# Nothing is left behind.


@pytest.mark.parametrize("kind", ["get", "post", "upgrade", "reused"])
@pytest.mark.parametrize("turns", range(14))
async def test_cancelled_at_any_turn_of_the_loop_it_leaves_no_place_and_no_connection(kind, turns):
    async def talk(peer):
        while True:
            first, _, _ = await peer.request()
            await peer.say(SWITCHED if first.startswith(b"GET /up") else OK)

    requests = {
        "get": asking,
        "reused": asking,
        "post": lambda: asking(b"POST", body=Chunks(b"a", b"b", length=2)),
        "upgrade": lambda: Outgoing(b"GET", b"/up", HOST.plus([(b"Upgrade", b"chat")]), upgrade=True),
    }
    async with pool_before(talk, max_concurrent=1) as (pool, backend):
        if kind == "reused":
            await whole((await pool.send(asking())).body)
        task = asyncio.create_task(pool.send(requests[kind]()))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            reply = task.result()
            await reply.body.aclose()
            if reply.tunnel is not None:
                await reply.tunnel.aclose()
        assert pool.in_flight == 0
        assert await whole((await pool.send(asking())).body) == b"ok"
        await until(lambda: pool.connections == 1 and backend.open == 1)


async def test_many_who_leave_at_random_leave_nothing():
    async def talk(peer):
        while True:
            await peer.request()
            await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n", bytes(200000))

    async def one(number):
        reply = await pool.send(asking(b"POST", body=Chunks(b"x" * number, length=number)))
        try:
            if number % 3:
                await reply.body.read()
            if number % 3 == 2:
                await whole(reply.body)
        finally:
            await reply.body.aclose()

    async with pool_before(talk, max_concurrent=4) as (pool, backend):
        tasks = []
        for number in range(200):
            tasks.append(asyncio.create_task(one(number)))
            if number % 5 == 0:
                await asyncio.sleep(0)
            if number % 7 == 0:
                tasks[number // 2].cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert [end for end in ended if isinstance(end, Exception)] == []
        assert (pool.in_flight, pool.waiting) == (0, 0)
        await until(lambda: pool.connections <= 4 and backend.open == pool.connections)


async def test_a_failing_body_frees_place_and_connection():
    async def talk(peer):
        await peer.head()
        await peer.reader.read()

    async with pool_before(talk) as (pool, backend):
        with pytest.raises(ClientGoneError):
            await pool.send(asking(b"POST", body=Chunks(b"a", failure=ClientGoneError("gone"))))
        with pytest.raises(ZeroDivisionError):  # also what nobody expected
            await pool.send(asking(b"POST", body=Chunks(b"a", failure=ZeroDivisionError())))
        with pytest.raises(MessageError):
            await pool.send(asking(b"POST", body=Chunks(b"abc", length=2)))
        with pytest.raises(MessageError):
            await pool.send(Outgoing(b"GET", b"/a b", HOST))
        assert pool.in_flight == 0
        await until(lambda: pool.connections == 0 and backend.open == 0)


async def test_close_cuts_what_is_under_way():
    async def talk(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")
        await peer.reader.read()

    async with pool_before(talk) as (pool, backend):
        reply = await pool.send(asking())
        assert await reply.body.read() == b"abc"
        await pool.close()
        with pytest.raises(MessageError):
            await reply.body.read()
        with pytest.raises(OriginError) as failure:
            await pool.send(asking())
        assert failure.value.status == 503
        await until(lambda: backend.open == 0)


# Where the backend is.


async def test_a_backend_on_a_unix_socket(tmp_path):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        writer.close()

    server = await asyncio.start_unix_server(serve, tmp_path / "app.sock")
    pool = Pool(OriginOptions(f"unix:{tmp_path}/app.sock"))
    assert await whole((await pool.send(asking())).body) == b"ok"
    await pool.close()
    server.close()


@pytest.fixture
def certificate(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    making = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    subprocess.run(
        [*making.split(), "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    return key, certificate


async def test_a_backend_behind_tls_must_show_a_trusted_certificate(certificate, monkeypatch):
    key, certificate = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    url = f"https://localhost:{server.sockets[0].getsockname()[1]}"
    stranger = Pool(OriginOptions(url))
    with pytest.raises(OriginError) as failure:
        await stranger.send(asking())
    assert failure.value.status == 502
    assert stranger.in_flight == 0
    await stranger.close()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    pool = Pool(OriginOptions(url))
    assert await whole((await pool.send(asking())).body) == b"ok"
    await pool.close()
    server.close()


async def test_the_limits_of_a_head_are_the_operators():
    async def talk(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\na: 1\r\nb: 2\r\ncontent-length: 0\r\n\r\n")

    async with pool_before(talk, wire=WireLimits(fields=2)) as (pool, _):
        with pytest.raises(OriginError):
            await pool.send(asking())
