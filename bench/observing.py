"""What counting costs: CPU per hot hit with metrics, popularity and 1 % of log lines, against a sidecar without all three."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from record import Record, percentile

from backends import Backend, Client  # isort: skip - after record, which makes tests/ importable
from bench.peers import machine, wrk

if TYPE_CHECKING:
    import subprocess
    from typing import Self

    from bench.peers.machine import Cores
    from proxy.pipeline.lookup import Looked
    from proxy.pipeline.probe import Repeat
    from proxy.pipeline.visit import Visit

RULES: Final = """
version: 1
service: observing
listen: 127.0.0.1:{port}
admin: {{listen: "127.0.0.1:{admin}"}}
probes: {{listen: "127.0.0.1:{probes}"}}
upstream: {{url: "{backend}"}}
log: {{hits: {hits}}}
routes:
  - {{name: small, match: "GET /2k/{{id}}", authorization: ignore, cookies: ignore, tags: [items, "item:{{id}}"], ttl: 1h}}
"""
KINDS: Final = {"counting": "1%", "silent": "0%"}
URLS: Final = 500
MOST: Final = 1.1
"""What counting may cost: a tenth of a hit."""

ASK: Final = wrk.Ask(f'"/2k/" .. (turn * 7919) % {URLS}', "/2k/1")


class Sidecar:
    """A sidecar on the measured core, all in memory."""

    def __init__(self, kind: str, backend: str, folder: Path, cores: Cores) -> None:
        self.kind = kind
        self.port = machine.free_port()
        self._cores = cores
        self._log = folder / f"{kind}.log"
        self._rules = folder / f"{kind}.yaml"
        ports = {name: machine.free_port() for name in ("admin", "probes")}
        self._rules.write_text(RULES.format(port=self.port, backend=backend, hits=KINDS[kind], **ports))
        self._process: subprocess.Popen[bytes]

    def __enter__(self) -> Self:
        words = [sys.executable, __file__, "--be", self.kind, "--config", str(self._rules)]
        self._process = machine.start(words, self._cores.server, self._log)
        machine.wait_until(lambda: machine.listens(self.port), self._process, self._log)
        return self

    def __exit__(self, *_: object) -> None:
        machine.stop(self._process)

    async def warm(self) -> None:
        """Have everything in the hot tier, and each of it asked for twice."""
        async with Client(self.port) as client:
            for number in range(2 * URLS):
                await client.ask(f"/2k/{number % URLS}")

    def hit(self, seconds: float, salt: str, folder: Path) -> tuple[float, wrk.Said]:
        """Return the microseconds of CPU of one hit."""
        before = machine.cpu_seconds(machine.family(self._process.pid))
        said = wrk.run(ASK, self.port, seconds, salt, folder, self._cores.load)
        spent = machine.cpu_seconds(machine.family(self._process.pid)) - before
        return 1e6 * spent / max(1, said.requests), said


def be(kind: str, config: str) -> int:
    """Be one of the two: ``silent`` counts, ranks and writes nothing at all."""
    if kind == "silent":
        _silence()
    from proxy.cli import main as sapwood  # noqa: PLC0415 - only here

    return sapwood(["serve", "--config", config])


def _silence() -> None:
    from proxy.observe.counters import Counters, Served  # noqa: PLC0415 - as above
    from proxy.observe.logs import Logs  # noqa: PLC0415 - as above
    from proxy.pipeline.probe import Probe  # noqa: PLC0415 - as above

    repeat_of = Probe.repeat_of

    def nothing(*_: object, **__: object) -> bool:
        return False

    def uncounted(self: Probe, visit: Visit, looked: Looked) -> Repeat | None:
        repeat = repeat_of(self, visit, looked)
        if repeat is not None:
            repeat.row = None
        return repeat

    Served.add = nothing  # type: ignore[method-assign,assignment]
    Probe.repeat_of = uncounted  # type: ignore[method-assign]
    Counters.tell = nothing  # type: ignore[method-assign,assignment]
    Logs.tell = nothing  # type: ignore[method-assign,assignment]


async def answer(head: bytes) -> bytes:
    """Answer as the backend."""
    body = head.split()[1].ljust(2048, b".")
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


async def one(kind: str, backend: str, folder: Path, cores: Cores, seconds: float) -> float:
    """Return the microseconds of a hit of a new process: no two of one program lie in memory alike. Raises RuntimeError."""
    sidecar = Sidecar(kind, backend, folder, cores)
    await asyncio.to_thread(sidecar.__enter__)
    try:
        await sidecar.warm()
        await asyncio.to_thread(sidecar.hit, 0.5, "w", folder)
        micros, said = await asyncio.to_thread(sidecar.hit, seconds, "r", folder)
    finally:
        await asyncio.to_thread(sidecar.__exit__, None, None, None)
    if said.failed:
        raise RuntimeError(f"{said.failed} requests failed")
    return micros


async def measured(rounds: int, seconds: float) -> dict[str, list[float]]:
    """Let both take turns; return the microseconds of each round. Raises RuntimeError where a request failed."""
    cores = machine.share_out(machine.available())
    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with tempfile.TemporaryDirectory(prefix="sapwood-observing-") as name:
        folder = Path(name)
        async with Backend(answer) as backend:
            for turn in range(rounds):
                for kind in KINDS if turn % 2 else reversed(KINDS):
                    found[kind].append(await one(kind, backend.url, folder, cores, seconds))
    return found


def main(argv: list[str] | None = None) -> int:
    """Measure, and keep the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each run")
    parser.add_argument("--be", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--config", help=argparse.SUPPRESS)
    chosen = parser.parse_args(argv)
    if chosen.be:
        return be(chosen.be, chosen.config)
    record = Record("observing", __doc__ or "", {"rounds": chosen.rounds, "seconds a run": chosen.seconds})
    found = asyncio.run(measured(chosen.rounds, chosen.seconds))
    for kind, runs in found.items():
        record.note(f"{kind}: µs CPU of a hit, median", statistics.median(runs))
        record.note(
            f"{kind}: from the first quartile to the third",
            f"{percentile(runs, 0.25):.1f} to {percentile(runs, 0.75):.1f}",
        )
    # Round by round: what slows the machine down slows both.
    ratio = statistics.median(a / b for a, b in zip(found["counting"], found["silent"], strict=True))
    record.ask("counting, as a multiple of silent", f"{ratio:.3f}", f"at most {MOST}", ratio <= MOST)
    record.details["runs"] = {kind: [round(run, 2) for run in runs] for kind, runs in found.items()}
    return record.keep()


if __name__ == "__main__":
    raise SystemExit(main())
