"""What tags cost: memory per entry, time of a purge by what it hits, time of a read; beside sets from tag to keys."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import sys
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import redis
from record import Record, percentile

from nouns import a_response  # isort: skip - after record, which makes tests/ importable
from servers import Told, Valkey

from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.purge.options import PurgeOptions
from proxy.purge.shared import SharedLedger
from proxy.store.codec import encode

if TYPE_CHECKING:
    from collections.abc import Iterator

BATCH = 2000
ROUNDS = 400
HOUR_MS = 3_600_000


def tags_of(number: int) -> tuple[str, ...]:
    """Return an entry's tags: one of its own, one of a hundred, one of two."""
    return f"tag:plan:{number}", f"tag:region:{number % 100}", f"tag:half:{number % 2}"


def place(number: int) -> str:
    """Return where an entry lies."""
    return "cache:response:" + hashlib.md5(b"%d" % number, usedforsecurity=False).hexdigest()


def fill(server: redis.Redis, entries: int, *, tagged: bool, sets: bool) -> float:
    """Fill an empty server; return bytes per entry."""
    server.execute_command("FLUSHALL", "SYNC")  # or the next measurement sees the last one leave
    before = server.info("memory")["used_memory"]
    for batch in batches(entries):
        pipe = server.pipeline(transaction=False)
        for number in batch:
            entry = replace(a_response(), selectors=("route:plans", *(tags_of(number) if tagged else ())))
            pipe.set(place(number), encode(entry, b"GET /plans/%d" % number, 1 << 20), px=HOUR_MS)
            for tag in tags_of(number) if sets else ():
                pipe.sadd(f"set:{tag}", place(number))
        pipe.execute()
    return (server.info("memory")["used_memory"] - before) / entries


def batches(entries: int) -> Iterator[range]:
    """Yield the numbers in batches."""
    for first in range(0, entries, BATCH):
        yield range(first, min(first + BATCH, entries))


def timed(work) -> float:  # noqa: ANN001 - any call
    """Return milliseconds, the middle of many calls."""
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000)
    return percentile(taken, 0.5)


async def purge_times(url: str, names: list[str]) -> list[float]:
    """Purge each name by the ledger; return milliseconds, the middle of many calls for each."""
    backplane = Backplane(BackplaneOptions(url), Told())
    ledger = SharedLedger(backplane, "tags", PurgeOptions(), Told())
    await ledger.start()
    middles = []
    for name in names:
        taken = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            await ledger.purge([name], soft=False, now=0.0)
            taken.append((time.perf_counter() - began) * 1000)
        middles.append(percentile(taken, 0.5))
    await ledger.close()
    await backplane.close()
    return middles


def purge_set(server: redis.Redis, tag: str) -> tuple[float, int]:
    """Purge as the designs with a set for each tag do; return milliseconds and how many went."""
    began = time.perf_counter()
    members = list(server.smembers(f"set:{tag}"))
    for first in range(0, len(members), 1000):
        server.unlink(*members[first : first + 1000])
    server.unlink(f"set:{tag}")
    return (time.perf_counter() - began) * 1000, len(members)


def main(argv: list[str] | None = None) -> int:
    """Measure it, and keep the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    chosen = parser.parse_args(argv)
    entries = chosen.entries
    record = Record("tags", __doc__ or "", {"entries": entries, "tags of each": 3, "bytes of a body": 13})
    with closing(Valkey()) as valkey:
        server = redis.Redis(unix_socket_path=valkey.start().path)
        plain = fill(server, entries, tagged=False, sets=False)
        tagged = fill(server, entries, tagged=True, sets=False)
        one, half = asyncio.run(purge_times(valkey.url, ["tag:plan:1", "tag:half:1"]))
        key = place(1)
        get, mget = timed(lambda: server.get(key)), timed(lambda: server.mget(key, "cache:purge:{tags}:seq"))
        with_sets = fill(server, entries, tagged=False, sets=True)
        (one_set, gone), (half_set, more) = purge_set(server, "tag:plan:2"), purge_set(server, "tag:half:1")
        dangling = sum(server.scard(f"set:tag:region:{region}") for region in range(100)) - (entries - gone - more)
        server.close()
    record.note("bytes an entry, without tags", plain)
    record.ask(
        "bytes more with tags: the ledger, sets",
        f"{tagged - plain:.0f}, {with_sets - plain:.0f}",
        "the ledger's less",
        tagged < with_sets,
    )
    record.note("purge that hits 1, ms: the ledger, sets", f"{one:.2f}, {one_set:.2f}")
    record.note(f"purge that hits {entries // 2:,}, ms: the ledger, sets", f"{half:.2f}, {half_set:,.0f}")
    record.ask("the ledger: hitting half, as a multiple of hitting 1", half / one, "below 2", half < 2 * one)
    record.note("sets: members left behind in other sets that name no entry", dangling)
    record.note("read, ms: the entry alone, with the position", f"{get:.3f}, {mget:.3f}")
    return record.keep()


if __name__ == "__main__":
    sys.exit(main())
