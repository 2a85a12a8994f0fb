"""What is kept per credential is refreshed with its own user's credential, which is found nowhere after that."""

from __future__ import annotations

import asyncio
from contextlib import closing

import redis
from backends import Backend, Client
from servers import Valkey
from sidecar import Sidecar

RULES = """
version: 1
service: own
upstream: {url: http://127.0.0.1:1}
log: {hits: 100%, level: debug}
routes:
  - {name: own, match: "GET /own/{what}", scope: credential, private: store, cookies: ignore, ttl: 1s, stale_while_revalidate: 1h}
"""
SECRETS = [b"s3cret-of-one", b"s3cret-of-two"]


async def ask(sidecar, secret):
    async with Client(sidecar.port) as client:
        status, lines, body = await client.ask("/own/data", f"Authorization: Bearer {secret.decode()}")
    assert status == 200
    return lines[b"x-cache-status"].decode(), body


def everything_in(valkey):
    """Return every key and value of a server as text; not by DUMP, which compresses."""
    found = []
    with closing(redis.Redis.from_url(valkey.url)) as client:
        read = {
            b"string": client.get,
            b"hash": client.hgetall,
            b"zset": lambda key: client.zrange(key, 0, -1),
            b"stream": client.xrange,
        }
        for key in client.scan_iter():
            found += [key, read[client.type(key)](key)]
    return repr(found).encode()


async def test_each_is_refreshed_for_itself_and_no_credential_is_left():
    asked = []

    async def answer(head):
        (line,) = [line for line in head.split(b"\r\n") if line.lower().startswith(b"authorization:")]
        secret = line.partition(b"Bearer ")[2]
        asked.append(secret)
        whose = b"%d-%d" % (SECRETS.index(secret), asked.count(secret))
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nCache-Control: private\r\n\r\n%s" % (len(whose), whose)

    async with Backend(answer) as backend:
        with closing(Valkey()) as valkey:
            store = valkey.start().url
            with Sidecar(RULES, upstream=backend.url, store=store) as sidecar:
                for number, secret in enumerate(SECRETS):
                    assert (await ask(sidecar, secret))[1] == b"%d-1" % number
                async with asyncio.timeout(30):
                    for number, secret in enumerate(SECRETS):
                        while (await ask(sidecar, secret))[1] == b"%d-1" % number:
                            pass
                        assert (await ask(sidecar, secret))[1].startswith(b"%d-" % number)
                kept = await asyncio.to_thread(everything_in, valkey)
                assert b"cache:response:" in kept
                _, popular = await asyncio.to_thread(sidecar.admin, "POST", "/purge", {"all": True, "dry_run": True})
            said = b"".join(sidecar.lines)
    assert set(asked) == set(SECRETS)
    assert b'"route":"own"' in said
    assert popular["entries"] == 0
    for secret in SECRETS:
        assert secret not in kept
        assert secret not in said
