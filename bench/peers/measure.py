"""Rounds: everybody does the same work in turn, again and again, and what each took is written down."""

from __future__ import annotations

import http.client
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from bench.peers.behind import forget
from bench.peers.crowd import Crowd
from bench.peers.slow import slow_backend
from bench.peers.stats import spread
from bench.peers.ways import WAYS
from bench.peers.wrk import FIELDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.peers.scenarios import Entry, Scenario
    from bench.peers.servers import Bed, Server
    from bench.peers.stats import Spread
    from bench.peers.ways import Run

FILLERS: Final = 32


@dataclass(slots=True)
class Measured:
    """What one of those compared did in all rounds, and the bytes of memory it had at the end."""

    label: str
    runs: list[Run] = field(default_factory=list)
    memory: int = 0

    def values(self, quantity: str) -> list[float | None]:
        """Return one number of each run; None where that run has no such number."""
        return [run.numbers.get(quantity) for run in self.runs]

    def spread(self, quantity: str) -> Spread | None:
        """Return median and quartiles of a quantity."""
        return spread([value for value in self.values(quantity) if value is not None])

    @property
    def failed(self) -> int:
        """Count the requests that failed, over all rounds."""
        return sum(run.failed for run in self.runs)


def take_turns(scenario: Scenario, bed: Bed, rounds: int, seconds: float, entries: Sequence[Entry]) -> list[Measured]:
    """Start all, warm all, and let them take turns; who begins changes with the round."""
    forget(bed.redis)
    found = [Measured(entry.label) for entry in entries]
    ask = WAYS[scenario.way]
    with ExitStack() as stack:
        if scenario.way == "cold":
            slow = stack.enter_context(slow_backend())
            bed = replace(bed, backend=slow.port, slow=slow)
        servers = [
            stack.enter_context(entry.make(bed, f"{scenario.name}-{number}")) for number, entry in enumerate(entries)
        ]
        for server, entry in zip(servers, entries, strict=True):
            prepare(scenario, server, entry)
            if scenario.way == "closed":
                ask(server, entry, seconds, f"w{server.port}")
        rounds = min(rounds, scenario.rounds)
        for turn in range(rounds):
            for step in range(len(entries)):
                at = (turn + step) % len(entries)
                found[at].runs.append(ask(servers[at], entries[at], seconds, f"r{turn}x{at}"))
            print(f"\r{scenario.name}: round {turn + 1} of {rounds} ", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        for server, measured in zip(servers, found, strict=True):
            measured.memory = server.memory()
    return found


def prepare(scenario: Scenario, server: Server, entry: Entry) -> None:
    """Fill it, and make sure that it answers as it should."""
    if scenario.warm:
        with Crowd(server.port, FILLERS) as crowd:
            crowd.fill(scenario.warm)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", entry.ask.sample, headers={**FIELDS, "Host": "api.example", **dict(entry.ask.fields)})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != scenario.status:
        raise RuntimeError(f"{scenario.name}, {entry.label}: {answer.status} where {scenario.status} is expected")
