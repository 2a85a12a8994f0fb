"""Sapwood beside its peers on the same work: CPU, requests a second, latency, memory; each server alone on one core."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.peers import machine, readme
from bench.peers.behind import laid
from bench.peers.measure import take_turns
from bench.peers.report import piece_of, reach, show, spoilt
from bench.peers.scenarios import SCENARIOS
from bench.peers.servers import versions
from bench.record import RESULTS, ROOT, Record

if TYPE_CHECKING:
    from bench.peers.report import Piece

ROUNDS = 9
SECONDS = 2.0
NAMES = [scenario.name for scenario in SCENARIOS]
KEPT = RESULTS / "peers.json"


def main(argv: list[str] | None = None) -> int:
    """Measure what is asked for; return 1 where a run was not what it should be. A goal that is missed is only said."""
    parser = _parser()
    chosen = parser.parse_args(argv)
    if chosen.render:
        render()
        return 0
    names = chosen.only.split(",") if chosen.only else NAMES
    if unknown := sorted(set(names) - set(NAMES)):
        parser.error(f"no such scenario: {', '.join(unknown)}; there are {', '.join(NAMES)}")
    kinds = chosen.servers.split(",") if chosen.servers else None
    if kinds and chosen.keep:
        parser.error("--keep with --servers would drop what is known of the others: keep whole scenarios")
    record = Record("peers", (__doc__ or "").strip(), {"rounds": chosen.rounds, "seconds a run": chosen.seconds})
    pieces = measured(names, kinds, chosen.rounds, chosen.seconds)
    if not (chosen.keep or (chosen.rounds >= ROUNDS and kinds is None and not chosen.only)):
        reach(record, pieces)
        record.show()
        return int(spoilt(record))
    kept = json.loads(KEPT.read_text())["details"]["scenarios"] if KEPT.exists() else {}
    pieces = {name: piece for name in NAMES if (piece := pieces.get(name) or kept.get(name)) is not None}
    record.details |= {"versions": versions(), "scenarios": pieces}
    reach(record, pieces)
    record.keep()
    render()
    return int(spoilt(record))


def measured(names: list[str], kinds: list[str] | None, rounds: int, seconds: float) -> dict[str, Piece]:
    """Run these scenarios with servers of these kinds, all of them by default."""
    pieces: dict[str, Piece] = {}
    with tempfile.TemporaryDirectory(prefix="sapwood-peers-", dir="/dev/shm") as name:
        folder = Path(name)
        folder.chmod(0o755)  # nginx's workers are nobody
        with laid(folder, machine.share_out(machine.available())) as bed:
            for scenario in SCENARIOS:
                entries = [one for one in scenario.entries if kinds is None or one.label.split(",")[0] in kinds]
                if scenario.name in names and entries:
                    began = time.monotonic()
                    found = take_turns(scenario, bed, rounds, seconds, entries)
                    pieces[scenario.name] = piece_of(scenario, found, seconds)
                    show(scenario.name, pieces[scenario.name])
                    print(f"{time.monotonic() - began:.0f} s\n")
    return pieces


def render() -> None:
    """Write chart and README from the record that is kept."""
    value: dict[str, Any] = json.loads(KEPT.read_text())
    (ROOT / readme.CHART).write_text(readme.chart_of(value["details"]["scenarios"]))
    path = ROOT / "README.md"
    path.write_text(readme.replaced(path.read_text(), readme.section_of(value)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.peers")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"{ROUNDS} unless told")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"of a run; {SECONDS:.0f} unless told")
    parser.add_argument("--only", metavar="NAME,...", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--servers", metavar="KIND,...", help="of sapwood, nginx, varnish, haproxy")
    parser.add_argument(
        "--keep",
        action="store_true",
        help=f"keep a part too: only a whole run of {ROUNDS} rounds goes to {KEPT.relative_to(ROOT)} by itself",
    )
    parser.add_argument(
        "--render", action="store_true", help="measure nothing: write README and chart from what is kept"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
