"""500 clients at once: for one cold key, with the first hanging up, and for what may not be shared."""

from __future__ import annotations

import asyncio
import hashlib

import pytest
from backends import Backend, Client
from sidecar import Sidecar

CROWD = 500
MOST_IN_FLIGHT = 12

RULES = """
version: 1
service: crowd
upstream: {url: http://127.0.0.1:1, max_concurrent: 12, queue_timeout: 60s}
limits: {waiters: 1000}
routes:
  - name: everything
    match: GET /**
    authorization: ignore
    cookies: ignore
    ttl: 1m
"""


class Origin:
    """Answers each request with a body of its own, after a pause; counts, and remembers the most at once."""

    def __init__(self, cache_control: str | None, pause: float) -> None:
        self.asked = 0
        self.in_flight = 0
        self.most = 0
        self.first = asyncio.Event()
        self._cache_control = cache_control
        self._pause = pause

    async def __call__(self, head: bytes) -> bytes:
        self.asked += 1
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        self.first.set()
        number, target = self.asked, head.split()[1]
        await asyncio.sleep(self._pause)  # the backend's own time: it is what there is to wait for
        self.in_flight -= 1
        body = b"%s %d" % (target, number)
        lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body)]
        if self._cache_control:
            lines.append(b"Cache-Control: " + self._cache_control.encode())
        return b"\r\n".join([*lines, b"", body])


async def ask(port: int, target: str) -> tuple[int, bytes]:
    async with Client(port) as client:
        status, _, body = await client.ask(target)
        return status, body


@pytest.mark.parametrize("first_hangs_up", [False, True])
async def test_one_cold_key_is_one_request_at_the_backend(first_hangs_up):
    origin = Origin(None, pause=1.0)
    async with Backend(origin) as backend:
        with Sidecar(RULES, upstream=backend.url) as sidecar:
            first = asyncio.create_task(ask(sidecar.port, "/cold"))
            await origin.first.wait()
            crowd = [asyncio.create_task(ask(sidecar.port, "/cold")) for _ in range(CROWD - 1)]
            if first_hangs_up:
                first.cancel()
            told = await asyncio.gather(*crowd)
            if not first_hangs_up:
                told.append(await first)
    assert set(told) == {(200, b"/cold 1")}
    assert origin.asked == 1


async def test_what_may_not_be_shared_is_asked_for_by_each_within_the_bound():
    origin = Origin("private", pause=0.05)
    async with Backend(origin) as backend:
        with Sidecar(RULES, upstream=backend.url) as sidecar:
            told = await asyncio.gather(*(ask(sidecar.port, "/own") for _ in range(CROWD)))
    assert {status for status, _ in told} == {200}
    assert len({body for _, body in told}) == CROWD, "nobody gets another's answer"
    assert origin.asked == CROWD
    assert origin.most == MOST_IN_FLIGHT


async def test_a_crowd_for_many_keys_gets_each_its_own():
    origin = Origin(None, pause=0.01)
    targets = [f"/{hashlib.blake2b(b'%d' % (number % 50)).hexdigest()}" for number in range(CROWD)]
    async with Backend(origin) as backend:
        with Sidecar(RULES, upstream=backend.url) as sidecar:
            told = await asyncio.gather(*(ask(sidecar.port, target) for target in targets))
    for target, (status, body) in zip(targets, told, strict=True):
        assert status == 200
        assert body.startswith(target.encode() + b" ")
    assert origin.asked == 50
