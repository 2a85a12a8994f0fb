"""The ways of asking one server once: each returns what that run took."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.peers import machine, openmodel, wrk
from bench.peers.behind import URLS, asked
from bench.peers.crowd import Crowd, request_for
from bench.peers.stats import percentile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.peers.crowd import Answers
    from bench.peers.scenarios import Entry
    from bench.peers.servers import Server

#: The quantities of a run, each with its unit, in the order in which they are shown.
UNITS: Final = {
    "cost": "µs CPU",
    "rate": "requests/s",
    "p50": "ms, half",
    "p99": "ms, 99 %",
    "idle": "KiB a connection",
    "fetches": "backend requests",
    "took": "s until all have it",
    "dropped": "left out",
    "busy": "% of its core",
    "backend": "% to backend",
}
OPEN_RATE: Final = 5000
OPEN_CONNECTIONS: Final = 200
CROWD_RATE: Final = 2000
CROWD_CONNECTIONS: Final = 10_000
COLD_CLIENTS: Final = 1000


@dataclass(frozen=True, slots=True)
class Run:
    """One run: what was measured, by its name in ``UNITS``, and how many requests failed."""

    numbers: Mapping[str, float]
    failed: int


@dataclass(frozen=True, slots=True)
class Used:
    """What a piece of work took of a server: seconds of its CPU, requests of its backend."""

    cpu: float
    reached: int


def watch(server: Server) -> Callable[[], Used]:
    """Begin to watch; what is returned ends it."""
    pids = server.pids()
    reached, before = asked(server.bed.backend), machine.cpu_seconds_by_process(pids)

    def until_now() -> Used:
        now = machine.cpu_seconds_by_process(pids)  # a helper of nginx's ends after a minute: it has done nothing here
        used = sum(spent - before[pid] for pid, spent in now.items())
        return Used(used, asked(server.bed.backend) - reached - 1)  # the second question was counted too

    return until_now


def shares(used: Used, requests: int, seconds: float, open_at_end: int = 0) -> dict[str, float]:
    """Divide it; up to ``open_at_end`` requests reached the backend but were not done, and are no part of ``requests``."""
    done = max(1, requests)
    overhang = max(0, min(open_at_end, used.reached - requests))
    return {
        "cost": used.cpu / done * 1e6,
        "busy": used.cpu / seconds * 100,
        "backend": (used.reached - overhang) / done * 100,
    }


def closed(server: Server, entry: Entry, seconds: float, salt: str) -> Run:
    """Let wrk ask: the next request follows the answer before it."""
    used = watch(server)
    said = wrk.run(entry.ask, server.port, seconds, salt, server.bed.folder, server.bed.cores.load)
    if not said.requests:
        raise RuntimeError(f"{entry.label} answered nothing to {entry.ask.sample}")
    numbers = shares(used(), said.requests, said.seconds, wrk.CONNECTIONS)
    return Run({"rate": said.requests / said.seconds, "p50": said.p50, "p99": said.p99, **numbers}, said.failed)


def by_k6(server: Server, entry: Entry, seconds: float, salt: str) -> Run:  # noqa: ARG001 - it always asks for hits
    """Let k6 keep its rate."""
    used = watch(server)
    said = openmodel.run(server.port, seconds, salt, server.bed.folder, server.bed.cores.load)
    numbers = shares(used(), said.requests, seconds)
    return Run({"p50": said.p50, "p99": said.p99, "dropped": said.dropped, **numbers}, said.failed)


def at_a_rate(server: Server, entry: Entry, seconds: float, salt: str) -> Run:  # noqa: ARG001 - as above
    """Keep 5,000 requests a second."""
    with Crowd(server.port, OPEN_CONNECTIONS) as crowd:
        return _kept(server, crowd, OPEN_RATE, seconds, salt)


def crowded(server: Server, entry: Entry, seconds: float, salt: str) -> Run:  # noqa: ARG001 - as above
    """Hold 10,000 connections, of which 2,000 a second ask: each of them once, and what they take is measured then."""
    before = server.before_crowds()
    with Crowd(server.port, CROWD_CONNECTIONS) as crowd:
        run = _kept(server, crowd, CROWD_RATE, max(seconds, CROWD_CONNECTIONS / CROWD_RATE), salt)
        idle = (server.memory() - before) / CROWD_CONNECTIONS / 1024
    time.sleep(1)  # until all are gone again
    return Run({**run.numbers, "idle": idle}, run.failed)


def _kept(server: Server, crowd: Crowd, rate: float, seconds: float, salt: str) -> Run:
    used = watch(server)
    began = time.monotonic()
    answers = crowd.keep_rate(rate, seconds, lambda number: request_for(f"/2k/{number % URLS}", f"{salt}-{number}"))
    took = time.monotonic() - began
    numbers = shares(used(), len(answers.seconds), took)
    return Run({"rate": len(answers.seconds) / took, **latencies(answers), **numbers}, answers.failed)


def latencies(answers: Answers) -> dict[str, float]:
    """Return half and 99 % in milliseconds; nothing where nothing was answered."""
    if not answers.seconds:
        return {}
    return {name: percentile(answers.seconds, share) * 1000 for name, share in (("p50", 0.5), ("p99", 0.99))}


def cold(server: Server, entry: Entry, seconds: float, salt: str) -> Run:  # noqa: ARG001 - it takes what it takes
    """Let a thousand clients ask for the same key at one moment, which nobody has."""
    assert server.bed.slow is not None
    before = server.bed.slow.asked
    with Crowd(server.port, COLD_CLIENTS) as crowd:
        answers = crowd.rush(lambda number: request_for(f"/2k/{salt}", f"{salt}-{number}"))
    fetches = server.bed.slow.asked - before
    return Run({"fetches": fetches, "took": max(answers.seconds, default=0.0), **latencies(answers)}, answers.failed)


WAYS: Final[dict[str, Callable[[Server, Entry, float, str], Run]]] = {
    "closed": closed,
    "open": at_a_rate,
    "k6": by_k6,
    "crowd": crowded,
    "cold": cold,
}
