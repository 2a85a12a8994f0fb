"""What 100,000 entries of 20 KB of JSON take in Redis, stored as they are served; beside the same bodies as they are."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

import redis
import zstandard
from plans import page
from record import Record, percentile

from nouns import SEQ, a_key  # isort: skip - after record, which makes tests/ importable
from servers import Told, Valkey

from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.message.headers import Headers
from proxy.message.stored import CacheKey, Freshness, LifetimeSource, StoredResponse
from proxy.purge.options import PurgeOptions
from proxy.purge.shared import SharedLedger
from proxy.store.options import StoreOptions
from proxy.store.redis import RedisStore

if TYPE_CHECKING:
    from collections.abc import Iterator

GOAL = 300 * 10**6
TOLD = 2 * 10**9  # by caching-strategy.md, for as many
BATCH = 16  # fewer than connections
HOUR = 3600.0


def key(number: int) -> CacheKey:
    """Return where a page lies."""
    return a_key(
        f"v1 treebeard-api GET api.treebeard.example /api/v1/plans/catalog?page={number % 40}&zip={number // 40}"
    )


def response(number: int, body: bytes) -> StoredResponse:
    """Return a page as the sidecar keeps it."""
    url = f"/api/v1/plans/catalog?page={number % 40}&page_size=21&zip_code={75001 + number // 40}"
    lines = [
        (b"date", b"Sun, 22 Nov 2026 12:00:00 GMT"),
        (b"server", b"uvicorn"),
        (b"content-length", b"%d" % len(body)),
        (b"content-type", b"application/json"),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
        (b"referrer-policy", b"strict-origin-when-cross-origin"),
        (b"x-process-time", b"%.6f" % (0.02 + number % 977 / 10_000)),
    ]
    selectors = ("tag:plans", "key:plan_catalog:v1:catalog", "ns:plan_catalog", "route:plan-catalog", f"url:{url}")
    freshness = Freshness(HOUR, LifetimeSource.ROUTE, 30.0, HOUR)
    now = 1_790_000_000.0 + number / 7
    return StoredResponse(
        200,
        b"OK",
        Headers(lines),
        body,
        now - 0.02,
        now,
        0.0,
        freshness,
        (*selectors, f"path:{url.partition('?')[0]}"),
        SEQ,
    )


def batches(entries: int) -> Iterator[range]:
    """Yield the numbers in batches."""
    for first in range(0, entries, BATCH):
        yield range(first, min(first + BATCH, entries))


async def store(url: str, entries: int) -> tuple[int, int, list[float]]:
    """Keep the pages; return the bytes of all bodies, those of all records, and the CPU seconds of saves."""
    backplane = Backplane(BackplaneOptions(url), Told())
    kept = RedisStore(backplane, SharedLedger(backplane, "footprint", PurgeOptions(), Told()), StoreOptions())
    bodies = records = 0
    taken = []
    for batch in batches(entries):
        responses = [response(number, page(number)) for number in batch]
        bodies += sum(len(one.body) for one in responses)
        began = time.thread_time()
        sizes = await asyncio.gather(
            *(kept.save(key(number), one, ttl=HOUR) for number, one in zip(batch, responses, strict=True))
        )
        taken.append((time.thread_time() - began) / len(batch))
        records += sum(sizes)
    middle = entries // 2
    found = await kept.load(key(middle))
    assert found.entry == response(middle, page(middle))
    await backplane.close()
    return bodies, records, taken


def plainly(server: redis.Redis, entries: int) -> int:
    """Keep the bodies alone and as they are; return what all of it takes."""
    for batch in batches(entries):
        pipe = server.pipeline(transaction=False)
        for number in batch:
            pipe.set(f"cache:response:{key(number).digest}", page(number), ex=int(HOUR))
        pipe.execute()
    return server.info("memory")["used_memory"]


def tried() -> Iterator[tuple[str, float, float]]:
    """Yield what else could compress, the bytes of a body, and the CPU it takes in µs."""
    samples, pages = [page(number) for number in range(200_000, 200_400)], [page(number) for number in range(200)]
    dictionaries = {size: zstandard.train_dictionary(size * 1024, samples) for size in (16, 64)}
    for size, level in ((0, 3), (0, 6), (0, 9), (0, 19), (16, 3), (64, 3), (64, 9)):
        compressor = zstandard.ZstdCompressor(level=level, dict_data=dictionaries.get(size))
        began = time.thread_time()
        total = sum(len(compressor.compress(one)) for one in pages)
        taken = (time.thread_time() - began) / len(pages)
        name = f"zstd {level}" + (f", a dictionary of {size} KiB trained on such pages" if size else "")
        yield name, total / len(pages), taken * 1e6


def main(argv: list[str] | None = None) -> int:
    """Measure it, and keep the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    entries = parser.parse_args(argv).entries
    record = Record("footprint", __doc__ or "", {"entries": entries})
    with closing(Valkey()) as valkey:
        server = redis.Redis(unix_socket_path=valkey.start().path)
        empty = server.info("memory")["used_memory"]
        bodies, records, taken = asyncio.run(store(valkey.url, entries))
        memory = server.info("memory")
        count = server.dbsize()
        used, resident = memory["used_memory"] - empty, memory["used_memory_rss"]
        server.execute_command("FLUSHALL", "SYNC")
        sample = min(entries, 5000)
        plain = (plainly(server, sample) - empty) * entries // sample
        server.close()
    record.ask("entries in Redis", count, f"{entries:,}", count == entries)
    record.note("bytes of a body", bodies / entries)
    record.note("bytes of its record", records / entries)
    record.note("bytes in Redis an entry", used / entries)
    goal, told = GOAL * entries // 100_000, TOLD * entries // 100_000
    record.ask(
        "all of it in Redis, MB (10^6)", used / 1e6, f"less than caching-strategy.md's {told / 1e6:,.0f}", used < told
    )
    record.note(f"of the goal of {goal / 1e6:,.0f} MB", f"{used / goal:.2f} times")
    record.note("the process of Valkey, MB", resident / 1e6)
    record.note("the same bodies as they are, MB (from a sample)", plain / 1e6)
    record.note("CPU of a save in this process, µs, the middle of batches", percentile(taken, 0.5) * 1e6)
    for name, size, spent in tried():
        record.note(f"a body by {name}: bytes; CPU, µs", f"{size:,.0f}; {spent:,.0f}")
    return record.keep()


if __name__ == "__main__":
    sys.exit(main())
