"""A sidecar that hands its metrics over: by the API, and as lines; requests never wait for either."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiobotocore.session import get_session
from backends import Backend, Client
from moto.server import ThreadedMotoServer
from servers import until
from sidecar import Sidecar

RULES = """
version: 1
service: exported
upstream: {{url: http://127.0.0.1:1}}
log: {{hits: 0%, level: info}}
cloudwatch: {{mode: {mode}, interval: {interval}, region: eu-central-1}}
routes:
  - {{name: stored, match: "GET /stored/{{thing}}", authorization: ignore, cookies: ignore, ttl: 1h}}
"""


async def answer(head: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def four_requests(sidecar):
    async with Client(sidecar.port) as client:
        for _ in range(4):
            assert (await client.ask("/stored/1"))[0] == 200


@pytest.fixture
def aws(monkeypatch):
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    said = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "hunter2",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    yield said
    server.stop()


async def test_by_the_api_with_what_is_left_at_the_end(aws):
    async with Backend(answer) as backend:
        with Sidecar(RULES.format(mode="put", interval="1s"), upstream=backend.url, environ=aws) as sidecar:
            await four_requests(sidecar)
    async with get_session().create_client("cloudwatch", region_name="eu-central-1") as client:
        listed = await client.list_metrics(Namespace="TreeBeard/Cache")
    named = {metric["MetricName"]: metric["Dimensions"] for metric in listed["Metrics"]}
    assert {"HitRate", "MissRate", "ErrorRate", "TotalRequests", "Latency"} <= set(named)
    assert named["HitRate"] == [{"Name": "Service", "Value": "exported"}]


async def test_while_nobody_takes_them_requests_go_on_and_the_log_says_so():
    refused = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "hunter2"}
    async with Backend(answer) as backend:
        with Sidecar(RULES.format(mode="put", interval="1s"), upstream=backend.url, environ=refused) as sidecar:
            async with asyncio.timeout(30):
                await until(lambda: any(b"export_failed" in line for line in sidecar.lines))
            await four_requests(sidecar)
        text = b"".join(sidecar.lines)
    assert b"EndpointConnectionError" in text
    assert b"hunter2" not in text


async def test_as_lines():
    async with Backend(answer) as backend:
        with Sidecar(RULES.format(mode="emf", interval="1h"), upstream=backend.url) as sidecar:
            await four_requests(sidecar)
    lines = [json.loads(line) for line in sidecar.lines if b'"_aws"' in line]
    assert sum(line["TotalRequests"] for line in lines) == 4
    (with_hits,) = [line for line in lines if "HitRate" in line]
    assert with_hits["HitRate"] == 75.0
    assert with_hits["Service"] == "exported"
    assert with_hits["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Service"]]
