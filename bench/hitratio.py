"""How often the hot tier hits by its own policy code, beside other policies, foresight, and a bound for all."""

from __future__ import annotations

import argparse
import random
import sys
from itertools import accumulate
from typing import TYPE_CHECKING

from record import RESULTS, Record
from rivals import RIVALS, Belady, bound

from proxy.message.stored import Uncacheable  # isort: skip - after record, which makes proxy/ importable
from peers.chart import Bar, Group, drawn

from proxy.store.kept import Kept
from proxy.store.s3fifo import S3Fifo

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NAMES = 100_000
SKEW = 0.9
MEBIBYTES = (8, 32, 64, 256)
OURS = "Sapwood"
NOBODY_CAN = "no policy can pass"
FORESIGHT = "Belady"
NOTHING = Uncacheable("", 0.0)


class Ours:
    """The hot tier's policy as ``MemoryStore`` drives it, without the entries."""

    def __init__(self, budget: int) -> None:
        self.queues = S3Fifo(budget)
        self.found: dict[int, Kept] = {}
        self.budget = budget

    def ask(self, name: int, size: int) -> bool:
        """Ask for one."""
        kept = self.found.get(name)
        if kept is not None:
            kept.hits += 1
            return True
        kept = self.found[name] = Kept(str(name), b"%d" % name, NOTHING, 1.0, size)
        for gone in self.queues.add(kept, 0.0):
            del self.found[int(gone.digest)]
        return False


def sizes_of(names: int, chance: random.Random) -> list[int]:
    """Return what each takes: JSON of 0.3 to 11 KB as TreeBeard answers, one in fifty of 64 KiB, and what is around it."""
    around = 2600  # of an entry with five fields, by proxy/store/sizes.py
    return [
        around + (65_536 if chance.random() < 0.02 else min(11_264, max(300, int(chance.lognormvariate(7.8, 0.8)))))  # noqa: PLR2004
        for _ in range(names)
    ]


def zipf(count: int, chance: random.Random) -> list[int]:
    """Return requests by Zipf's law; the names in no order of their popularity."""
    order = list(range(NAMES))
    chance.shuffle(order)
    weights = list(accumulate(1 / rank**SKEW for rank in range(1, NAMES + 1)))
    return chance.choices(order, cum_weights=weights, k=count)


def scanned(count: int, chance: random.Random) -> list[int]:
    """Return the same with a crawler: after 20,000 requests it asks for the next 10,000 names, each once."""
    asked, result, at = zipf(count * 2 // 3, chance), [], 0
    for first in range(0, len(asked), 20_000):
        result += asked[first : first + 20_000]
        result += [(at + step) % NAMES for step in range(10_000)]
        at += 10_000
    return result


def once(count: int, chance: random.Random) -> list[int]:
    """Return the same with a third of requests for what nobody asks for again."""
    result = []
    for place, name in enumerate(zipf(count * 2 // 3, chance)):
        result.append(name)
        if place % 2:
            result.append(NAMES + place // 2)
    return result


def shifting(count: int, chance: random.Random) -> list[int]:
    """Return requests by Zipf's law, where after every tenth a quarter of the 2,000 favourites are others."""
    order = list(range(NAMES))
    weights = list(accumulate(1 / rank**SKEW for rank in range(1, NAMES + 1)))
    result = []
    chance.shuffle(order)
    for _ in range(10):
        result += chance.choices(order, cum_weights=weights, k=count // 10)
        for rank in range(0, 2000, 4):
            other = chance.randrange(NAMES)
            order[rank], order[other] = order[other], order[rank]
    return result


TRACES: dict[str, Callable[[int, random.Random], list[int]]] = {
    "Zipf": zipf,
    "Zipf and scans": scanned,
    "Zipf and names asked once": once,
    "Zipf, favourites change": shifting,
}


def hits_of(cache: object, names: Sequence[int], sizes: Sequence[int]) -> float:
    """Return the share of hits in percent."""
    ask = cache.ask  # type: ignore[attr-defined]
    return 100 * sum(ask(name, sizes[name]) for name in names) / len(names)


def compare(names: Sequence[int], sizes: Sequence[int], budget: int) -> dict[str, float]:
    """Return the share of hits of each, in percent."""
    shares = {OURS: hits_of(Ours(budget), names, sizes)}
    shares |= {name: hits_of(rival(budget), names, sizes) for name, rival in RIVALS.items()}
    shares[FORESIGHT] = hits_of(Belady(budget, names), names, sizes)
    shares[NOBODY_CAN] = 100 * bound(names, sizes, budget)
    return shares


def main(argv: list[str] | None = None) -> int:
    """Measure it, keep the record, draw the chart."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=600_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(argv)
    settings = {"requests": chosen.requests, "names": NAMES, "skew": SKEW, "seed": chosen.seed}
    record = Record("hitratio", __doc__ or "", settings)
    groups = []
    sizes = sizes_of(NAMES + chosen.requests, random.Random(7))
    record.note("all 100,000 names together, MiB", sum(sizes[:NAMES]) / (1 << 20))
    for title, trace in TRACES.items():
        names = trace(chosen.requests, random.Random(chosen.seed))
        for mebibytes in MEBIBYTES:
            shares = compare(names, sizes, mebibytes << 20)
            what = f"{title}, {mebibytes} MiB"
            print(what, {name: round(share, 2) for name, share in shares.items()}, flush=True)
            record.details[what] = {name: round(share, 2) for name, share in shares.items()}
            others = ", ".join(f"{name} {share:.1f}" for name, share in shares.items() if name != OURS)
            # A crawler that comes back is what a sketch remembers better; not for two microseconds at every hit.
            allowed = 4 if trace is scanned else 1
            ok = shares[OURS] >= max(shares["LRU"], shares["FIFO"], *(shares[name] - allowed for name in RIVALS))
            asked = f"at least LRU and FIFO; at most {allowed} below the best"
            record.ask(f"{what}: % hits", f"{shares[OURS]:.1f}; {others}", asked, ok)
            if mebibytes == 64:  # noqa: PLR2004 - the default of memory.max_size
                bars = (
                    Bar(name, share, share, share, f"{share:.1f} %", ours=name == OURS)
                    for name, share in sorted(shares.items(), key=lambda one: one[1])
                )
                groups.append(Group(title, tuple(bars)))
    (RESULTS / "hitratio.svg").write_text(drawn("Hits of a hot tier of 64 MiB, of all requests", groups))
    return record.keep()


if __name__ == "__main__":
    sys.exit(main())
