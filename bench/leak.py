"""Nothing leaks: after an hour's worth of fills, purges and expiries, time compressed, what is left in Redis is bounded."""

from __future__ import annotations

import argparse
import asyncio
from contextlib import closing

import redis
from record import Record

from crowd import RULES, Items, post  # isort: skip - after record, which makes tests/ importable
from backends import Backend, Client
from servers import Valkey
from sidecar import Sidecar

TTL = 2
CLIENTS = 8
BOUNDED = {b"seq", b"selectors", b"log", b"replicas"}
MARKS = 2_000


async def lived(fills: int) -> dict[str, object]:
    """Fill, purge and expire; return what is left while the last entries live, and after them."""
    rules = RULES.format(memory="0", ttl=f"{TTL}s").replace("purge: {", f"purge: {{max_selectors: {MARKS}, ")
    with closing(Valkey()) as valkey:
        valkey.start()
        server = redis.Redis(unix_socket_path=valkey.path)
        async with Backend(Items()) as backend:
            with Sidecar(rules, upstream=backend.url, store=valkey.url) as sidecar:

                async def fill(first: int) -> None:
                    async with Client(sidecar.port) as client, Client(sidecar.admin_port) as admin:
                        for name in range(first, fills, CLIENTS):
                            await client.ask(f"/items/{name}")
                            if name % 2:
                                mode = "soft" if name % 4 == 1 else "hard"
                                await post(admin, "/purge", {"tags": [f"item:{name}"], "mode": mode})

                await asyncio.gather(*(fill(first) for first in range(CLIENTS)))
                during = left_in(server)
                deadline = asyncio.get_running_loop().time() + 3600
                while left_in(server)["entries"] and asyncio.get_running_loop().time() < deadline:
                    held = [server.pttl(key) for key in server.scan_iter(b"cache:response:*", count=1000)]
                    if not held or max(held) > 60_000:  # noqa: PLR2004 - a minute is more than anything was kept for
                        break
                    await asyncio.sleep(1)
                after = left_in(server)
        server.close()
    return {"during": during, "after": after}


def left_in(server: redis.Redis) -> dict[str, object]:
    """Count what is there, by kind; ``endless`` are keys with neither a TTL nor a bound."""
    keys = list(server.scan_iter(count=1000))
    ledger = {key.rpartition(b":")[2]: key for key in keys if key.startswith(b"cache:purge:")}
    endless = [key for key in keys if server.ttl(key) == -1 and key not in ledger.values()]
    endless += [key for name, key in ledger.items() if name not in BOUNDED and server.ttl(key) == -1]
    return {
        "entries": sum(key.startswith((b"cache:response:", b"cache:vary:")) for key in keys),
        "others": sorted(key.decode() for key in keys if not key.startswith((b"cache:response:", b"cache:vary:"))),
        "endless": [key.decode() for key in endless],
        "marks": server.zcard(ledger[b"selectors"]) if b"selectors" in ledger else 0,
        "log": server.xlen(ledger[b"log"]) if b"log" in ledger else 0,
    }


def main(argv: list[str] | None = None) -> int:
    """Prove it, and keep the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fills", type=int, default=10_000)
    chosen = parser.parse_args(argv)
    record = Record("leak", __doc__ or "", {"fills": chosen.fills, "TTL": f"{TTL} s", "purge.max_selectors": MARKS})
    found = asyncio.run(lived(chosen.fills))
    for when in ("during", "after"):
        left = found[when]
        record.note(f"{when}: entries", left["entries"])
        record.ask(f"{when}: keys with neither a TTL nor a bound", len(left["endless"]), "0", not left["endless"])
        record.ask(
            f"{when}: selectors in the ledger",
            left["marks"],
            f"at most {MARKS} and the floor",
            left["marks"] <= MARKS + 1,
        )
        record.ask(
            f"{when}: purges in its log", left["log"], "at most 1024 and a stream's node", left["log"] <= 1024 + 128
        )
    record.ask("after: keys that no live entry needs", found["after"]["entries"], "0", not found["after"]["entries"])
    record.note("after: other keys", ", ".join(found["after"]["others"]))
    return record.keep()


if __name__ == "__main__":
    raise SystemExit(main())
