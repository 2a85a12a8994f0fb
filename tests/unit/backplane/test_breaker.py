import asyncio

import pytest

from proxy.background import Background
from proxy.backplane import breaker as room
from proxy.backplane.breaker import Breaker
from proxy.observe.events import BreakerMoved


class Server:
    """Answers probes when it is told to; every probe is counted and waits for its turn."""

    def __init__(self):
        self.probes = 0
        self.verdicts = asyncio.Queue()

    async def probe(self):
        self.probes += 1
        if not await self.verdicts.get():
            raise ConnectionError


@pytest.fixture
async def stage(told, monkeypatch):
    pauses = []
    sleep = asyncio.sleep

    async def note(seconds):
        pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr(room.asyncio, "sleep", note)
    server = Server()
    background = Background(lambda name, error: pytest.fail(f"{name}: {error}"))
    yield Breaker(server.probe, told.tell, background), server, background, pauses
    await background.drain(0)


async def test_it_opens_at_the_first_failure_and_closes_when_a_probe_is_answered(stage, told):
    breaker, server, background, pauses = stage

    breaker.trip("timeout")
    assert breaker.is_open

    server.verdicts.put_nowait(True)
    await background.drain(5)

    assert not breaker.is_open
    assert pauses == []  # the first probe goes out at once
    assert told.events == [BreakerMoved(True, "timeout"), BreakerMoved(False, "the store answers again")]


async def test_failures_while_it_is_open_start_no_second_probe(stage, told):
    breaker, server, background, _ = stage

    for _ in range(5):
        breaker.trip("connection")
    assert len(background) == 1

    server.verdicts.put_nowait(True)
    await background.drain(5)
    assert server.probes == 1
    assert len(told.events) == 2


async def test_the_pauses_between_probes_double_to_two_seconds(stage):
    breaker, server, background, pauses = stage

    breaker.trip("connection")
    for answered in [False] * 7 + [True]:
        server.verdicts.put_nowait(answered)
    await background.drain(5)

    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


async def test_it_opens_again_after_it_closed(stage, told):
    breaker, server, background, _ = stage
    for _ in range(2):
        breaker.trip("timeout")
        server.verdicts.put_nowait(True)
        await background.drain(5)

    assert [event.is_open for event in told.events] == [True, False, True, False]
