"""A ledger that is lost: FLUSHALL, eviction of its keys, promotion of a lagging replica, all under load; no stale read."""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, closing

from record import Record

from crowd import RULES, Crowd, Items  # isort: skip - after record, which makes tests/ importable
from backends import Backend
from servers import Valkey
from sidecar import Sidecar
from switch import Switch

Trouble = Callable[[Valkey, Valkey, Switch], Awaitable[None]]
LEDGER = "cache:purge:{crowd}:"
CUT_OFF = 0.5  # seconds that the replica misses


async def flush(valkey: Valkey, _: Valkey, __: Switch) -> None:
    """Take everything."""
    await asyncio.to_thread(valkey.command, "FLUSHALL")


async def evict(valkey: Valkey, _: Valkey, __: Switch) -> None:
    """Take one key of the ledger, as an eviction does."""
    key = LEDGER + random.choice(["seq", "selectors", "log", "replicas"])
    await asyncio.to_thread(valkey.command, "DEL", key)


async def promote(valkey: Valkey, replica: Valkey, switch: Switch) -> None:
    """Cut the replica off, let the primary purge on, then put the replica in its place."""
    await asyncio.to_thread(replica.command, "REPLICAOF", "NO", "ONE")
    await asyncio.sleep(CUT_OFF)
    await switch.to(replica.port)
    await asyncio.to_thread(valkey.command, "FLUSHALL")
    await asyncio.to_thread(valkey.command, "REPLICAOF", "127.0.0.1", str(replica.port))


async def lossy(trouble: Trouble, *, times: int, purges: float, readers: int, sidecars: int = 3) -> Crowd:
    """Let it happen ``times`` times to a crowd."""
    items = Items()
    with closing(Valkey(port=True)) as one, closing(Valkey(port=True)) as other, ExitStack() as stack:
        servers = [one.start(), other.start()]
        other.command("REPLICAOF", "127.0.0.1", str(one.port))
        async with Switch(one.port) as switch, Backend(items) as backend:
            rules = RULES.format(memory="64MiB", ttl="1h")
            started = [Sidecar(rules, upstream=backend.url, store=switch.url) for _ in range(sidecars)]
            await asyncio.gather(*(asyncio.to_thread(each.__enter__) for each in started))
            for each in started:
                stack.push(each.__exit__)
            crowd = Crowd(items, [each.port for each in started], [each.admin_port for each in started])

            async def troubles() -> None:
                for _ in range(times):
                    await asyncio.sleep(1.5)
                    await trouble(*servers, switch)
                    if trouble is promote:
                        servers.reverse()
                await asyncio.sleep(1.5)

            await crowd.run(readers, purges, troubles())
            await asyncio.to_thread(stack.close)
    return crowd


def main(argv: list[str] | None = None) -> int:
    """Prove it, and keep the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=8)
    chosen = parser.parse_args(argv)
    random.seed(5)
    record = Record("loss", __doc__ or "", {"times": chosen.times, "purges a second": 100, "sidecars": 3})
    for trouble in (flush, evict, promote):
        crowd = asyncio.run(lossy(trouble, times=chosen.times, purges=100, readers=12))
        name = trouble.__name__
        record.note(f"{name}: reads, hits, purges", f"{crowd.reads:,}, {crowd.hits:,}, {crowd.purges:,}")
        record.note(
            f"{name}: refused or unconfirmed purges, errors", f"{crowd.refused}, {crowd.unconfirmed}, {crowd.errors}"
        )
        record.ask(f"{name}: stale reads", len(crowd.stale), "0", not crowd.stale)
        record.ask(f"{name}: hits", crowd.hits, "some", crowd.hits > 0)
        record.details[name] = {"stale": crowd.stale[:20]}
    return record.keep()


if __name__ == "__main__":
    raise SystemExit(main())
