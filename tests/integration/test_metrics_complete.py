"""What the interface names is what a running sidecar exports, name by name and label by label; and nothing of a user's."""

from __future__ import annotations

import asyncio
import re

from backends import Backend, Client
from prometheus_client.parser import text_string_to_metric_families
from scraping import scraped
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

RULES = """
version: 1
service: counted
upstream: {url: http://127.0.0.1:1}
routes:
  - {name: stored, match: "GET /stored/{thing}", authorization: ignore, cookies: ignore, ttl: 1h, tags: ["thing:{thing}"]}
"""


def named():
    """Return each metric of the table with its labels."""
    found = {}
    for line in TABLE.strip().splitlines():
        _, names, labels, _ = line.split("|")
        metrics = re.findall(r"`(\w+)`", names)
        groups = re.sub(r"\([^)]*\)", "", labels).split("/")
        groups = groups if len(groups) == len(metrics) else groups * len(metrics)
        found |= {name: set(re.findall(r"\w+", group)) for name, group in zip(metrics, groups, strict=True)}
    return found


def exported(text: str):
    """Return each metric that has a sample with its labels; a histogram under its own name."""
    found = {}
    for family in text_string_to_metric_families(text):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        for sample in family.samples:
            found.setdefault(name, set()).update(set(sample.labels) - {"le"})
    return found


async def answer(head: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def until_done(sidecar):
    while (await asyncio.to_thread(sidecar.admin, "GET", "/warm"))[1]["jobs"][0]["state"] != "done":  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_a_running_sidecar_exports_every_metric_of_the_interface_with_its_labels():
    store = Valkey("--maxmemory", "100mb").start()
    try:
        async with Backend(answer) as backend:
            with Sidecar(RULES, upstream=backend.url, store=store.url) as sidecar:
                async with Client(sidecar.port) as client:
                    for _ in range(2):
                        await client.ask("/stored/alice-secret")
                    await client.ask("/passing?user=alice-secret")
                await asyncio.to_thread(sidecar.admin, "POST", "/purge", {"tags": ["thing:alice-secret"]})
                await asyncio.to_thread(
                    sidecar.admin, "POST", "/warm", {"urls": [f"{sidecar.url}/stored/alice-secret"]}
                )
                await until_done(sidecar)
                await asyncio.to_thread(sidecar.admin, "GET", "/stats")  # asks Redis how it is
                text = await asyncio.to_thread(scraped, sidecar)
    finally:
        store.close()
    found = exported(text)
    assert {name: found.get(name) for name in named()} == named()
    assert "alice-secret" not in text
