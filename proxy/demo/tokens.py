"""Bearer tokens as the backend hands them out: HS256 JSON Web Tokens (RFC 7519) with ``sub`` and ``exp``."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from typing import Final

LIFETIME: Final = 24 * 3600
"""Seconds a token is good for, as the application's are."""

_HEADER: Final = {"alg": "HS256", "typ": "JWT"}


def sign(subject: str, now: float, secret: bytes) -> str:
    """Return a token for that subject, good until ``now`` plus a day; a new one each time, as at each login."""
    claims = {"sub": subject, "exp": int(now) + LIFETIME, "jti": secrets.token_hex(8)}
    signed = f"{_text(json.dumps(_HEADER).encode())}.{_text(json.dumps(claims).encode())}"
    return f"{signed}.{_text(_signature(signed, secret))}"


def subject_of(token: str, now: float, secret: bytes) -> str | None:
    """Return whom the token speaks for; None for a wrong signature, a wrong shape, or one that has ended."""
    signed, _, signature = token.rpartition(".")
    _, _, payload = signed.partition(".")
    try:
        if not hmac.compare_digest(_bytes(signature), _signature(signed, secret)):
            return None
        claims = json.loads(_bytes(payload))
    except ValueError:  # no base64, no JSON, no ASCII
        return None
    return str(claims["sub"]) if claims["exp"] > now else None


def _signature(signed: str, secret: bytes) -> bytes:
    return hmac.digest(secret, signed.encode(), hashlib.sha256)


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
