"""What every Origin keeps: the pool before a real socket, and the fake that stands for it in the pipeline's tests."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from unittest.mock import ANY

import pytest

from proxy.fetch.fake import FakeOrigin, Scripted
from proxy.fetch.options import OriginOptions
from proxy.fetch.origin import Outgoing
from proxy.fetch.pool import Pool
from proxy.message.errors import ClientGoneError, MessageError, OriginError
from proxy.message.headers import Headers
from proxy.message.response import Response
from tests.rawbackend import Chunks, ScriptedBackend, whole

HOST = Headers([(b"Host", b"api.example")])
BIG = bytes(range(256)) * 4096  # 1 MiB: more than any buffer on the way holds


class Echo:
    """A tunnel's far side in memory: what is written comes back."""

    def __init__(self):
        self.queue = asyncio.Queue()

    async def read(self):
        return await self.queue.get()

    async def write(self, data):
        self.queue.put_nowait(data)

    async def write_eof(self):
        self.queue.put_nowait(b"")

    async def aclose(self):
        self.queue.put_nowait(b"")


class Stage:
    """One origin and the script behind it."""

    def __init__(self, origin, script, backend):
        self.origin = origin
        self.script = script
        self.backend = backend

    def get(self, target=b"/", method=b"GET", **more):
        return self.origin.send(Outgoing(method, target, HOST, **more))


@pytest.fixture(params=["fake", "pool"])
def stage(request):
    @asynccontextmanager
    async def of_fake(**bounds):
        origin = FakeOrigin(OriginOptions("http://fake", **bounds))
        yield Stage(origin, origin.will_answer, origin)
        await origin.close()

    @asynccontextmanager
    async def of_pool(**bounds):
        async with ScriptedBackend() as backend:
            origin = Pool(OriginOptions(backend.url, **bounds))
            yield Stage(origin, lambda *answers: backend.script.extend(answers), backend)
            await origin.close()
            assert origin.in_flight == 0
            assert origin.connections == 0

    return of_fake if request.param == "fake" else of_pool


@pytest.mark.parametrize(
    ("method", "scripted", "length", "content"),
    [
        pytest.param(b"GET", Scripted(chunks=(b"ab", b"c")), 3, b"abc", id="a stated length"),
        pytest.param(b"GET", Scripted(chunks=(b"ab", b"c"), unsized=True), None, b"abc", id="chunks"),
        pytest.param(b"GET", Scripted(), 0, b"", id="nothing stated as nothing"),
        pytest.param(b"GET", Scripted(unsized=True), None, b"", id="no chunk at all"),
        pytest.param(b"HEAD", Scripted(length=7), 0, b"", id="HEAD"),
        pytest.param(b"GET", Scripted(Response(204)), 0, b"", id="204"),
        pytest.param(b"GET", Scripted(Response(304)), 0, b"", id="304"),
        pytest.param(b"GET", Scripted(Response(999, reason=b"Odd"), (b"x",)), 1, b"x", id="a status nobody knows"),
        pytest.param(b"GET", Scripted(chunks=(BIG,)), len(BIG), BIG, id="more than the buffers hold"),
    ],
)
async def test_a_reply_is_a_head_and_its_content(stage, method, scripted, length, content):
    async with stage() as on:
        on.script(scripted)
        reply = await on.get(method=method)
        assert reply.response.status == scripted.response.status
        assert reply.tunnel is None
        assert reply.body.length == length
        assert await whole(reply.body) == content
        assert await reply.body.read() == b""
        await reply.body.aclose()
        assert on.origin.in_flight == 0


async def test_a_reply_without_content_has_left_the_count_at_its_head(stage):
    async with stage() as on:
        on.script(Scripted(Response(204)))
        await on.get()
        assert on.origin.in_flight == 0


@pytest.mark.parametrize(
    ("body", "content"),
    [
        pytest.param(lambda: Chunks(b"ab", b"c", length=3), b"abc", id="a stated length"),
        pytest.param(lambda: Chunks(b"ab", b"c"), b"abc", id="an unknown length"),
        pytest.param(lambda: Chunks(length=0), b"", id="an empty one"),
        pytest.param(lambda: Chunks(BIG, BIG, length=2 * len(BIG)), BIG + BIG, id="more than the buffers hold"),
    ],
)
async def test_the_backend_gets_the_request_body(stage, body, content):
    async with stage() as on:
        reply = await on.get(method=b"POST", body=body())
        assert reply.response.status == 200
        assert on.backend.asked[0].body == content


async def test_fields_and_target_arrive_as_they_were_given(stage):
    async with stage() as on:
        fields = Headers([(b"Host", b"api.example"), (b"X-Twice", b"1"), (b"x-twice", b"caf\xe9")])
        await on.origin.send(Outgoing(b"GET", b"/a?b=%7e&", fields))
        asked = on.backend.asked[0].request
        assert (asked.method, asked.target, asked.headers.lines) == (b"GET", b"/a?b=%7e&", fields.lines)


async def test_interim_heads_are_passed_on_before_the_final_one(stage):
    hints = Response(103, Headers([(b"link", b"</a.css>; rel=preload")]))
    async with stage() as on:
        on.script(Scripted(interim=(Response(102), hints), chunks=(b"x",)))
        seen = []
        reply = await on.origin.send(Outgoing(b"GET", b"/", HOST), seen.append)
        assert [response.status for response in seen] == [102, 103]
        assert seen[1].headers.lines == hints.headers.lines
        assert await whole(reply.body) == b"x"


async def test_trailers_come_after_the_content(stage):
    async with stage() as on:
        on.script(Scripted(chunks=(b"x",), trailers=Headers([(b"Digest", b"abc")])))
        reply = await on.get()
        assert await whole(reply.body) == b"x"
        assert reply.body.trailers.get(b"digest") == b"abc"


async def test_a_body_that_breaks_off_is_an_error_where_its_bytes_end(stage):
    async with stage() as on:
        on.script(Scripted(chunks=(b"abc",), length=10, break_off=True))
        reply = await on.get()
        assert await reply.body.read() == b"abc"
        with pytest.raises(MessageError):
            await reply.body.read()
        assert on.origin.in_flight == 0


async def test_no_answer_is_502(stage):
    async with stage() as on:
        on.script(Scripted(error=OriginError("closed", 502)))
        with pytest.raises(OriginError) as failure:
            await on.get()
        assert failure.value.status == 502
        assert on.origin.in_flight == 0


async def test_silence_is_504(stage):
    async with stage(timeout=0.05) as on:
        on.script(Scripted(gate=asyncio.Event()))
        with pytest.raises(OriginError) as failure:
            await on.get()
        assert failure.value.status == 504
        assert on.origin.in_flight == 0


async def test_a_request_body_that_fails_fails_the_request_with_its_own_error(stage):
    async with stage() as on:
        with pytest.raises(ClientGoneError):
            await on.get(method=b"POST", body=Chunks(b"ab", length=10, failure=ClientGoneError("gone")))
        assert on.origin.in_flight == 0


async def test_never_more_in_flight_than_allowed_and_first_come_first_served(stage):
    async with stage(max_concurrent=2) as on:
        gates = [asyncio.Event() for _ in range(5)]
        on.script(*(Scripted(gate=gate) for gate in gates))
        asking = [asyncio.create_task(on.get(b"/%d" % number)) for number in range(5)]
        for number, gate in enumerate(gates):
            await on.backend.was_asked(min(number + 2, 5))
            assert on.origin.in_flight <= 2
            gate.set()
            await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
            asking = [task for task in asking if not task.done()]
        assert {asked.request.target for asked in on.backend.asked[:2]} == {b"/0", b"/1"}
        assert [asked.request.target for asked in on.backend.asked[2:]] == [b"/2", b"/3", b"/4"]
        assert on.origin.in_flight == 0


async def test_who_waits_too_long_for_a_place_is_sent_away_with_a_time_to_come_back(stage):
    async with stage(max_concurrent=1, queue_timeout=0.05) as on:
        gate = asyncio.Event()
        on.script(Scripted(gate=gate))
        first = asyncio.create_task(on.get())
        await on.backend.was_asked(1)
        with pytest.raises(OriginError) as failure:
            await on.get()
        assert failure.value.status == 503
        assert failure.value.retry_after == 1
        gate.set()
        assert (await first).response.status == 200
        assert on.origin.in_flight == 0


async def test_a_place_is_held_until_the_content_has_come(stage):
    async with stage(max_concurrent=1) as on:
        gate = asyncio.Event()
        on.script(Scripted(chunks=(b"abc",), body_gate=gate))
        reply = await on.get()
        second = asyncio.create_task(on.get())
        assert on.origin.in_flight == 1
        assert len(on.backend.asked) == 1
        gate.set()
        assert await whole(reply.body) == b"abc"
        assert (await second).response.status == 200


async def test_an_event_stream_leaves_the_count_at_its_head(stage):
    async with stage(max_concurrent=1) as on:
        gate = asyncio.Event()
        stream = Response(200, Headers([(b"content-type", b"Text/Event-Stream; charset=utf-8")]))
        on.script(Scripted(stream, (b"data: 1\n\n",), body_gate=gate, unsized=True))
        reply = await on.get()
        assert on.origin.in_flight == 0
        assert (await on.get()).response.status == 200
        gate.set()
        assert await whole(reply.body) == b"data: 1\n\n"
        assert on.origin.in_flight == 0


async def test_an_upgrade_becomes_a_tunnel_and_leaves_the_count(stage):
    async with stage(max_concurrent=1) as on:
        switched = Response(101, Headers([(b"Upgrade", b"chat"), (b"Connection", b"upgrade")]))
        on.script(Scripted(switched, tunnel=Echo()))
        reply = await on.origin.send(Outgoing(b"GET", b"/", HOST.plus([(b"Upgrade", b"chat")]), upgrade=True))
        assert reply.response.status == 101
        assert on.origin.in_flight == 0
        await reply.tunnel.write(b"hello")
        assert await reply.tunnel.read() == b"hello"
        await reply.tunnel.write_eof()
        assert await reply.tunnel.read() == b""
        await reply.tunnel.aclose()
        await reply.tunnel.aclose()


async def test_a_closed_reply_gives_its_place_back_and_says_no_more(stage):
    async with stage(max_concurrent=1) as on:
        on.script(Scripted(chunks=(b"abc",), body_gate=asyncio.Event()))
        reply = await on.get()
        await reply.body.aclose()
        await reply.body.aclose()
        assert on.origin.in_flight == 0
        with pytest.raises(OriginError):
            await reply.body.read()
        assert (await on.get()).response.status == 200


@pytest.mark.parametrize("where", ["in the queue", "before the head", "in the body"])
async def test_whoever_is_cancelled_leaves_nothing_behind(stage, where):
    async with stage(max_concurrent=1) as on:
        never = asyncio.Event()
        on.script(Scripted(gate=never) if where == "before the head" else Scripted(chunks=(b"a",), body_gate=never))
        first = asyncio.create_task(on.get())
        await on.backend.was_asked(1)
        if where == "in the queue":
            await first
            asker = asyncio.create_task(on.get())
            await asyncio.sleep(0)
            asker.cancel()
            await asyncio.wait([asker])
            await first.result().body.aclose()
        elif where == "before the head":
            first.cancel()
            await asyncio.wait([first])
        else:
            reply = await first
            reading = asyncio.create_task(reply.body.read())
            await asyncio.sleep(0)
            reading.cancel()
            await asyncio.wait([reading])
            await reply.body.aclose()
        assert on.origin.in_flight == 0
        assert (await on.get()).response.status == 200


async def test_close_sends_away_whoever_waits(stage):
    async with stage(max_concurrent=1) as on:
        on.script(Scripted(gate=asyncio.Event()))
        first = asyncio.create_task(on.get())
        await on.backend.was_asked(1)
        second = asyncio.create_task(on.get())
        await asyncio.sleep(0)
        await on.origin.close()
        with pytest.raises(OriginError) as failure:
            await second
        assert failure.value.status == 503
        first.cancel()
        await asyncio.wait([first])


async def begun(on, **more):
    """Begin a request and return what is heard of it."""
    heard = asyncio.get_running_loop().create_future()
    request = Outgoing(b"GET", b"/", HOST, **more)
    return on.origin.begin(request, heard.set_result), heard


async def test_what_is_begun_is_heard_of_as_what_is_sent_is_returned(stage):
    async with stage() as on:
        on.script(Scripted(), Scripted(chunks=(b"ab", b"c")), Scripted(Response(404), (b"no",)))
        await on.get()  # from here on a connection rests
        for status, content in ((200, b"abc"), (404, b"no")):
            at_once, heard = await begun(on)
            assert at_once is not None
            assert not heard.done(), "in a later turn"
            reply = await heard
            assert (reply.response.status, await whole(reply.body) or reply.whole) == (status, content)
            await reply.body.aclose()
            assert on.origin.in_flight == 0


async def test_an_interim_head_is_passed_on_where_it_was_begun(stage):
    async with stage() as on:
        on.script(Scripted(), Scripted(interim=(Response(103),)))
        await on.get()
        heard, seen = asyncio.get_running_loop().create_future(), []
        assert on.origin.begin(Outgoing(b"GET", b"/", HOST), heard.set_result, seen.append)
        await heard
        assert [response.status for response in seen] == [103]


async def test_what_has_a_body_or_no_place_is_not_begun(stage):
    gate = asyncio.Event()
    async with stage(max_concurrent=1) as on:
        on.script(Scripted(), Scripted(gate=gate))
        await on.get()
        assert await begun(on, body=Chunks(b"a", length=1)) == (None, ANY)
        _, heard = await begun(on)
        await asyncio.sleep(0)
        assert on.origin.in_flight == 1
        assert await begun(on) == (None, ANY)
        gate.set()
        await (await heard).body.aclose()


async def test_what_was_begun_and_given_up_is_heard_of_by_nobody(stage):
    gate = asyncio.Event()
    async with stage() as on:
        on.script(Scripted(), Scripted(gate=gate))
        await on.get()
        at_once, heard = await begun(on)
        await asyncio.sleep(0)
        at_once.give_up()
        at_once.give_up()
        gate.set()
        for _ in range(9):
            await asyncio.sleep(0)
        assert not heard.done()
        assert on.origin.in_flight == 0


async def test_silence_after_what_was_begun_is_heard_of(stage):
    async with stage(timeout=0.05) as on:
        on.script(Scripted(), Scripted(gate=asyncio.Event()))
        await on.get()
        _, heard = await begun(on)
        failure = await heard
        assert (type(failure), failure.status) == (OriginError, 504)
        assert on.origin.in_flight == 0
