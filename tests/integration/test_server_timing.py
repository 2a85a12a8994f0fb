"""``Server-Timing`` over real sockets, with a real Valkey: for who has the admin token, and no trace of it elsewhere."""

from __future__ import annotations

import re

import pytest
from backends import Backend, Client
from sidecar import Sidecar

TOKEN = "s3cr3t-token"
RULES = """
version: 1
service: timed
upstream: {url: http://127.0.0.1:1}
log: {hits: 100%, level: debug}
routes:
  - {name: stored, match: "GET /stored/{thing}", authorization: ignore, cookies: ignore, ttl: 1h}
"""
SAME = ("X-Request-ID: one",)


class Origin:
    def __init__(self):
        self.heads = []

    async def __call__(self, head):
        self.heads.append(head)
        return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
async def origin():
    return Origin()


async def test_who_has_the_token_is_told_and_nobody_else(origin, valkey):
    async with Backend(origin) as backend:
        with Sidecar(RULES, upstream=backend.url, store=valkey.url, environ={"SAPWOOD_ADMIN__TOKEN": TOKEN}) as sidecar:
            async with Client(sidecar.port) as client:
                _, miss, _ = await client.ask("/stored/1", f"Sapwood-Debug: {TOKEN}")
                _, passed, _ = await client.ask("/other", f"sapwood-debug: {TOKEN}")
                await client.ask("/stored/1", *SAME)
                plain = await client.ask("/stored/1", *SAME)
                guessed = await client.ask("/stored/1", *SAME, "Sapwood-Debug: guess")
                _, hit, _ = await client.ask("/stored/1", *SAME, f"Sapwood-Debug: {TOKEN}")
                after = await client.ask("/stored/1", *SAME)
    said = miss[b"server-timing"].decode()
    assert re.match(r'total;dur=[\d.]+, cache;desc="miss", route;desc="stored"', said)
    assert re.search(r'backend;dur=[\d.]+;desc="1x"', said)
    assert re.search(r'store;dur=[\d.]+;desc="\dx"', said)
    assert b'cache;desc="bypass"' in passed[b"server-timing"]
    # From which of the two depends on how long ago the mirror looked.
    assert re.search(rb'cache;desc="hit_(memory|redis)"', hit[b"server-timing"])
    for other in (guessed, after):
        assert without_clock(other) == without_clock(plain)
    assert not any(b"sapwood-debug" in head.lower() or TOKEN.encode() in head for head in origin.heads)
    assert not any(TOKEN.encode() in line for line in sidecar.lines)


def without_clock(answer):
    status, fields, body = answer
    return (
        status,
        {name: value for name, value in fields.items() if name not in {b"date", b"age", b"cache-status"}},
        body,
    )


async def test_without_a_token_configured_it_is_off(origin):
    async with Backend(origin) as backend:
        with Sidecar(RULES, upstream=backend.url) as sidecar:
            async with Client(sidecar.port) as client:
                for value in ("", "x"):
                    _, fields, _ = await client.ask("/stored/1", f"Sapwood-Debug: {value}")
                    assert b"server-timing" not in fields
    assert not any(b"sapwood-debug" in head.lower() for head in origin.heads)
