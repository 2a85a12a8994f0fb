"""A whole service in this process, on ports of its own, before a backend that says what a test wants."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest
from backends import Backend, Client

from proxy.service import Service
from proxy.settings import load_settings

RULES = """
version: 1
service: unit
upstream: {url: http://127.0.0.1:1}
log: {level: error, hits: 0%}
routes:
  - {name: plan, match: "GET /plans/{id}", authorization: ignore, cookies: ignore, tags: ["plan:{id}"], ttl: 1h}
"""
LISTEN = {"listen": "127.0.0.1:0", "admin.listen": "127.0.0.1:0"}


class Played:
    """One running service; ``answer`` is what the backend says."""

    def __init__(self, service, answers) -> None:
        self.service = service
        self.answers = answers

    async def ask(self, target: str, *fields: str) -> str:
        """GET through the service; return what X-Cache-Status says."""
        async with Client(self.service.traffic_port) as client:
            _, lines, _ = await client.ask(target, *fields)
        return lines[b"x-cache-status"].decode()


@pytest.fixture
async def play(told):
    """Start a service under the given rules; ``answers`` maps a target to the lines of its head."""
    async with AsyncExitStack() as stack:

        async def begin(rules=RULES, *, more="", store="memory://", answers=None, wall=None, load=None):
            says = {} if answers is None else answers

            async def answer(head):
                lines = says.get(head.split()[1].decode(), [])
                return b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n%s\r\nhello" % b"".join(
                    f"{line}\r\n".encode() for line in lines
                )

            backend = await stack.enter_async_context(Backend(answer))
            flags = {**LISTEN, "upstream.url": backend.url, "store.url": store}
            settings = load_settings(rules + more, overrides=flags)
            clock = {} if wall is None else {"wall": wall}
            reload = None if load is None else (lambda: load_settings(load(), overrides=flags))
            service = Service(settings, load=reload, watch=told, **clock)
            await service.start()
            stack.push_async_callback(service.stop)
            return Played(service, says)

        yield begin
