"""Redis killed, hung, full, slow, cut off and silent under load: no request fails, few are late, it heals by itself."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from faultproxy import FaultProxy
from record import Record, percentile
from servers import Valkey
from sidecar import Sidecar
from talk import Talk
from truth import Truth, body_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

RULES = """
version: 1
service: outages
upstream: {url: http://127.0.0.1:1, max_concurrent: 64}
memory: {max_size: 0}
store: {max_connections: 50, timeout: 2s}
log: {hits: 0%, level: warning}
routes:
  - {name: everything, match: GET /**, authorization: ignore, cookies: ignore, ttl: 1h}
"""
CLIENTS = 16
ITEMS = 200
PAUSE = 0.04  # seconds from one request of a client to its next: so no one waits for a processor
SLOW = 0.05
BUSY = 0.05  # of the requests late before there is any trouble: then it is the machine
MOST_LATE = 50  # store.max_connections: so many may be waiting for the store as it goes
HEALED_WITHIN = 5.0
OK = 200


@dataclass(slots=True)
class Load:
    """Clients that ask at a steady rate, and what became of each request: when it ended, how long it took, its outcome."""

    port: int
    failed: list[str] = field(default_factory=list)
    answers: list[tuple[float, float, str]] = field(default_factory=list)
    over: bool = False

    async def client(self, number: int) -> None:
        """Ask until it is over."""
        turn = number * 7
        due = time.monotonic()
        async with Talk(self.port) as talk:
            while not self.over:
                turn += 1
                due = max(due + PAUSE, time.monotonic() - PAUSE)
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                target = f"/items/{turn % ITEMS}"
                began = time.monotonic()
                try:
                    async with asyncio.timeout(30):
                        said = await talk.ask("GET", target)
                except (OSError, EOFError, TimeoutError) as error:
                    self.failed.append(repr(error))
                    await talk.close()
                    continue
                now = time.monotonic()
                if said.status != OK or said.body != body_of(target.encode(), 0):
                    self.failed.append(f"{said.status} {said.body[:80]!r}")
                self.answers.append((now, now - began, said.outcome))

    async def hit_after(self, moment: float) -> float:
        """Return how long after that moment the first hit came; 30 s at most are waited."""
        seen = len(self.answers)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for ended, seconds, outcome in self.answers[seen:]:
                if outcome == "HIT" and ended - seconds >= moment:
                    return ended - moment
            seen = len(self.answers)
            await asyncio.sleep(0.01)
        return float("inf")


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is done to Redis and how it is undone; ``late`` is how many requests over 50 ms are allowed."""

    name: str
    begin: Callable[[Valkey, FaultProxy], Awaitable[None] | None]
    end: Callable[[Valkey, FaultProxy], Awaitable[None] | None]
    late: int | None = MOST_LATE


async def _start(valkey: Valkey) -> None:
    await asyncio.to_thread(valkey.start)


def _limit(valkey: Valkey, size: str) -> None:
    valkey.command("CONFIG", "SET", "maxmemory", size)


def _delay(proxy: FaultProxy, seconds: float) -> None:
    proxy.delay = seconds


def _swallow(proxy: FaultProxy, yes: bool) -> None:  # noqa: FBT001 - a switch
    proxy.swallows = yes
    if not yes:
        proxy.cut()


TROUBLES = (
    Trouble("killed", lambda v, _: v.kill(), lambda v, _: _start(v)),
    Trouble("hung", lambda v, _: v.pause(), lambda v, _: v.resume()),
    Trouble("full", lambda v, _: _limit(v, "1"), lambda v, _: _limit(v, "0")),
    Trouble("every connection cut", lambda _, p: p.cut(), lambda _v, _p: None),
    Trouble("silent: bytes are swallowed", lambda _, p: _swallow(p, yes=True), lambda _, p: _swallow(p, yes=False)),
    Trouble("slower by 2 x 5 ms", lambda _, p: _delay(p, 0.005), lambda _, p: _delay(p, 0)),
    Trouble("slower by 2 x 100 ms", lambda _, p: _delay(p, 0.1), lambda _, p: _delay(p, 0), late=None),
    Trouble("slower by 2 x 3 s", lambda _, p: _delay(p, 3.0), lambda _, p: _delay(p, 0)),
)


async def one(trouble: Trouble, record: Record, seconds: float) -> None:
    """Bring the trouble over a pair of Redis and sidecar under load, take it away again, and take down what happened."""
    valkey = Valkey().start()
    try:
        async with Truth(1) as truth, FaultProxy(valkey.path) as proxy:
            with Sidecar(RULES, upstream=truth.url, store=proxy.url) as sidecar:
                load = Load(sidecar.port)
                clients = [asyncio.create_task(load.client(number)) for number in range(CLIENTS)]
                await load.hit_after(time.monotonic())
                await asyncio.sleep(1)  # every item is stored
                quiet = time.monotonic()
                await asyncio.sleep(seconds)  # how it is on this machine without trouble
                await _do(trouble.begin, valkey, proxy)
                began = time.monotonic()
                await asyncio.sleep(seconds)
                await _do(trouble.end, valkey, proxy)
                ended = time.monotonic()
                healed = await load.hit_after(ended)
                await asyncio.sleep(1)
                load.over = True
                await asyncio.gather(*clients)
                logged = [line for line in sidecar.lines if b"task_failed" in line]
    finally:
        valkey.close()
    during = [took for when, took, _ in load.answers if began <= when]
    late = sum(took > SLOW for took in during)
    before = sum(took > SLOW for when, took, _ in load.answers if quiet <= when < began)
    name = trouble.name
    record.ask(f"{name}: failed of {len(during):,}", len(load.failed), "0", not load.failed)
    busy = before > BUSY * sum(quiet <= when < began for when, _, _ in load.answers)
    what = f"{name}: over 50 ms (before: {before})"
    if trouble.late is None or busy:
        record.note(f"{what}{', machine too busy to judge' if busy else ''}", late)
    else:
        most = trouble.late + 2 * before  # what is late without trouble is not the store's doing
        record.ask(what, late, f"at most {most}", late <= most)
    record.ask(f"{name}: first hit after, s", round(healed, 2), f"< {HEALED_WITHIN}", healed < HEALED_WITHIN)
    record.note(f"{name}: 50 %, 99 %, slowest, ms", ", ".join(
        f"{1000 * percentile(during, share):.1f}" for share in (0.5, 0.99, 1.0)))  # fmt: skip
    if logged:
        record.ask(f"{name}: failures in the log", len(logged), "0", ok=False)
    record.details[name] = {
        "failed": load.failed[:5],
        "logged": [line.decode("utf-8", "replace") for line in logged[:5]],
    }


async def _do(what: Callable[[Valkey, FaultProxy], Awaitable[None] | None], valkey: Valkey, proxy: FaultProxy) -> None:
    done = what(valkey, proxy)
    if done is not None:
        await done


async def prove(seconds: float) -> Record:
    """Run every trouble and return what was found."""
    record = Record("outages", __doc__ or "", {"seconds of trouble": seconds, "clients": CLIENTS})
    for trouble in TROUBLES:
        await one(trouble, record, seconds)
    return record


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, prog=Path(__file__).name)
    parser.add_argument("--seconds", type=float, default=10)
    sys.exit(asyncio.run(prove(parser.parse_args().seconds)).keep())
