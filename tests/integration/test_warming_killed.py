"""Three sidecars as processes, a warmer by the clock, and its runner killed while it runs: another one does what is left."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest
from backends import Backend
from servers import until
from sidecar import Sidecar
from warmers import RULES

from proxy.warming.turns import HELD, RETRY

ITEMS = 100
URLS = ", ".join(f"/plans/{number}" for number in range(ITEMS))
WARM = f'warm:\n  - {{name: plans, schedule: "* * * * *", source: {{urls: [{URLS}]}}, concurrency: 1, deadline: 5m}}\n'


@pytest.mark.prove
@pytest.mark.timeout(300)
async def test_the_runner_is_killed_and_another_one_does_what_is_left(valkey):
    asked = []

    async def answer(head):
        asked.append(head.split()[1].decode())
        await asyncio.sleep(0.1)
        return b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

    def running():
        for one in sidecars:
            if one.process.poll() is None:
                runs = [run for job in one.admin("GET", "/warm")[1]["jobs"] for run in job["runs"]]
                if any(run["state"] == "running" and run["warmed"] >= 5 for run in runs):
                    return one
        return None

    rules = RULES.replace("log: {level: error, hits: 0%}\n", "")
    async with Backend(answer) as backend:
        with ExitStack() as stack:
            sidecars = [Sidecar(rules + WARM, upstream=backend.url, store=valkey.url) for _ in range(3)]
            for one in sidecars:
                await asyncio.to_thread(stack.enter_context, one)
            while (runner := await asyncio.to_thread(running)) is None:  # noqa: ASYNC110  the minute brings it
                await asyncio.sleep(0.2)
            runner.process.kill()
            at_its_end = len(asked)
            assert at_its_end < ITEMS
            async with asyncio.timeout(HELD + 2 * RETRY + 60):
                await until(lambda: len(set(asked)) == ITEMS)
            # What the first had warmed was not asked for again, but for the one that it was killed over.
            assert len(asked) <= ITEMS + 2
