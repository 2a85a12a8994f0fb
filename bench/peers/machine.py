"""The machine: who runs on which core, and what a process uses of it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

TICKS: Final = os.sysconf("SC_CLK_TCK")
#: Where Debian keeps daemons, which a user's PATH leaves out.
SYSTEM: Final = "/usr/sbin:/sbin"
PR_SET_PDEATHSIG: Final = 1


@dataclass(frozen=True, slots=True)
class Cores:
    """One core for the server that is measured, all others for who asks it and what stands behind it."""

    server: frozenset[int]
    load: frozenset[int]


def available() -> frozenset[int]:
    """Return the cores that this process may use."""
    return frozenset(os.sched_getaffinity(0))


def share_out(available: Iterable[int]) -> Cores:
    """Give the last core to the servers; with a single core there is nothing to compare."""
    *others, last = sorted(available)
    if not others:
        sys.exit("needs two cores: one for the server that is measured, one for who asks it")
    return Cores(frozenset({last}), frozenset(others))


def find_tool(name: str, package: str) -> str:
    """Where it is; a missing one ends the program by its name. Next to this Python first: k6 is a package there."""
    path = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    path = path or shutil.which(name, path=SYSTEM)
    if path is None:
        sys.exit(f"missing: {name} (package {package}): make bench installs it")
    return path


_GIVEN: set[int] = set()


def free_port() -> int:
    """Return a loopback port that was free a moment ago, and that this process has not been given before."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in _GIVEN:
            _GIVEN.add(port)
            return port


def start(words: Sequence[str], cores: frozenset[int], log: Path, **options: object) -> subprocess.Popen[bytes]:
    """Start a program on these cores, with its output in ``log``; it does not outlive this one."""

    def settle() -> None:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.sched_setaffinity(0, cores)

    with log.open("ab") as output:
        return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
            list(words),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=settle,  # noqa: PLW1509 - no thread of ours holds a lock that prctl needs
            **options,
        )


def stop(process: subprocess.Popen[bytes], patience: float = 15.0) -> None:
    """Ask it to leave, and after ``patience`` seconds make it."""
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, patience: float = 30.0) -> None:
    """Wait until it answers; a program that ends instead takes this one with it, with its last words."""
    deadline = time.monotonic() + patience
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"{process.args!r} did not start (exit code {process.poll()}):\n{log.read_text()[-2000:]}")
        time.sleep(0.02)


def listens(port: int) -> bool:
    """Say whether somebody accepts connections there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def family(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += family(int(child))
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the CPU seconds, user's and system's, that these processes have used; of those that ended, none."""
    return sum(cpu_seconds_by_process(pids).values())


def cpu_seconds_by_process(pids: Iterable[int]) -> dict[int, float]:
    """Return the CPU seconds of each of these processes that is still there."""
    found: dict[int, float] = {}
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found[pid] = spent_ticks(Path(f"/proc/{pid}/stat").read_text()) / TICKS
    return found


def spent_ticks(stat: str) -> int:
    """Add utime and stime of a line of ``/proc/PID/stat``, whose second field may hold anything."""
    fields = stat.rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def proportional_bytes(pids: Iterable[int]) -> int:
    """Return the memory of these processes (PSS): a shared page counts once among those that share it."""
    total = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # as nginx's loader, which ends after a minute
            total += proportional(Path(f"/proc/{pid}/smaps_rollup").read_text())
    return total


def proportional(rollup: str) -> int:
    """Return the bytes of ``Pss:`` in the text of ``/proc/PID/smaps_rollup``."""
    (line,) = (line for line in rollup.splitlines() if line.startswith("Pss:"))
    return int(line.split()[1]) * 1024


def held_files(folder: Path) -> int:
    """Return what the files under a folder take, in bytes: on tmpfs this is memory too."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())
