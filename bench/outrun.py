"""Purges that cannot be outrun: three sidecars on one Valkey, mixed load, 200 purges a second; no stale read after ``wait``."""

from __future__ import annotations

import argparse
import asyncio
import random
from contextlib import ExitStack, closing

from record import Record, percentile

from crowd import RULES, Crowd, Items  # isort: skip - after record, which makes tests/ importable
from backends import Backend
from servers import Valkey
from sidecar import Sidecar

MAX_LAG = 0.25  # as the rules have it


async def crowded(  # noqa: PLR0913 - each a number of its own
    seconds: float, *, wait: str | None, purges: float, readers: int, memory: str, sidecars: int = 3
) -> Crowd:
    """Run one crowd and return what it saw."""
    items = Items()
    with closing(Valkey()) as valkey, ExitStack() as stack:
        store = valkey.start().url
        async with Backend(items) as backend:
            rules = RULES.format(memory=memory, ttl="1h")
            started = [Sidecar(rules, upstream=backend.url, store=store) for _ in range(sidecars)]
            await asyncio.gather(*(asyncio.to_thread(each.__enter__) for each in started))
            for each in started:
                stack.push(each.__exit__)
            ports, admins = [one.port for one in started], [one.admin_port for one in started]
            crowd = Crowd(items, ports, admins, wait=wait)
            await crowd.run(readers, purges, asyncio.sleep(seconds))
    return crowd


def main(argv: list[str] | None = None) -> int:
    """Prove it, and keep the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--purges", type=float, default=200, help="a second")
    parser.add_argument("--readers", type=int, default=24)
    chosen = parser.parse_args(argv)
    random.seed(3)
    settings = {"seconds": chosen.seconds, "purges a second": chosen.purges, "readers": chosen.readers, "sidecars": 3}
    record = Record("outrun", __doc__ or "", settings)
    for wait, kind in (("2s", "with wait"), (None, "without wait")):
        crowd = asyncio.run(
            crowded(chosen.seconds, wait=wait, purges=chosen.purges, readers=chosen.readers, memory="64MiB")
        )
        record.note(f"{kind}: reads, of them hits", f"{crowd.reads:,}, {crowd.hits:,}")
        record.note(f"{kind}: purges acknowledged, a second", crowd.purges / chosen.seconds)
        milliseconds = [f"{percentile(crowd.seconds, share) * 1000:.1f}" for share in (0.5, 0.99, 1.0)]
        record.note(f"{kind}: a purge call, ms, half, 99 %, worst", ", ".join(milliseconds))
        if wait is None:
            record.ask(
                "without wait: worst staleness, ms", crowd.worst * 1000, "at most max_lag, 250", crowd.worst <= MAX_LAG
            )
        else:
            record.note("with wait: answered before all had confirmed", crowd.unconfirmed)
            record.ask("with wait: stale reads", len(crowd.stale), "0", not crowd.stale)
            record.ask(
                "with wait: hits", crowd.hits, "many, or nothing was to be outrun", crowd.hits > crowd.reads / 10
            )
        record.ask(
            f"{kind}: errors, refused purges", crowd.errors + crowd.refused, "0", not crowd.errors + crowd.refused
        )
        record.details[kind] = {"stale": crowd.stale[:20], "asked of the backend": crowd.items.asked}
    return record.keep()


if __name__ == "__main__":
    raise SystemExit(main())
