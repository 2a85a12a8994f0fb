"""An alert for real: a Prometheus scrapes a sidecar, Redis is killed, the alert fires; Redis is back, it ends."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from record import ROOT, Record

from backends import Backend, Client  # isort: skip - after record, which makes tests/ importable
from servers import Valkey, _die_with_parent, free_port
from sidecar import Sidecar

if TYPE_CHECKING:
    from collections.abc import Iterator

RULES = """
version: 1
service: alert
upstream: {url: http://127.0.0.1:1}
log: {hits: 0%}
routes:
  - {name: stored, match: "GET /stored/{n}", authorization: ignore, cookies: ignore, ttl: 1h, tags: ["n:{n}"]}
"""
SCRAPED = """
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [alerts.yaml]
scrape_configs:
  - {job_name: sapwood, static_configs: [{targets: ["127.0.0.1:%d"]}]}
"""
ALERTS = ROOT / "deploy" / "prometheus" / "sapwood.rules.yaml"
DASHBOARD = ROOT / "deploy" / "grafana" / "sapwood.json"
ALERT = "SapwoodRedisErrors"
WAITED_AT_MOST = 120.0


class Prometheus:
    """A Prometheus of our own that scrapes one sidecar under a copy of the alerts with a shorter ``for``."""

    def __init__(self, probes_port: int, wait: int) -> None:
        self._probes_port = probes_port
        self._wait = wait
        self._port = free_port()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Run it in a folder that is gone afterwards."""
        program = shutil.which("prometheus")
        if program is None:
            raise SystemExit("missing: prometheus, which bench/tools.sh installs")
        with tempfile.TemporaryDirectory(prefix="sapwood-alert-") as name:
            folder = Path(name)
            (folder / "alerts.yaml").write_text(shortened(ALERTS.read_text("utf-8"), self._wait))
            (folder / "prometheus.yaml").write_text(SCRAPED % self._probes_port)
            process = subprocess.Popen(
                [
                    program,
                    f"--config.file={folder / 'prometheus.yaml'}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self._port}",
                    "--log.level=error",
                ],
                stdin=subprocess.DEVNULL,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - no thread holds a lock that prctl needs
            )
            try:
                yield
            finally:
                process.terminate()
                process.wait(10)

    def ask(self, path: str, **query: str) -> dict[str, Any]:
        """Return the data of an answer of its API; empty while it starts."""
        url = f"http://127.0.0.1:{self._port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                document = json.load(answer)
        except urllib.error.HTTPError as refused:
            return {"refused": json.load(refused).get("error")}
        except OSError:
            return {}
        return dict(document["data"])

    def alerts(self) -> dict[str, dict[str, Any]]:
        """Return the alerts that are pending or firing, by their names."""
        return {alert["labels"]["alertname"]: alert for alert in self.ask("alerts").get("alerts", ())}

    async def until(self, state: str | None) -> float:
        """Wait until the alert is in that state, or (None) gone; return the seconds. Raises TimeoutError."""
        began = time.monotonic()
        while time.monotonic() - began < WAITED_AT_MOST:
            alert = (await asyncio.to_thread(self.alerts)).get(ALERT, {})
            if alert.get("state") == state:
                return time.monotonic() - began
            await asyncio.sleep(0.2)
        raise TimeoutError(f"{ALERT} is not {state or 'gone'}")


def shortened(text: str, wait: int) -> str:
    """Return the alerts with another ``for``, and nothing else changed."""
    return re.sub(r"for: \S+", f"for: {wait}s", text)


async def traffic(port: int) -> None:
    """Ask now and then: hits, misses, what passes by."""
    async with Client(port) as client:
        number = 0
        while True:
            number += 1
            await client.ask(f"/stored/{number % 20}")
            await client.ask(f"/passing/{number}")
            await asyncio.sleep(0.02)


async def answer(_: bytes) -> bytes:
    """Answer as the backend."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def proven(record: Record, wait: int) -> None:
    """Kill Redis before a watching Prometheus, start it again, and take down what the Prometheus said."""
    with closing(Valkey("--maxmemory", "100mb")) as store:
        store.start()
        async with Backend(answer) as backend:
            with Sidecar(RULES, upstream=backend.url, store=store.url) as sidecar:
                prometheus = Prometheus(sidecar.probes_port, wait)
                with prometheus.running():
                    asking = asyncio.create_task(traffic(sidecar.port))
                    try:
                        await _watched(record, prometheus, sidecar, store)
                    finally:
                        asking.cancel()
                        await asyncio.gather(asking, return_exceptions=True)


async def _watched(record: Record, prometheus: Prometheus, sidecar: Sidecar, store: Valkey) -> None:
    await asyncio.to_thread(sidecar.admin, "POST", "/purge", {"tags": ["n:1"]})
    while not (await asyncio.to_thread(prometheus.ask, "query", query="sapwood_redis_memory_ratio")).get("result"):  # noqa: ASYNC110 - another process brings it about
        await asyncio.sleep(0.2)
    await asyncio.sleep(10)  # as many scrapes: two are needed for a rate
    before = await asyncio.to_thread(prometheus.alerts)
    record.ask(f"before: {ALERT}", before.get(ALERT, {}).get("state", "silent"), "silent", ALERT not in before)
    refused, silent = await asyncio.to_thread(asked_by_dashboard, prometheus)
    record.ask("queries of the Grafana dashboard that this Prometheus refuses", len(refused), "0", not refused)
    record.note("queries without an answer: no warmer, nothing wrong", ", ".join(silent) or "none")
    store.kill()
    record.ask(
        "Redis killed: fires after, s", await prometheus.until("firing"), f"within {WAITED_AT_MOST:.0f}", ok=True
    )
    alerts = await asyncio.to_thread(prometheus.alerts)
    record.details["firing"] = alerts[ALERT]
    record.details["all"] = {name: alert["state"] for name, alert in sorted(alerts.items())}
    record.note("what it says", alerts[ALERT]["annotations"]["summary"])
    served = await asyncio.to_thread(prometheus.ask, "query", query='sum(rate(sapwood_requests_total{code="2xx"}[5s]))')
    record.note("meanwhile: requests answered, a second", float(served["result"][0]["value"][1]))
    store.start()
    record.ask("Redis back: ends after, s", await prometheus.until(None), f"within {WAITED_AT_MOST:.0f}", ok=True)


def asked_by_dashboard(prometheus: Prometheus) -> tuple[list[str], list[str]]:
    """Ask every query of the dashboard; return the panels of those that are refused, and of those without an answer."""
    refused, silent = [], []
    for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]:
        for target in panel.get("targets", ()):
            expression = re.sub(r"\$(?:job|instance|route)\b", ".*", target["expr"]).replace("$__rate_interval", "5s")
            said = prometheus.ask("query", query=expression)
            if "result" not in said:
                refused.append(panel["title"])
            elif not said["result"]:
                silent.append(panel["title"])
    return refused, sorted(set(silent))


def main(argv: list[str] | None = None) -> int:
    """Prove it, and keep the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wait", type=int, default=5, metavar="SECONDS", help="in the place of each alert's `for`")
    chosen = parser.parse_args(argv)
    record = Record("alert", __doc__ or "", {"for": f"{chosen.wait} s"})
    asyncio.run(proven(record, chosen.wait))
    return record.keep()


if __name__ == "__main__":
    raise SystemExit(main())
