"""What the leader asks of its workers, each at the other end of a real socket pair."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack
from types import SimpleNamespace

import pytest

from proxy.background import Background
from proxy.service import orders
from proxy.service.channel import Channel
from proxy.service.orders import ask_all, refresh_by_one, refusal

SETTINGS = SimpleNamespace(fingerprint="f1", written=SimpleNamespace(as_dict=lambda: {"text": "version: 1"}))


class Hand:
    """A worker's end: answers by name of the order, None where it dies over it; remembers what it was asked."""

    def __init__(self, answers):
        self.answers, self.heard, self.end = answers, [], None

    async def obey(self, order, said):
        self.heard.append((order, said))
        answer = self.answers[order]
        if answer is None:
            await self.end.close()
            return await asyncio.Event().wait()
        return answer

    def hear(self, news, said):
        raise AssertionError("the leader has no news")


@pytest.fixture
async def crew():
    background = Background(lambda name, error: None)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(background.drain, 0)

        async def made(*hands, up=True):
            members = []
            for hand in hands:
                ours, theirs = [await Channel.over(end, background) for end in socket.socketpair()]
                hand.end = theirs
                for end, peer in ((ours, hand), (theirs, hand)):
                    background.start(end.serve(peer), name="serve")
                    stack.push_async_callback(end.close)
                members.append(SimpleNamespace(channel=ours, is_up=up))
            return members

        yield made


async def test_all_are_asked_and_who_dies_is_left_out(crew):
    members = await crew(Hand({"count": {"n": 1}}), Hand({"count": None}), Hand({"count": {"n": 3}}))
    assert await ask_all(members, "count") == [{"n": 1}, {"n": 3}]


async def test_who_is_not_up_is_not_asked(crew):
    hand = Hand({})
    members = await crew(hand, up=False)
    assert await ask_all(members, "count") == []
    assert await refresh_by_one(members, ["tag:a"], 9, "e:1") == 0
    assert hand.heard == []


def reader(reads, refreshing=5):
    return Hand({"would_hit": None if reads is None else {"reads": reads}, "refresh": {"refreshing": refreshing}})


async def test_who_has_seen_most_reads_fetches_them_again(crew):
    few, most, dying = reader(2), reader(7), reader(None)
    assert await refresh_by_one(await crew(few, most, dying), ("tag:a",), 9, "e:1") == 5
    assert most.heard[1:] == [("refresh", {"selectors": ["tag:a"], "most": 9, "at": "e:1"})]
    assert [order for order, _ in few.heard + dying.heard] == ["would_hit"] * 2


async def test_what_nobody_has_read_is_fetched_by_nobody(crew):
    hand = reader(0)
    assert await refresh_by_one(await crew(hand), ["tag:a"], 9, "e:1") == 0
    assert len(hand.heard) == 1


async def test_who_dies_under_it_fetches_nothing(crew):
    hand = reader(3)
    hand.answers["refresh"] = None
    assert await refresh_by_one(await crew(hand), ["tag:a"], 9, "e:1") == 0


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        pytest.param({"mistakes": [], "fingerprint": "f1"}, "", id="the same configuration"),
        pytest.param({"mistakes": ["a", "b"], "fingerprint": ""}, "a; b", id="mistakes"),
        pytest.param(
            {"mistakes": [], "fingerprint": "f2"}, "another configuration", id="another one from the same text"
        ),
        pytest.param(None, "the other process has gone", id="its death"),
    ],
)
async def test_why_a_configuration_was_not_taken(crew, answer, why):
    hand = Hand({"check": answer})
    (member,) = await crew(hand)
    said = await refusal(member, "check", SETTINGS)
    assert why in said
    assert bool(said) == bool(why)
    assert hand.heard == [("check", {"written": {"text": "version: 1"}})]


async def test_nobody_is_waited_for_for_ever(crew, monkeypatch):
    monkeypatch.setattr(orders, "ANSWERS_WITHIN", 0.01)
    monkeypatch.setattr(orders, "CHECKS_WITHIN", 0.01)
    hand = Hand({})
    hand.obey = lambda *_: asyncio.Event().wait()
    members = await crew(hand)
    assert await ask_all(members, "count") == []
    assert await refresh_by_one(members, ["tag:a"], 9, "e:1") == 0
    assert await refusal(members[0], "check", SETTINGS) == "no answer within 0.01 s"
