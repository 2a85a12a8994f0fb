"""What 100,000 entries of 20 KB of JSON take in Redis, stored as they are served; beside the same bodies as they are."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

import redis
from plans import PLANS, page, plan
from record import Record, percentile

from nouns import SEQ, a_key  # isort: skip - after record, which makes tests/ importable
from servers import Told, Valkey

from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.message.headers import Headers
from proxy.message.stored import CacheKey, Freshness, LifetimeSource, StoredResponse
from proxy.purge.options import PurgeOptions
from proxy.purge.shared import SharedLedger
from proxy.store import codec
from proxy.store.options import DictionaryOptions, StoreOptions
from proxy.store.redis import RedisStore
from proxy.store.training import train

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from proxy.store.dictionary import Dictionary

T = TypeVar("T")

GOAL = 300 * 10**6
MANY = 50_000
TIMES = 30
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
            *(
                kept.save(key(number), one, ttl=HOUR, is_for_all=lambda: True)
                for number, one in zip(batch, responses, strict=True)
            )
        )
        taken.append((time.thread_time() - began) / len(batch))
        records += sum(sizes)
    await backplane.close()
    await found(url, entries)
    return bodies, records, taken


async def found(url: str, entries: int) -> None:
    """Read some of the pages as another replica does, which has trained nothing."""
    backplane = Backplane(BackplaneOptions(url), Told())
    kept = RedisStore(backplane, SharedLedger(backplane, "footprint", PurgeOptions(), Told()), StoreOptions())
    for number in range(0, entries, max(1, entries // 100)):
        assert (await kept.load(key(number))).entry == response(number, page(number))
    await backplane.close()


def plainly(server: redis.Redis, entries: int) -> int:
    """Keep the bodies alone and as they are; return what all of it takes."""
    for batch in batches(entries):
        pipe = server.pipeline(transaction=False)
        for number in batch:
            pipe.set(f"cache:response:{key(number).digest}", page(number), ex=int(HOUR))
        pipe.execute()
    return server.info("memory")["used_memory"]


def small(number: int) -> bytes:
    """Return an object of 2 KB: a plan and another one like it."""
    chance = random.Random(f"pair {number}")
    pair = {"plan": plan(chance.randrange(PLANS)), "instead": [plan(chance.randrange(PLANS))]}
    return json.dumps(pair, separators=(",", ":")).encode()


def tried() -> Iterator[tuple[str, float, float, float]]:
    """Yield how a record can be made, its bytes, and the CPU of making and of reading one in µs."""
    for kind, make in (("20 KB", page), ("2 KB", small)):
        samples = [plainly_of(number, make) for number in range(200_000, 200_000 + (200 if make is page else 1600))]
        for size in (0, 32, 64, 128, 256):
            dictionary = train(samples, size * 1024, None).dictionary if size else None
            name = f"a body of {kind}, " + (f"with a dictionary of {size} KiB" if size else "alone")
            yield name, *measured([(number, response(number, make(number))) for number in range(200)], dictionary)


def plainly_of(number: int, make: Callable[[int], bytes]) -> bytes:
    """Return what a dictionary learns of an entry."""
    return codec.plainly(response(number, make(number)), key(number).material)


def measured(entries: list[tuple[int, StoredResponse]], dictionary: Dictionary | None) -> tuple[float, float, float]:
    """Return the bytes of a record, and the µs of making and of reading one, each the least of many times."""
    known = {} if dictionary is None else {dictionary.name: dictionary}
    making, reading, size = [], [], 0
    for number, entry in entries:
        material = key(number).material
        record, seconds = least(lambda: codec.encode(entry, material, 1024, dictionary))  # noqa: B023 - called at once
        making.append(seconds)
        size += len(record)
        _, seconds = least(lambda: codec.decode(record, material, 1 << 20, known))  # noqa: B023 - as above
        reading.append(seconds)
    return size / len(entries), percentile(making, 0.5) * 1e6, percentile(reading, 0.5) * 1e6


def least(work: Callable[[], T]) -> tuple[T, float]:
    """Return what work returns, and the least seconds that it took."""
    best = float("inf")
    for _ in range(TIMES):
        began = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - began)
    return result, best


def trained() -> tuple[float, int]:
    """Return the CPU seconds of training, and the bytes of what is trained on."""
    samples = [plainly_of(number, page) for number in range(200)]
    began = time.thread_time()
    train(samples, DictionaryOptions().size, None)
    return time.thread_time() - began, sum(map(len, samples))


def servers() -> Iterator[tuple[str, str | None]]:
    """Yield the servers to measure in: they give memory out in steps of different sizes."""
    yield "Valkey of the wheel", None
    debians = shutil.which("redis-server")
    if debians is not None:
        yield "Debian's Redis", debians


def main(argv: list[str] | None = None) -> int:
    """Measure it, and keep the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    entries = parser.parse_args(argv).entries
    record = Record("footprint", __doc__ or "", {"entries": entries})
    goal = GOAL * entries // 100_000
    for server_of, binary in servers():
        with closing(Valkey(binary=binary)) as valkey:
            server = redis.Redis(unix_socket_path=valkey.start().path)
            empty = server.info("memory")["used_memory"]
            bodies, records, taken = asyncio.run(store(valkey.url, entries))
            memory = server.info("memory")
            kept = sum(1 for _ in server.scan_iter("cache:response:*", count=1000))
            beside = server.dbsize() - kept
            used, resident = memory["used_memory"] - empty, memory["used_memory_rss"]
            server.execute_command("FLUSHALL", "SYNC")
            sample = min(entries, 5000)
            plain = (plainly(server, sample) - empty) * entries // sample
            server.close()
        record.ask(f"{server_of} ({memory['mem_allocator']}): entries", kept, f"{entries:,}", kept == entries)
        record.note("keys beside them: the dictionary, its name, whose turn it is", beside)
        if entries >= MANY:  # the first few are without the dictionary, and of few entries they are many
            record.ask("all of it, MB (10^6)", used / 1e6, f"less than {goal / 1e6:,.0f}", used < goal)
        else:
            record.note("all of it, MB (10^6)", used / 1e6)
        record.note("the same bodies as they are, MB (from a sample)", plain / 1e6)
        record.note("the server's process, MB", resident / 1e6)
        record.note("bytes of a body", bodies / entries)
        record.note("bytes of its record", records / entries)
        record.note("bytes it takes", used / entries)
        record.note("CPU of a save in this process, µs, the middle of batches", percentile(taken, 0.5) * 1e6)
    seconds, octets = trained()
    record.note(f"CPU of training on {octets / 2**20:.1f} MiB, ms", seconds * 1e3)
    for name, size, making, reading in tried():
        record.note(
            f"{name}: bytes of its record; µs to make; µs to read", f"{size:,.0f}; {making:,.1f}; {reading:,.1f}"
        )
    return record.keep()


if __name__ == "__main__":
    sys.exit(main())
