"""Runs every proof, one after the other, each as a program of its own; ends with the names of those that did not pass."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
#: In the order they run, with what each is told: in full, and where only a short look is wanted.
PROOFS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "suite": ((), ()),
    "big": ((), ()),
    "alert": ((), ()),
    "cloudwatch": ((), ()),
    "outages": (("--seconds", "10"), ("--seconds", "4")),
    "fuzz": (("--seconds", "600"), ("--seconds", "60")),
    "soak": (("--seconds", "600"), ("--seconds", "120")),
    "outrun": (("--seconds", "60"), ("--seconds", "15")),
    "loss": (("--times", "8"), ("--times", "2")),
    "leak": ((), ("--fills", "3000")),
    "tags": (("--entries", "1000000"), ("--entries", "50000")),
    "footprint": (("--entries", "100000"), ("--entries", "5000")),
    "hitratio": (("--requests", "600000"), ("--requests", "60000")),
    "warming": ((), ("--reads", "10000")),
    "start": ((), ("--rounds", "3")),
}


def prove(names: list[str], *, short: bool) -> list[str]:
    """Run these; return the names of those that did not pass."""
    failed = []
    for name in names:
        words = [sys.executable, str(HERE / f"{name}.py"), *PROOFS[name][short]]
        print(f"== {name}", flush=True)
        if subprocess.run(words, check=False).returncode != 0:
            failed.append(name)
    return failed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, prog=Path(__file__).name)
    parser.add_argument("names", nargs="*", metavar="PROOF", help=f"of {', '.join(PROOFS)}; all of them without a name")
    parser.add_argument("--short", action="store_true", help="minutes, not half an hour")
    given = parser.parse_args()
    if unknown := set(given.names) - set(PROOFS):
        parser.error(f"no such proof: {', '.join(sorted(unknown))}")
    if left := prove(given.names or list(PROOFS), short=given.short):
        sys.exit(f"did not pass: {', '.join(left)}")
