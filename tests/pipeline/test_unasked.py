"""What nobody waits for is asked for through the ordinary pipeline, and stands in nobody's way."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from proxy.message.errors import MessageError, OriginError
from proxy.message.headers import Headers
from proxy.message.response import Response
from proxy.pipeline import unasked
from proxy.pipeline.reply import Answer
from proxy.pipeline.unasked import fetch_again, read_to_end
from tests.pipeline.rules import PLANS
from tests.pipeline.stage import Says, Stage


@pytest.fixture
def stage():
    return Stage(PLANS)


async def filled(stage, target, times=1):
    for _ in range(times):
        await stage.asks(target)
        await stage.at_rest()


async def test_after_a_purge_the_most_read_is_hot_before_anybody_asks(stage):
    stage.origin.default = Says()
    for number, times in ((1, 2), (2, 4), (3, 3)):
        await filled(stage, f"/plans/{number}", times)
    await stage.ledger.purge(["tag:plans"], soft=False, now=stage.clock())
    fetch_again(stage.pipeline, stage.parts.popularity.most_read(["tag:plans"], 2))
    await stage.at_rest()
    assert [outgoing.target for outgoing in stage.origin.heard[3:]] == [b"/plans/2", b"/plans/3"]
    assert [(await stage.asks(f"/plans/{number}")).outcome for number in (2, 3, 1)] == [
        "hit_memory",
        "hit_memory",
        "miss",
    ]


async def test_after_a_soft_purge_too(stage):
    stage.origin.default = Says()
    await filled(stage, "/plans/1")
    await stage.ledger.purge(["tag:plans"], soft=True, now=stage.clock())
    fetch_again(stage.pipeline, stage.parts.popularity.most_read(["tag:plans"], 2))
    await stage.at_rest()
    assert (await stage.asks("/plans/1")).outcome == "hit_memory"
    assert len(stage.origin.heard) == 2


async def test_no_more_than_the_configuration_says_are_under_way(stage):
    stage.parts.options = replace(stage.parts.options, refresh_at_once=4)
    stage.origin.default = Says()
    for number in range(12):
        await filled(stage, f"/plans/{number}")
    await stage.ledger.purge(["tag:plans"], soft=False, now=stage.clock())
    gate = asyncio.Event()
    stage.origin.default, stage.origin.most_in_flight = Says(gate=gate), 0
    fetch_again(stage.pipeline, stage.parts.popularity.most_read(["tag:plans"], 99))
    await stage.heard(16)
    await stage.settled()
    assert stage.origin.in_flight == 4
    gate.set()
    await stage.at_rest()
    assert (len(stage.origin.heard), stage.origin.most_in_flight) == (24, 4)


async def test_one_that_fails_or_breaks_off_stops_no_other(stage):
    stage.origin.default = Says()
    for number, times in ((1, 4), (2, 3), (3, 2)):
        await filled(stage, f"/plans/{number}", times)
    await stage.ledger.purge(["tag:plans"], soft=False, now=stage.clock())
    stage.says(error=OriginError("reset", 502))
    stage.says(pieces=[b"he", MessageError("it broke off")], length=5)
    fetch_again(stage.pipeline, stage.parts.popularity.most_read(["tag:plans"], 9))
    await stage.at_rest()
    assert stage.failures == []
    assert (await stage.asks("/plans/3")).outcome == "hit_memory"


class Content:
    """A body in pieces: an exception is raised, None never comes."""

    length, trailers = None, Headers(())

    def __init__(self, *pieces):
        self.left, self.closed = list(pieces), False

    async def read(self):
        piece = self.left.pop(0) if self.left else b""
        if isinstance(piece, Exception):
            raise piece
        return piece if piece is not None else await asyncio.Event().wait()

    async def aclose(self):
        self.closed = True


@pytest.mark.parametrize(
    ("pieces", "whole"),
    [
        pytest.param([b"he", b"llo"], True, id="to its end"),
        pytest.param([b"he", MessageError("it broke off")], False, id="broken off"),
        pytest.param([b"he", None], False, id="a stream without an end"),
    ],
)
async def test_a_body_is_read_along_and_given_back(pieces, whole, monkeypatch):
    monkeypatch.setattr(unasked, "AT_MOST", 0.01)
    content = Content(*pieces)
    assert await read_to_end(Answer(Response(200), content)) is whole
    assert content.closed
    assert content.left == []


async def test_what_is_there_already_is_whole():
    assert await read_to_end(Answer(Response(200), b"hello"))
