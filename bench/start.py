"""From its start to ready, with a whole CPU and with half of one, as a pod's limit gives it: what a rollout waits for.

With bytecode of every module that is imported, as pip and the image leave it: from a source tree, and where
PYTHONDONTWRITEBYTECODE is set, a start would compile them all each time, which takes longer than the start.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import closing
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING

from record import ROOT, Record

from servers import Valkey, free_port  # isort: skip - after record, which makes tests/ importable

from proxy.service import settling

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHIN = 1.5
"""Seconds that issue 4 asks for, at half a CPU."""

PERIOD_US = 100_000  # of the kernel's quota, as Kubernetes sets it
TURN = 0.01  # seconds of running and of standing still, where there is no quota
KINDS = {"memory://": ("memory", 1), "redis": ("redis", 1), "redis, workers: 2": ("redis", 2)}
CGROUPS = Path("/sys/fs/cgroup")


class Quota:
    """A control group with half a CPU; ``how`` says of which version, or what stands in for it."""

    def __init__(self) -> None:
        self.how = "SIGSTOP and SIGCONT in turns of 10 ms, since no control group may be made here"
        self._group: Path | None = None
        for parent, limit, said, version in (
            (CGROUPS, "cpu.max", f"{PERIOD_US // 2} {PERIOD_US}", "2"),
            (CGROUPS / "cpu", "cpu.cfs_quota_us", str(PERIOD_US // 2), "1"),
        ):
            group = parent / f"sapwood-start-{os.getpid()}"
            try:
                group.mkdir()
            except OSError:
                continue
            try:
                with (group / limit).open("r+") as file:  # made by the kernel, or it is no control group
                    file.write(said)
            except OSError:
                group.rmdir()
                continue
            self._group, self.how = group, f"a control group (version {version}), {said} µs in {PERIOD_US} µs"
            return

    def enter(self) -> None:
        """Put this process, which is about to become the sidecar, under the quota."""
        if self._group is not None:
            (self._group / "cgroup.procs").write_text("0")

    @contextlib.contextmanager
    def over(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """Halve the time of a process and its children where the kernel does not."""
        if self._group is not None:
            yield
            return
        over = threading.Event()

        def halve() -> None:
            while not over.wait(TURN):
                os.killpg(process.pid, signal.SIGSTOP)
                time.sleep(TURN)
                os.killpg(process.pid, signal.SIGCONT)

        thread = threading.Thread(target=halve)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def close(self) -> None:
        """Remove the group."""
        if self._group is not None:
            self._group.rmdir()


class Bytecode:
    """A folder of its own for what Python compiles: whatever this checkout and its libraries have, or lack, is not used."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="sapwood-start-")
        self.environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self.environ["PYTHONPYCACHEPREFIX"] = self._folder.name

    def fill(self) -> None:
        """Write what a start imports once it is ready, too: a sidecar that is ended at once might not come to it."""
        modules = (settling.FOR_LINES, settling.FOR_METRICS)
        subprocess.run(
            [sys.executable, "-c", f"import {', '.join(modules)}"], cwd=ROOT, env=self.environ, check=True, timeout=60
        )

    @property
    def files(self) -> int:
        """How many modules there are."""
        return sum(1 for _ in Path(self._folder.name).rglob("*.pyc"))

    def close(self) -> None:
        """Remove them."""
        self._folder.cleanup()


def seconds_to_ready(store: str, workers: int, bytecode: Bytecode, quota: Quota | None) -> tuple[float, float]:
    """Start a sidecar and end it; return wall-clock and CPU seconds from its start until ``/readyz`` says so."""
    probes = free_port()
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as rules:
        rules.write(f"version: 1\nworkers: {workers}\nlog: {{level: error}}\n{ROUTES}")
        rules.flush()
        began = time.perf_counter()
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "proxy", "serve", "--config", rules.name, "--upstream", "http://127.0.0.1:1"),
                *("--listen", f"127.0.0.1:{free_port()}", "--admin", f"127.0.0.1:{free_port()}"),
                *("--probes", f"127.0.0.1:{probes}", "--store", store),
            ],
            cwd=ROOT,
            env=bytecode.environ,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=None if quota is None else quota.enter,  # noqa: PLW1509  no thread of ours holds a lock then
        )
        try:
            with contextlib.nullcontext() if quota is None else quota.over(process):
                while not is_ready(probes):
                    if process.poll() is not None or time.perf_counter() - began > 60:  # noqa: PLR2004 - a minute
                        raise RuntimeError("the sidecar did not start")
                    time.sleep(0.002)
                return time.perf_counter() - began, cpu_seconds(process.pid)
        finally:
            process.terminate()
            process.wait(30)


ROUTES = "routes:\n" + "".join(
    f"  - {{name: r{number}, match: 'GET /r{number}/{{id}}', authorization: ignore, cookies: ignore, ttl: 1h}}\n"
    for number in range(20)
)


def is_ready(port: int) -> bool:
    """Ask the probe, as a kubelet would."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return answer.status == 200  # noqa: PLR2004 - ready
    except OSError:
        return False


def cpu_seconds(pid: int) -> float:
    """Return the CPU that a process and its children have used."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    ticks = 0
    for one in (pid, *children):
        ticks += sum(map(int, Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def main(argv: list[str] | None = None) -> int:
    """Measure it, and keep the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    chosen = parser.parse_args(argv)
    with closing(Quota()) as quota, closing(Bytecode()) as bytecode, closing(Valkey().start()) as valkey:
        said = {"rounds": chosen.rounds, "routes": 20, "half a CPU": quota.how, "bytecode": "of every module"}
        record = Record("start", (__doc__ or "").partition("\n")[0], said)
        stores = {"memory": "memory://", "redis": valkey.url}
        bytecode.fill()
        for store, workers in KINDS.values():  # bytecode is written, files are in memory
            seconds_to_ready(stores[store], workers, bytecode, None)
        compiled = bytecode.files
        found: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for _ in range(chosen.rounds):  # in turn, so that what else the machine does is spread
            for kind, (store, workers) in KINDS.items():
                for share, limit in (("a whole CPU", None), ("half a CPU", quota)):
                    taken = seconds_to_ready(stores[store], workers, bytecode, limit)
                    found.setdefault((kind, share), []).append(taken)
        late = bytecode.files - compiled
        record.ask("modules compiled while it was measured", f"{late} of {compiled + late}", "none", late == 0)
    for (kind, share), times in found.items():
        low, middle, high = quantiles([wall for wall, _ in times], n=4) if len(times) > 1 else [times[0][0]] * 3
        cpu = sorted(cpu for _, cpu in times)[len(times) // 2]
        what, said = f"{kind}, {share}: seconds to ready", f"{middle:.2f} ({low:.2f} to {high:.2f}), CPU {cpu:.2f}"
        if kind in {"memory://", "redis"} and share == "half a CPU":
            record.ask(what, said, f"within {WITHIN}", middle <= WITHIN)
        else:
            record.note(what, said)
        record.details[f"{kind}, {share}"] = [[round(wall, 3), round(cpu, 3)] for wall, cpu in times]
    return record.keep()


if __name__ == "__main__":
    raise SystemExit(main())
