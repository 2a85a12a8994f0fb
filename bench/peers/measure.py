"""Rounds: everybody does the same work in turn, again and again, and what each took is written down."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import uvloop

from bench.peers import machine, wrk
from bench.peers.behind import asked, forget
from bench.peers.stats import spread
from bench.peers.talker import ask_once

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.peers.scenarios import Entry, Scenario
    from bench.peers.servers import Bed, Server
    from bench.peers.stats import Spread

#: The quantities of a run, each with its unit.
UNITS: Final = {
    "rate": "requests/s",
    "cost": "µs CPU",
    "p50": "ms",
    "p99": "ms",
    "backend": "% to backend",
    "busy": "%",
}


@dataclass(frozen=True, slots=True)
class Run:
    """One run: requests/s, CPU µs of the server per request, latencies in ms, requests that failed.

    ``backend`` is the share of requests that reached the backend, ``busy`` of its core that the server had; in percent.
    """

    rate: float
    cost: float
    p50: float
    p99: float
    backend: float
    busy: float
    failed: int


@dataclass(slots=True)
class Measured:
    """What one of those compared did in all rounds, and the bytes of memory it had at the end."""

    label: str
    runs: list[Run] = field(default_factory=list)
    memory: int = 0

    def values(self, quantity: str) -> list[float]:
        """Return one number of each run."""
        return [getattr(run, quantity) for run in self.runs]

    def spread(self, quantity: str) -> Spread | None:
        """Return median and quartiles of a quantity."""
        return spread(self.values(quantity))

    @property
    def failed(self) -> int:
        """Count the requests that failed, over all rounds."""
        return sum(run.failed for run in self.runs)


def take_turns(scenario: Scenario, bed: Bed, rounds: int, seconds: float, entries: Sequence[Entry]) -> list[Measured]:
    """Start all, warm all, and let them take turns; who begins changes with the round."""
    forget(bed.redis)
    found = [Measured(entry.label) for entry in entries]
    with ExitStack() as stack:
        servers = [
            stack.enter_context(entry.make(bed, f"{scenario.name}-{number}")) for number, entry in enumerate(entries)
        ]
        for server, entry in zip(servers, entries, strict=True):
            if scenario.warm:
                uvloop.run(ask_once(server.port, scenario.warm))
            _closed(server, entry, seconds, f"w{server.port}")
        for turn in range(rounds):
            for step in range(len(entries)):
                at = (turn + step) % len(entries)
                found[at].runs.append(_closed(servers[at], entries[at], seconds, f"r{turn}x{at}"))
            print(f"\r{scenario.name}: round {turn + 1} of {rounds} ", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        for server, measured in zip(servers, found, strict=True):
            measured.memory = server.memory()
    return found


def _closed(server: Server, entry: Entry, seconds: float, salt: str) -> Run:
    """Let wrk ask one of them: the next request follows the answer before it."""
    bed, pids = server.bed, server.pids()
    reached, before = asked(bed.backend), machine.cpu_seconds(pids)
    said = wrk.run(entry.ask, server.port, seconds, salt, bed.folder, bed.cores.load)
    used = machine.cpu_seconds(pids) - before
    reached = asked(bed.backend) - reached - 1
    requests = max(1, said.requests)
    return Run(
        rate=said.requests / said.seconds,
        cost=used / requests * 1e6,
        p50=said.p50,
        p99=said.p99,
        backend=reached / requests * 100,
        busy=used / said.seconds * 100,
        failed=said.failed,
    )
