"""Three followers of one ledger on a real server that keeps losing it: what was purged is never in force again.

A walk at random, the same for the same seed: entries are fetched, purged through any follower, and judged by all of
them as a lookup judges, while the ledger is flushed, evicted in part, set back, and connections are cut.
"""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import dataclass

import pytest
from servers import until

from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.message.errors import StoreError
from proxy.message.selectors import EVERYTHING, Seq
from proxy.observe.events import TaskFailed
from proxy.purge.options import PurgeOptions
from proxy.purge.records import parse_seq
from proxy.purge.shared import SharedLedger

STEPS = 250
KEYS = {name: f"cache:purge:{{svc}}:{name}" for name in ("seq", "selectors", "log", "replicas")}
SELECTORS = ["tag:a", "tag:b", "key:plans:v1:1", "key:plans:v1:2", "key:users:v1:1"]
PURGES = [[name] for name in SELECTORS] + [["pattern:plans:*:1"], ["pattern:users:*"], [EVERYTHING], ["tag:a", "tag:b"]]
HITS = {"pattern:plans:*:1": {"key:plans:v1:1"}, "pattern:users:*": {"key:users:v1:1"}, EVERYTHING: set(SELECTORS)}


@dataclass
class Entry:
    carries: tuple[str, ...]
    s0: Seq
    purged: bool = False


class Walk:
    def __init__(self, server, told, seed):
        self.server, self.chance = server, random.Random(seed)
        self.planes = [Backplane(BackplaneOptions(server.url), told) for _ in range(3)]
        self.ledgers = [
            SharedLedger(plane, "svc", PurgeOptions(max_selectors=2), told, 3600.0) for plane in self.planes
        ]
        self.entries: list[Entry] = []
        self.judged = 0
        self.in_force = 0

    async def position(self, ledger) -> Seq | None:
        """As a lookup reads it."""
        octets = await ledger._backplane.run("load", b"GET", KEYS["seq"])
        return None if octets is None else parse_seq(octets)

    async def fetch(self, ledger):
        s0 = await ledger.position()
        names = self.chance.sample(SELECTORS, self.chance.choice([1, 2]))
        self.entries = [*self.entries[-40:], Entry(tuple(names), s0)]

    async def purge(self, ledger):
        names = self.chance.choice(PURGES)
        await ledger.purge(names, soft=False, now=0.0)
        hit = set().union(*(HITS.get(name, {name}) for name in names))
        for entry in self.entries:
            entry.purged |= bool(hit & set(entry.carries))

    async def lose(self, ledger):
        """What a server may lose. Setting it back is what a failover does to a server that may not say who it is."""
        start = await self.position(ledger)
        match self.chance.choice(["all", "seq", "selectors", "log", "replicas", "back", "cut"]):
            case "all":
                self.server.command("FLUSHALL")
            case "cut":
                self.server.command("CLIENT", "KILL", "TYPE", "normal")
            case "back" if start is not None:
                for other in self.ledgers:
                    await self.follow(other)
                await self.purge(ledger)
                await self.follow(ledger)
                self.server.command("SET", KEYS["seq"], str(start))
                self.server.command("ZREMRANGEBYSCORE", KEYS["selectors"], f"({start.n}", "+inf")
                self.server.command("DEL", KEYS["log"])
                await self.follow(ledger)
            case "back":
                pass
            case name:
                self.server.command("DEL", KEYS[name])

    async def follow(self, ledger):
        assert await ledger._following.look() is None

    async def judge(self, ledger):
        at = await self.position(ledger)
        if at is None:
            return
        for entry in self.entries:
            standing = ledger.standing(entry.carries, entry.s0, at)
            if standing is None:
                await ledger.catch_up(at)
                standing = ledger.standing(entry.carries, entry.s0, at)
            if standing is None:
                continue
            self.judged += 1
            self.in_force += not standing.purged
            assert standing.purged or not entry.purged, (entry, at)

    async def step(self):
        ledger, what = self.chance.choice(self.ledgers), self.chance.random()
        action = (
            self.fetch if what < 0.4 else self.purge if what < 0.6 else self.follow if what < 0.7
            else self.lose if what < 0.75 else self.judge
        )  # fmt: skip
        with suppress(StoreError):  # a connection was cut
            await action(ledger)
        await until(lambda: not any(plane.is_open for plane in self.planes))


@pytest.mark.parametrize("seed", range(6))
async def test_what_was_purged_is_never_in_force_again(own_valkey, told, seed):
    walk = Walk(own_valkey, told, seed)
    for ledger in walk.ledgers:
        await ledger.start()
    for _ in range(STEPS):
        await walk.step()
    for ledger, plane in zip(walk.ledgers, walk.planes, strict=True):
        await ledger.close()
        await plane.close()
    assert told.of(TaskFailed) == []
    assert walk.judged > 500
    assert walk.in_force > 50, "or nothing was ever to be purged"
