"""What only the fake has; what it has in common with the pool is in tests/contracts."""

import asyncio

from proxy.fetch.fake import FakeOrigin, Scripted
from proxy.fetch.origin import Outgoing
from proxy.message.headers import Headers
from proxy.message.response import Response
from tests.rawbackend import Chunks, whole

GET = Outgoing(b"GET", b"/", Headers())


async def test_queued_answers_come_first_then_the_other():
    origin = FakeOrigin()
    origin.otherwise = lambda request: Scripted(Response(404), (request.target,))
    origin.will_answer(Scripted(Response(201)), Scripted(Response(202)))
    replies = [await origin.send(GET) for _ in range(3)]
    assert [reply.response.status for reply in replies] == [201, 202, 404]
    assert await whole(replies[2].body) == b"/"


async def test_it_remembers_what_it_was_asked_and_how_many_at_once():
    origin = FakeOrigin()
    gate = asyncio.Event()
    origin.will_answer(Scripted(gate=gate), Scripted(gate=gate))
    post = Outgoing(b"POST", b"/a", Headers(), Chunks(b"ab", b"c"))
    tasks = [asyncio.create_task(origin.send(request)) for request in (GET, post)]
    await origin.was_asked(2)
    gate.set()
    await asyncio.gather(*tasks)
    assert [asked.request.target for asked in origin.asked] == [b"/", b"/a"]
    assert [asked.body for asked in origin.asked] == [b"", b"abc"]
    assert (origin.most_in_flight, origin.in_flight) == (2, 0)


async def test_an_early_answer_leaves_the_body_alone():
    origin = FakeOrigin()
    origin.will_answer(Scripted(Response(413), early=True))
    body = Chunks(b"ab", length=2)
    await origin.send(Outgoing(b"POST", b"/", Headers(), body))
    assert (body.pulled, origin.asked[0].body) == (0, None)
