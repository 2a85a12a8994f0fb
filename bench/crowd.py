"""A crowd that reads and purges through several sidecars, and a checker that knows what each answer had to show."""

from __future__ import annotations

import asyncio
import json
import random
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backends import Client

if TYPE_CHECKING:
    from collections.abc import Awaitable

RULES = """
version: 1
service: crowd
upstream: {{url: http://127.0.0.1:1, max_concurrent: 64}}
memory: {{max_size: {memory}, max_lag: 250ms}}
purge: {{max_calls_per_second: 1000}}
log: {{hits: 0%, level: warning}}
defaults: {{ttl: {ttl}, stale_while_revalidate: 0s, stale_if_error: 0s}}
routes:
  - {{name: item, match: "GET /items/{{id}}", authorization: ignore, cookies: ignore, tags: ["item:{{id}}", items]}}
"""
OK = 200


class Items:
    """The backend: an item's body is its version, as it was when the request came."""

    def __init__(self) -> None:
        self.versions: dict[str, int] = {}
        self.asked = 0

    async def __call__(self, head: bytes) -> bytes:
        """Answer one request."""
        self.asked += 1
        name = head.split(b" ", 2)[1].decode().rpartition("/")[2]
        body = b"%d" % self.versions.get(name, 0)
        await asyncio.sleep(random.random() * 0.004)
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


@dataclass(slots=True)
class Crowd:
    """What was done and seen.

    ``known`` holds per item the version that every later read must show. ``told`` holds, for purges that nobody waited
    for, when each version was acknowledged: what is read after that and is older is counted by its age.
    """

    items: Items
    ports: list[int]
    admins: list[int]
    names: int = 50
    wait: str | None = "2s"
    known: dict[str, int] = field(default_factory=dict)
    told: dict[str, list[tuple[float, int]]] = field(default_factory=dict)
    reads: int = 0
    hits: int = 0
    purges: int = 0
    refused: int = 0
    unconfirmed: int = 0
    errors: int = 0
    stale: list[tuple[str, int, int, str]] = field(default_factory=list)
    worst: float = 0.0
    seconds: list[float] = field(default_factory=list)
    over: bool = False

    async def read(self, port: int) -> None:
        """Ask for one item after another, and compare each answer with what had to be in it."""
        while not self.over:
            with suppress(OSError, EOFError):
                async with Client(port) as client:
                    while not self.over:
                        await self._read_one(client)
            if not self.over:
                self.errors += 1
                await asyncio.sleep(0.01)

    async def _read_one(self, client: Client) -> None:
        name = f"{random.randrange(self.names)}"
        at_least, began = self.known.get(name, 0), time.monotonic()
        status, fields, body = await client.ask(f"/items/{name}")
        if status != OK:
            self.errors += 1
            return
        self.reads += 1
        self.hits += fields[b"x-cache-status"] == b"HIT"
        version = int(body)
        if version < at_least:
            self.stale.append((name, version, at_least, fields[b"x-cache-status"].decode()))
        since = [at for at, newer in self.told.get(name, ()) if newer > version and at < began]
        if since:
            self.worst = max(self.worst, began - min(since))

    async def purge(self, admin: int, every: float) -> None:
        """Change an item and purge it, again and again."""
        due = time.monotonic() + random.random() * every
        while not self.over:
            with suppress(OSError, EOFError):
                async with Client(admin) as client:
                    while not self.over:
                        await asyncio.sleep(max(0.0, due - time.monotonic()))
                        due = max(due + every, time.monotonic() - 1)
                        await self._purge_one(client)
            if not self.over:
                self.errors += 1
                await asyncio.sleep(0.01)

    async def _purge_one(self, client: Client) -> None:
        name = f"{random.randrange(self.names)}"
        self.items.versions[name] = version = self.items.versions.get(name, 0) + 1  # commit first, then purge
        order: dict[str, object] = {"tags": [f"item:{name}"]}
        if self.wait is not None:
            order["wait"] = self.wait
        began = time.monotonic()
        status, receipt = await post(client, "/purge", order)
        now = time.monotonic()
        if status >= 300:  # noqa: PLR2004 - 200 or 202
            self.refused += 1
            return
        self.purges += 1
        self.seconds.append(now - began)
        if self.wait is None:
            self.told.setdefault(name, []).append((now, version))
        elif receipt["effective"]:
            self.known[name] = max(version, self.known.get(name, 0))
        else:
            self.unconfirmed += 1

    async def run(self, readers: int, purges_a_second: float, trouble: Awaitable[None]) -> None:
        """Read and purge until ``trouble``, a coroutine, has ended."""
        purgers = max(4, int(purges_a_second / 2))  # a call that waits takes up to half a second
        tasks = [asyncio.create_task(self.read(self.ports[n % len(self.ports)])) for n in range(readers)]
        for number in range(purgers):
            admin = self.admins[number % len(self.admins)]
            tasks.append(asyncio.create_task(self.purge(admin, purgers / purges_a_second)))
        try:
            await trouble
        finally:
            self.over = True
            done, late = await asyncio.wait(tasks, timeout=15)
            for task in late:
                task.cancel()
        for task in done:
            task.result()


async def post(client: Client, path: str, order: object) -> tuple[int, dict]:
    """Post JSON on a kept connection."""
    body = json.dumps(order)
    fields = ("Content-Type: application/json", f"Content-Length: {len(body)}")
    lines = "\r\n".join((f"POST {path} HTTP/1.1", "Host: 127.0.0.1", *fields))
    client._writer.write(f"{lines}\r\n\r\n{body}".encode())  # noqa: SLF001 - the tests' client asks without a body
    head = (await client._reader.readuntil(b"\r\n\r\n")).split(b"\r\n")  # noqa: SLF001 - as above
    named = {name.lower(): value for name, _, value in (line.partition(b": ") for line in head[1:-2])}
    return int(head[0].split()[1]), json.loads(await client._body(named))  # noqa: SLF001 - as above
