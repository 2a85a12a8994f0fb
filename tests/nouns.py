"""Values that tests of several rooms are about."""

from __future__ import annotations

import hashlib

from proxy.message.headers import Headers
from proxy.message.selectors import Seq
from proxy.message.stored import CacheKey, Freshness, LifetimeSource, StoredResponse

SEQ = Seq("k3f9", 1_790_000_000_000_000)


def a_key(name: str = "GET /plans") -> CacheKey:
    material = name.encode()
    return CacheKey(hashlib.md5(material, usedforsecurity=False).hexdigest(), material)


def a_response(body: bytes = b'{"plans": []}', **changes) -> StoredResponse:
    values = {
        "status": 200,
        "reason": b"OK",
        "headers": Headers(
            [(b"Content-Type", b"application/json"), (b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=\xff")]
        ),
        "body": body,
        "request_time": 1000.25,
        "response_time": 1000.5,
        "initial_age": 2.0,
        "freshness": Freshness(300.0, LifetimeSource.ROUTE, 30.0, 3600.0),
        "selectors": ("route:plans", "tag:plans"),
        "seq": SEQ,
    }
    return StoredResponse(**{**values, **changes})
