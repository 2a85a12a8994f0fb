"""Sapwood beside its peers on the same work: CPU, requests a second, latency, memory; each server alone on one core."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from bench.peers import machine
from bench.peers.behind import laid
from bench.peers.measure import take_turns
from bench.peers.report import cell, goals, show
from bench.peers.scenarios import SCENARIOS

ROUNDS = 9
SECONDS = 2.0


def main(argv: list[str] | None = None) -> int:
    """Measure what is asked for; return 1 where a request failed."""
    chosen = _parser().parse_args(argv)
    names = chosen.only.split(",") if chosen.only else [scenario.name for scenario in SCENARIOS]
    kinds = chosen.servers.split(",") if chosen.servers else None
    known = [scenario.name for scenario in SCENARIOS]
    if unknown := sorted(set(names) - set(known)):
        sys.exit(f"no such scenario: {', '.join(unknown)}; there are {', '.join(known)}")
    found = {}
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sapwood-peers-", dir="/dev/shm") as name:
        folder = Path(name)
        folder.chmod(0o755)  # nginx's workers are nobody
        with laid(folder, machine.share_out(machine.available())) as bed:
            for scenario in SCENARIOS:
                entries = [one for one in scenario.entries if kinds is None or one.label.split(",")[0] in kinds]
                if scenario.name in names and entries:
                    found[scenario.name] = take_turns(scenario, bed, chosen.rounds, chosen.seconds, entries)
                    show(scenario, found[scenario.name])
    for what, ratio, asked, reached in goals(found):
        print(f"{'reached    ' if reached else 'NOT REACHED'} {what}: {cell(ratio)}, {asked}")
    print(f"{time.monotonic() - began:.0f} s")
    return int(any(one.failed for measured in found.values() for one in measured))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.peers")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"{ROUNDS} unless told")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"of a run; {SECONDS:.0f} unless told")
    parser.add_argument("--only", metavar="NAME,...", help=f"of {', '.join(one.name for one in SCENARIOS)}")
    parser.add_argument("--servers", metavar="KIND,...", help="of sapwood, nginx, varnish, haproxy")
    return parser


if __name__ == "__main__":
    sys.exit(main())
