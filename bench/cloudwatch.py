"""Metrics for CloudWatch: the call as moto's server recorded it, what it then shows, and a line in the embedded format."""

from __future__ import annotations

import asyncio
import base64
import json
import urllib.parse
import urllib.request
from typing import Any

from aiobotocore.session import get_session
from moto.server import ThreadedMotoServer
from record import Record

from backends import Backend, Client  # isort: skip - after record, which makes tests/ importable
from sidecar import Sidecar

RULES = """
version: 1
service: exported
upstream: {{url: http://127.0.0.1:1}}
log: {{hits: 0%}}
cloudwatch: {{mode: {mode}, interval: 1h, region: eu-central-1}}
routes:
  - {{name: stored, match: "GET /stored/{{n}}", authorization: ignore, cookies: ignore, ttl: 1h}}
"""
REGION = "eu-central-1"
HITS, REQUESTS = 9, 10


async def answer(_: bytes) -> bytes:
    """Answer as the backend."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def lived(mode: str, environ: dict[str, str]) -> list[bytes]:
    """Let a sidecar serve a miss and nine hits and end; return its lines."""
    async with Backend(answer) as backend:
        with Sidecar(RULES.format(mode=mode), upstream=backend.url, environ=environ) as sidecar:
            async with Client(sidecar.port) as client:
                for _ in range(REQUESTS):
                    await client.ask("/stored/1")
        return sidecar.lines


def control(url: str, method: str) -> str:
    """Call moto's recorder."""
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=10) as said:
        return str(said.read().decode())


def calls(recording: str) -> list[dict[str, Any]]:
    """Return what was sent to CloudWatch: its form, decoded, and no credential."""
    found = []
    for line in recording.splitlines():
        said = json.loads(line)
        body = base64.b64decode(said["body"]) if said.get("body_encoded") else str(said.get("body", "")).encode()
        kept = {name: value for name, value in said["headers"].items() if name.lower() in KEPT}
        found.append({"method": said["method"], "headers": kept, "body": body.decode("utf-8", "replace")})
    return found


KEPT = {"content-type", "x-amz-target", "content-encoding"}


async def shown(url: str) -> list[str]:
    """Return the names of the metrics that are there now."""
    async with get_session().create_client(
        "cloudwatch", region_name=REGION, endpoint_url=url, aws_access_key_id="x", aws_secret_access_key="x"
    ) as client:
        listed = await client.list_metrics(Namespace="TreeBeard/Cache")
    return sorted({metric["MetricName"] for metric in listed["Metrics"]})


def main() -> int:
    """Prove it, and keep the record."""
    record = Record("cloudwatch", __doc__ or "", {"requests": REQUESTS, "hits": HITS})
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        url = "http://{}:{}".format(*server.get_host_and_port())
        control(f"{url}/moto-api/recorder/start-recording", "POST")
        environ = {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
        asyncio.run(lived("put", environ))
        recorded = calls(control(f"{url}/moto-api/recorder/download-recording", "GET"))
        record.ask("calls of a sidecar that lived less than an interval", len(recorded), "1", len(recorded) == 1)
        names = asyncio.run(shown(url))
        record.ask("metrics that moto then lists", ", ".join(names), "HitRate among them", "HitRate" in names)
        record.details["call"] = recorded
    finally:
        server.stop()
    lines = [json.loads(line) for line in asyncio.run(lived("emf", {})) if b'"_aws"' in line]
    rate = lines[0].get("HitRate") if lines else None
    wanted = 100.0 * HITS / REQUESTS
    record.ask("embedded format: HitRate of its one line", str(rate), f"{wanted}", len(lines) == 1 and rate == wanted)
    record.details["line"] = lines
    return record.keep()


if __name__ == "__main__":
    raise SystemExit(main())
