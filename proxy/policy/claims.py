"""The claims of a bearer token (RFC 7519), read and not verified: they may purge and shorten, they never key."""

from __future__ import annotations

import binascii
from base64 import b64decode
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_BYTES: Final = 8192
"""Longer tokens are not looked into: request heads are bounded at 32 KiB, and real tokens are below 4 KiB."""

MOST_REMEMBERED: Final = 512
"""Tokens in use at one time by the users of one sidecar; with the bound above at most 4 MiB of them."""

_NO_CLAIMS: Final[Mapping[str, object]] = {}
_PARTS: Final = 3  # of a signed token: header, claims, signature


def claims_of(authorization: bytes | None) -> Mapping[str, object]:
    """Return the claims in an ``Authorization: Bearer`` value; none where it is something else."""
    return _NO_CLAIMS if authorization is None or len(authorization) > MOST_BYTES else _read(authorization)


@lru_cache(maxsize=MOST_REMEMBERED)
def _read(authorization: bytes) -> Mapping[str, object]:
    scheme, _, token = authorization.partition(b" ")
    parts = token.strip().split(b".")
    if scheme.lower() != b"bearer" or len(parts) != _PARTS:
        return _NO_CLAIMS
    try:
        claims = orjson.loads(b64decode(parts[1] + b"=" * (-len(parts[1]) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, orjson.JSONDecodeError):
        return _NO_CLAIMS  # an opaque token that happens to have two dots is nobody's mistake
    return claims if isinstance(claims, dict) else _NO_CLAIMS


def claim(authorization: bytes | None, name: str) -> str | None:
    """Return a claim that is text or a whole number as text."""
    value = claims_of(authorization).get(name)
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def expiry(credentials: Iterable[bytes]) -> float | None:
    """Return the earliest ``exp`` among bearer tokens, wall-clock seconds, None where none says."""
    ends = [claims_of(value).get("exp") for value in credentials]
    return min(
        (float(end) for end in ends if isinstance(end, (int, float)) and not isinstance(end, bool) and isfinite(end)),
        default=None,
    )
