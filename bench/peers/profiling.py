"""Where Sapwood's time goes in one scenario: the functions that have most of it, by py-spy or else by cProfile."""

from __future__ import annotations

import argparse
import io
import pstats
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.peers import machine, wrk
from bench.peers.behind import laid
from bench.peers.measure import prepare
from bench.peers.scenarios import SCENARIOS
from bench.peers.servers import Sapwood

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.peers.scenarios import Entry, Scenario
    from bench.peers.servers import Server

CLOSED: Final = {scenario.name: scenario for scenario in SCENARIOS if scenario.way == "closed"}
SAMPLES: Final = 500  # a second: fine enough for a function of half a microsecond in ten seconds
SHOWN: Final = 30


def shares(stacks: str) -> tuple[Counter[str], Counter[str]]:
    """Read py-spy's raw stacks (``outer;inner;innermost 12``); return samples by function: in itself, and in all of it."""
    itself: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for line in stacks.splitlines():
        frames, _, count = line.rpartition(" ")
        names = [frame.strip() for frame in frames.split(";")]
        itself[names[-1]] += int(count)
        for name in set(names):  # once, however often it calls itself
            whole[name] += int(count)
    return itself, whole


def written(samples: Counter[str], total: int, heading: str, shown: int = SHOWN) -> str:
    """Write the largest shares, a line each."""
    lines = [f"{heading} ({total:,} samples)"]
    lines += [f"{count / max(1, total):7.1%}  {name}" for name, count in samples.most_common(shown)]
    return "\n".join(lines)


@contextmanager
def load(server: Server, entry: Entry, seconds: float) -> Iterator[None]:
    """Let wrk ask meanwhile."""
    bed = server.bed
    asking = threading.Thread(
        target=lambda: print(wrk.run(entry.ask, server.port, seconds, "profile", bed.folder, bed.cores.load))
    )
    asking.start()
    try:
        yield
    finally:
        asking.join()


def by_sampling(scenario: Scenario, folder: Path, seconds: float, *, native: bool) -> str:
    """Sample it with py-spy while wrk asks."""
    entry = scenario.entries[0]
    raw = folder / "stacks"
    with laid(folder, machine.share_out(machine.available())) as bed, entry.make(bed, "profiled") as server:
        prepare(scenario, server, entry)
        words = [machine.find_tool("py-spy", "py-spy"), "record", "-p", str(server.pids()[0]), "-f", "raw", "-F"]
        words += ["-r", str(SAMPLES), "-d", f"{seconds:.0f}", "-o", str(raw), *(["--native"] if native else [])]
        with load(server, entry, seconds + 2):
            done = subprocess.run(words, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"py-spy failed: {done.stderr[-500:]}")
    itself, whole = shares(raw.read_text())
    total = itself.total()
    return written(itself, total, "in the function itself") + "\n\n" + written(whole, total, "with what it calls")


def by_tracing(scenario: Scenario, folder: Path, seconds: float) -> str:
    """Run it under cProfile while wrk asks: its start is in it, and small functions come out larger than they are."""
    entry = scenario.entries[0]
    found = folder / "trace"
    with laid(folder, machine.share_out(machine.available())) as bed:
        server = entry.make(bed, "profiled")
        assert isinstance(server, Sapwood)
        server.python += ["-m", "cProfile", "-o", str(found)]
        with server:
            prepare(scenario, server, entry)
            with load(server, entry, seconds):
                pass
    text = io.StringIO()
    pstats.Stats(str(found), stream=text).sort_stats("tottime").print_stats(SHOWN)
    return text.getvalue()


def main(argv: list[str] | None = None) -> int:
    """Print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.peers.profiling")
    parser.add_argument("scenario", choices=CLOSED)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--native", action="store_true", help="C functions too (py-spy only)")
    parser.add_argument("--trace", action="store_true", help="cProfile even where py-spy is there")
    chosen = parser.parse_args(argv)
    sampling = not chosen.trace and (
        shutil.which("py-spy") or shutil.which("py-spy", path=str(Path(sys.executable).parent))
    )
    scenario = CLOSED[chosen.scenario]
    with tempfile.TemporaryDirectory(prefix="sapwood-profile-", dir="/dev/shm") as name:
        folder = Path(name)
        folder.chmod(0o755)  # nginx's workers are nobody
        if sampling:
            print(by_sampling(scenario, folder, chosen.seconds, native=chosen.native))
        else:
            print(by_tracing(scenario, folder, chosen.seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
