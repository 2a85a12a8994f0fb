"""Orders that are answered, and news that are not, over a socket pair."""

import asyncio
import socket

import pytest

from proxy.background import Background
from proxy.service import channel as module
from proxy.service.channel import Channel, ChannelError


class Peer:
    def __init__(self):
        self.heard = []
        self.gate = asyncio.Event()
        self.came = asyncio.Event()
        self.news_came = asyncio.Event()

    async def obey(self, order, said):
        self.came.set()
        if order == "wait":
            await self.gate.wait()
        if order == "break":
            raise ValueError(said["text"])
        return {"did": order, **said}

    def hear(self, news, said):
        self.heard.append((news, said))
        self.news_came.set()


@pytest.fixture
async def ends():
    """Two ends, each with its peer, and what failed."""
    failed = []
    background = Background(lambda name, error: failed.append((name, type(error))))
    ends = []
    for end in socket.socketpair():
        peer = Peer()
        channel = await Channel.over(end, background)
        task = background.start(channel.serve(peer), name="serve")
        ends.append((channel, peer, task))
    yield (*ends, failed)
    for channel, *_ in ends:
        await channel.close()
    await background.drain(5)


async def test_an_order_is_answered(ends):
    (here, *_), _, _ = ends
    assert await here.ask("look", 5, text="ä\nb") == {"did": "look", "text": "ä\nb"}


async def test_both_ends_may_ask_and_orders_do_not_wait_for_each_other(ends):
    (here, my, _), (there, their, _), _ = ends
    slow = asyncio.create_task(here.ask("wait", 5))
    await their.came.wait()
    assert await here.ask("look", 5) == {"did": "look"}
    assert await there.ask("look", 5, n=2) == {"did": "look", "n": 2}
    assert my.came.is_set()
    their.gate.set()
    assert await slow == {"did": "wait"}


async def test_news_come_in_order_and_before_an_answer_that_was_given_later(ends):
    (here, my, _), (there, *_), _ = ends
    there.tell("counts", n=1)
    there.tell("counts", n=2)
    await here.ask("look", 5)
    assert my.heard == [("counts", {"n": 1}), ("counts", {"n": 2})]


async def test_who_is_too_slow_has_not_answered_and_a_late_answer_is_nobodys(ends):
    (here, *_), (_, their, _), _ = ends
    with pytest.raises(ChannelError, match=r"no answer within 0\.01 s"):
        await here.ask("wait", 0.01)
    their.gate.set()
    assert await here.ask("look", 5) == {"did": "look"}


async def test_an_order_that_breaks_is_reported_and_not_answered(ends):
    (here, *_), _, failed = ends
    with pytest.raises(ChannelError, match="no answer"):
        await here.ask("break", 0.05, text="x")
    assert failed == [("order break", ValueError)]
    assert await here.ask("look", 5) == {"did": "look"}


async def test_the_end_of_the_other_is_an_answer_to_all_who_wait(ends):
    (here, _, serving), (there, their, _), _ = ends
    waiting = asyncio.create_task(here.ask("wait", 60))
    await their.came.wait()
    await there.close()
    with pytest.raises(ChannelError, match="has gone"):
        await waiting
    await serving
    with pytest.raises(ChannelError, match="has gone"):
        await here.ask("look", 60)
    here.tell("counts", n=1)  # nobody minds


async def test_news_are_left_out_while_the_other_end_does_not_read(monkeypatch):
    monkeypatch.setattr(module, "MOST_UNREAD", 100_000)
    ours, theirs = socket.socketpair()
    background = Background(lambda *_: None)
    channel = await Channel.over(ours, background)
    for _ in range(100):
        channel.tell("counts", text="x" * 50_000)
    assert channel._writer.transport.get_write_buffer_size() < 200_000
    theirs.close()
    await channel.close()


async def test_a_line_that_is_too_long_ends_the_channel(monkeypatch):
    monkeypatch.setattr(module, "LONGEST", 1000)
    ours, theirs = socket.socketpair()
    background = Background(lambda *_: None)
    channel = await Channel.over(ours, background)
    theirs.sendall(b"x" * 5000)
    await asyncio.wait_for(channel.serve(Peer()), 5)
    theirs.close()
    await channel.close()
