"""What a running sidecar exports, as a Prometheus would read it."""

from __future__ import annotations

import asyncio
import re
import urllib.request

from backends import Backend, Client
from prometheus_client.parser import text_string_to_metric_families
from servers import Valkey
from sidecar import Sidecar

# The public interface's table of metrics, letter for letter.
TABLE = """
| `sapwood_requests_total` | route, outcome (`hit_memory hit_redis stale revalidated miss collapsed bypass refused error`), code (class) |
| `sapwood_request_seconds` (histogram) | route, outcome |
| `sapwood_upstream_requests_total`, `sapwood_upstream_seconds`, `sapwood_upstream_in_flight` | route, code / / |
| `sapwood_upstream_seconds_saved_total` | route |
| `sapwood_store_seconds`, `sapwood_store_errors_total` | operation |
| `sapwood_store_up`, `sapwood_breaker_open` | |
| `sapwood_memory_bytes`, `sapwood_memory_entries`, `sapwood_memory_evictions_total` | |
| `sapwood_purges_total`, `sapwood_purge_mirror_lag_seconds`, `sapwood_purge_selectors` | kind, mode / / |
| `sapwood_warm_total`, `sapwood_warm_seconds` | warmer, result |
| `sapwood_redis_memory_ratio`, `sapwood_config_reload_ok`, `sapwood_config_info` | / / hash |
"""


def scraped(sidecar: Sidecar) -> str:
    """Return the text of ``/metrics`` on the probe port."""
    with urllib.request.urlopen(f"http://127.0.0.1:{sidecar.probes_port}/metrics", timeout=10) as answer:
        return answer.read().decode()


def named() -> dict[str, set[str]]:
    """Return each metric of the table with its labels."""
    found = {}
    for line in TABLE.strip().splitlines():
        _, names, labels, _ = line.split("|")
        metrics = re.findall(r"`(\w+)`", names)
        groups = re.sub(r"\([^)]*\)", "", labels).split("/")
        groups = groups if len(groups) == len(metrics) else groups * len(metrics)
        found |= {name: set(re.findall(r"\w+", group)) for name, group in zip(metrics, groups, strict=True)}
    return found


def exported(text: str) -> dict[str, set[str]]:
    """Return each metric that has a sample with its labels; a histogram under its own name."""
    found = {}
    for family in text_string_to_metric_families(text):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        for sample in family.samples:
            found.setdefault(name, set()).update(set(sample.labels) - {"le"})
    return found


WHO = "alice-secret"
"""Part of every path and query that is asked for."""

RULES = """
version: 1
service: scraped
upstream: {url: http://127.0.0.1:1}
routes:
  - {name: stored, match: "GET /stored/{thing}", authorization: ignore, cookies: ignore, ttl: 1h, tags: ["thing:{thing}"]}
"""


async def played() -> str:
    """Return the metrics of a sidecar that has served, stored, purged, warmed, and been asked how Redis is."""

    async def answer(_: bytes) -> bytes:
        return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    store = Valkey("--maxmemory", "100mb").start()
    try:
        async with Backend(answer) as backend:
            with Sidecar(RULES, upstream=backend.url, store=store.url) as sidecar:
                async with Client(sidecar.port) as client:
                    for target in (f"/stored/{WHO}", f"/stored/{WHO}", f"/passing?user={WHO}"):
                        await client.ask(target)
                ask = sidecar.admin
                await asyncio.to_thread(ask, "POST", "/purge", {"tags": [f"thing:{WHO}"]})
                await asyncio.to_thread(ask, "POST", "/warm", {"urls": [f"{sidecar.url}/stored/{WHO}"]})
                while (await asyncio.to_thread(ask, "GET", "/warm"))[1]["jobs"][0]["state"] != "done":  # noqa: ASYNC110 - another process brings it about
                    await asyncio.sleep(0.01)
                await asyncio.to_thread(ask, "GET", "/stats")
                return await asyncio.to_thread(scraped, sidecar)
    finally:
        store.close()
