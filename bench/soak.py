"""Two sidecars on one Valkey, all kinds of traffic for a long time: nothing wrong, nothing stale, nothing leaked."""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import os
import random
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path

from record import Record
from servers import Valkey
from sidecar import Sidecar
from talk import Said, Talk
from truth import Truth, body_of, etag_of

RULES = """
version: 1
service: soak
upstream: {url: http://127.0.0.1:1, max_concurrent: 32, max_connections: 40, timeout: 10s}
memory: {max_size: 0}
log: {hits: 0%, level: warning}
defaults: {ttl: 2s, stale_while_revalidate: 5s, stale_if_error: 1m}
routes:
  - {name: item, match: "GET /items/{id}", authorization: ignore, cookies: ignore, tags: ["item:{id}", items]}
  - {name: own, match: "GET /own/{what}", scope: credential, private: store, cookies: ignore, user: "{jwt.sub}"}
invalidate:
  - {after: "PUT /items/{id}", tags: ["item:{id}"]}
  - {after: "PUT /own/{what}", users: ["{jwt.sub}"]}
"""
ITEMS = 200
USERS = 20
OWN = 5
CLIENTS = 24
MIB = 1 << 20
SLOPE_ALLOWED = 1.0  # MiB a minute: an hour-long leak of that size would show in any container
OK = 200


def token(subject: str) -> str:
    """Return a bearer token whose claims name the user."""
    parts = ({"alg": "none"}, {"sub": subject})
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return f"{'.'.join(texts)}.c2ln"


class Soak:
    """The clients, what they may expect, and what they found wrong."""

    def __init__(self, truth: Truth, sidecars: tuple[Sidecar, Sidecar], seed: int) -> None:
        self._truth, self._sidecars, self._seed = truth, sidecars, seed
        self._acknowledged: dict[bytes, int] = {}
        self._own_floor: Counter[tuple[str, bytes]] = Counter()
        self.did: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.examples: list[str] = []
        self.until = 0.0

    async def run(self, seconds: float) -> None:
        """Let every client go on until the time is over."""
        self.until = time.monotonic() + seconds
        await asyncio.gather(*(self._client(number) for number in range(CLIENTS)))

    async def _client(self, number: int) -> None:
        chance = random.Random(self._seed * 1000 + number)
        kinds = (
            (self._read, 60), (self._conditional, 8), (self._part, 8), (self._head, 3), (self._own, 15),
            (self._write, 3), (self._change_and_purge, 2), (self._purge_user, 1), (self._upload, 3), (self._live, 4),
            (self._hang_up, 5),
        )  # fmt: skip
        doings, weights = [kind for kind, _ in kinds], [weight for _, weight in kinds]
        talks = [Talk(sidecar.port) for sidecar in self._sidecars]
        while time.monotonic() < self.until:
            (do,) = chance.choices(doings, weights)
            which = chance.randrange(2)
            self.did[do.__name__.strip("_")] += 1
            try:
                async with asyncio.timeout(15):
                    await do(chance, talks[which], self._sidecars[which])
            except (OSError, EOFError, TimeoutError) as error:
                self._blame("no whole answer", f"{do.__name__}: {error!r}")
                await talks[which].close()
        for talk in talks:
            await talk.close()

    def _blame(self, what: str, example: str) -> None:
        self.wrong[what] += 1
        if self.wrong[what] <= 5:  # noqa: PLR2004 - enough to see what it is about
            self.examples.append(f"{what}: {example}")

    def _judge(self, said: Said, target: bytes, user: str, floor: int) -> int | None:
        """Look at a whole body; return its version if it is right in every way."""
        self.outcomes[said.outcome or str(said.status)] += 1
        if said.status != OK:
            self._blame("unexpected status", f"{said.status} {target!r}")
            return None
        name, _, rest = said.body.partition(b"\n")[0].partition(b" ")
        version, _, whose = rest.partition(b" ")
        if name != target or not version.isdigit() or said.body != body_of(target, int(version), whose):
            self._blame("wrong body", f"{target!r} got {said.body[:80]!r}")
            return None
        if whose.decode() != user:
            self._blame("somebody else's", f"{user} got {said.body[:80]!r}")
        if int(version) < floor:
            self._blame("stale after a purge", f"{target!r} {said.outcome} version {version!r}, purged at {floor}")
        return int(version)

    @staticmethod
    def _item(chance: random.Random) -> bytes:
        return b"/items/%d" % min(int(chance.expovariate(1 / 30)), ITEMS - 1)

    async def _read(self, chance: random.Random, talk: Talk, _: Sidecar) -> None:
        target = self._item(chance)
        floor = self._acknowledged.get(target, 0)
        self._judge(await talk.ask("GET", target.decode(), f"Authorization: Bearer {token('x')}"), target, "-", floor)

    async def _conditional(self, chance: random.Random, talk: Talk, _: Sidecar) -> None:
        target = self._item(chance)
        floor, known = self._acknowledged.get(target, 0), self._truth.versions.get(target, 0)
        etag = etag_of(target, known)
        said = await talk.ask("GET", target.decode(), f"If-None-Match: {etag.decode()}")
        if said.status != 304:  # noqa: PLR2004 - what was asked for
            self._judge(said, target, "-", floor)
            return
        self.outcomes["304"] += 1
        if said.fields.get(b"etag") != etag or known < floor:
            self._blame("wrong 304", f"{target!r} {said.fields}")

    async def _part(self, chance: random.Random, talk: Talk, _: Sidecar) -> None:
        target = self._item(chance)
        floor = self._acknowledged.get(target, 0)
        said = await talk.ask("GET", target.decode(), "Range: bytes=5-24")
        if said.status != 206:  # noqa: PLR2004 - what was asked for
            self._judge(said, target, "-", floor)
            return
        self.outcomes["206"] += 1
        now = self._truth.versions.get(target, 0)
        if not any(said.body == body_of(target, version)[5:25] for version in range(floor, now + 1)):
            self._blame("wrong part", f"{target!r} {said.body!r}, purged at {floor}, now at {now}")

    async def _head(self, chance: random.Random, talk: Talk, _: Sidecar) -> None:
        target = self._item(chance)
        floor = self._acknowledged.get(target, 0)
        said = await talk.ask("HEAD", target.decode())
        now = self._truth.versions.get(target, 0)
        if said.fields.get(b"etag") not in {etag_of(target, version) for version in range(floor, now + 1)}:
            self._blame("wrong head", f"{target!r} {said.status} {said.fields}, purged at {floor}, now at {now}")

    async def _own(self, chance: random.Random, talk: Talk, _: Sidecar) -> None:
        user, target = f"user-{chance.randrange(USERS)}", b"/own/%d" % chance.randrange(OWN)
        bearer = token(user)
        floor = self._own_floor[user, target]
        self._judge(await talk.ask("GET", target.decode(), f"Authorization: Bearer {bearer}"), target, bearer, floor)

    async def _write(self, chance: random.Random, talk: Talk, _: Sidecar) -> None:
        target = self._item(chance)
        said = await talk.ask("PUT", target.decode(), body=b"new")
        if said.status != OK:
            self._blame("unexpected status", f"PUT {target!r} {said.status}")
            return
        self._acknowledged[target] = max(self._acknowledged.get(target, 0), int(said.body))

    async def _change_and_purge(self, chance: random.Random, _: Talk, sidecar: Sidecar) -> None:
        target = self._item(chance)
        version = self._truth.change(target)
        order = ({"tags": [f"item:{target[7:].decode()}"]}, {"paths": [target.decode()]}, {"urls": [target.decode()]})
        status, receipt = await asyncio.to_thread(sidecar.admin, "POST", "/purge", chance.choice(order))
        if status != OK:
            self._blame("a purge was not acknowledged", f"{status} {receipt}")
            return
        self._acknowledged[target] = max(self._acknowledged.get(target, 0), version)

    async def _purge_user(self, chance: random.Random, _: Talk, sidecar: Sidecar) -> None:
        user, target = f"user-{chance.randrange(USERS)}", b"/own/%d" % chance.randrange(OWN)
        version = self._truth.change(target)
        status, receipt = await asyncio.to_thread(sidecar.admin, "POST", "/purge", {"users": [user]})
        if status != OK:
            self._blame("a purge was not acknowledged", f"{status} {receipt}")
            return
        self._own_floor[user, target] = max(self._own_floor[user, target], version)

    async def _upload(self, chance: random.Random, talk: Talk, _: Sidecar) -> None:
        content = chance.randbytes(chance.randrange(300_000))
        said = await talk.ask("POST", "/uploads", body=content)
        if (said.status, said.body) != (OK, hashlib.blake2b(content).hexdigest().encode()):
            self._blame("wrong upload", f"{said.status} of {len(content)}")

    async def _live(self, chance: random.Random, talk: Talk, _: Sidecar) -> None:
        target = b"/live/%d" % chance.randrange(ITEMS)
        self._judge(await talk.ask("GET", target.decode()), target, "-", 0)

    async def _hang_up(self, chance: random.Random, _: Talk, sidecar: Sidecar) -> None:
        async with Talk(sidecar.port) as talk:
            method, target, body = chance.choice(
                [
                    ("GET", self._item(chance).decode(), None),
                    ("GET", f"/live/{chance.randrange(ITEMS)}", None),
                    ("POST", "/uploads", chance.randbytes(50_000)),
                ]
            )
            await talk.send(method, target, body=body)
            await asyncio.sleep(chance.random() * 0.01)


class Memory:
    """Resident memory of the sidecars over time."""

    def __init__(self, sidecars: tuple[Sidecar, Sidecar]) -> None:
        self._sidecars = sidecars
        self.samples: list[tuple[float, int]] = []

    async def watch(self) -> None:
        """Look every second."""
        while True:
            self.samples.append((time.monotonic(), max(sidecar.memory() for sidecar in self._sidecars)))
            await asyncio.sleep(1)

    def slope(self) -> float:
        """Return the trend of the second half, in MiB a minute, by least squares."""
        late = self.samples[len(self.samples) // 2 :]
        mean_x = sum(x for x, _ in late) / len(late)
        mean_y = sum(y for _, y in late) / len(late)
        spread = sum((x - mean_x) ** 2 for x, _ in late)
        return sum((x - mean_x) * (y - mean_y) for x, y in late) / spread * 60 / MIB if spread else 0.0


def descriptors(sidecar: Sidecar) -> int:
    """Count the process's open files and sockets."""
    assert sidecar.process is not None
    return len(os.listdir(f"/proc/{sidecar.process.pid}/fd"))  # noqa: PTH208 - only their number


def in_flight(sidecar: Sidecar) -> float:
    """Return how many requests the sidecar says are on their way to the backend."""
    with urllib.request.urlopen(f"http://127.0.0.1:{sidecar.probes_port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    (value,) = [line.split()[1] for line in lines if line.startswith("sapwood_upstream_in_flight ")]
    return float(value)


async def quiet(sidecars: tuple[Sidecar, Sidecar]) -> list[float]:
    """Wait until nothing is on its way, ten seconds at most; return what still is."""
    deadline = time.monotonic() + 10
    while True:
        left = [await asyncio.to_thread(in_flight, sidecar) for sidecar in sidecars]
        if not any(left) or time.monotonic() > deadline:
            return left
        await asyncio.sleep(0.1)


async def prove(seconds: float, seed: int) -> Record:
    """Run it and return what was found."""
    record = Record("soak", __doc__ or "", {"seconds": seconds, "clients": CLIENTS, "seed": seed})
    valkey = Valkey().start()
    try:
        async with Truth(seed) as truth:
            first = Sidecar(RULES, upstream=truth.url, store=valkey.url)
            second = Sidecar(RULES, upstream=truth.url, store=valkey.url)
            with first, second:
                sidecars = (first, second)
                soak, memory = Soak(truth, sidecars, seed), Memory(sidecars)
                await soak.run(min(10.0, seconds / 4))  # warm: connections, caches of code
                before = [descriptors(sidecar) for sidecar in sidecars]
                watching = asyncio.create_task(memory.watch())
                await soak.run(seconds)
                watching.cancel()
                left = await quiet(sidecars)
                after = [descriptors(sidecar) for sidecar in sidecars]
                peak = max(sidecar.peak_memory() for sidecar in sidecars)
                open_at_backend = len(truth.connections)
            logged = [
                line for sidecar in sidecars for line in sidecar.lines if b"task_failed" in line or b"Trace" in line
            ]
    finally:
        valkey.close()
    report(record, soak, truth)
    record.ask("backend requests left in flight", str(left), "0 each", not any(left))
    record.ask("backend connections at the end", open_at_backend, "at most 80", open_at_backend <= 80)  # noqa: PLR2004
    record.ask("open files, before and after", f"{before} {after}", "no more than +10", sum(after) <= sum(before) + 10)
    record.ask(
        "memory's trend, MiB a minute", round(memory.slope(), 2), f"< {SLOPE_ALLOWED}", memory.slope() < SLOPE_ALLOWED
    )
    record.note("memory at most, MiB", round(peak / MIB))
    record.ask("failures in the log", len(logged), "0", not logged)
    record.details.update(
        did=dict(soak.did), outcomes=dict(soak.outcomes), examples=soak.examples, faults=truth.faults[:5],
        memory_mib=[round(size / MIB, 1) for _, size in memory.samples[:: max(1, len(memory.samples) // 60)]],
        logged=[line.decode("utf-8", "replace") for line in logged[:5]],
    )  # fmt: skip
    return record


def report(record: Record, soak: Soak, truth: Truth) -> None:
    """Take down what the clients saw."""
    record.note("exchanges", sum(soak.did.values()))
    record.note("outcomes", ", ".join(f"{name} {count:,}" for name, count in soak.outcomes.most_common()))
    record.note("purges and writes", soak.did["write"] + soak.did["change_and_purge"] + soak.did["purge_user"])
    for what in (
        "wrong body", "stale after a purge", "somebody else's", "wrong 304", "wrong part", "wrong head", "wrong upload",
        "no whole answer", "unexpected status", "a purge was not acknowledged",
    ):  # fmt: skip
        record.ask(what, soak.wrong[what], "0", soak.wrong[what] == 0)
    record.ask("credentials forwarded where they are not keyed", len(truth.faults), "0", not truth.faults)
    record.ask("at the backend at once", truth.most_at_once, "at most 64", truth.most_at_once <= 64)  # noqa: PLR2004


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, prog=Path(__file__).name)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    sys.exit(asyncio.run(prove(given.seconds, given.seed)).keep())
