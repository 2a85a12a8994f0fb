"""The host and port of a request (RFC 3986 section 3.2, without user information: RFC 9110 section 4.2.4)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

AUTHORITY: Final = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(?::([0-9]{0,5}))?")
_DEFAULT_PORTS: Final = {b"http": b"80", b"https": b"443"}
_HIGHEST_PORT: Final = 65535
_LONGEST: Final = 261  # 255 of a domain name (RFC 1035 section 2.3.4), colon, port


@lru_cache(maxsize=256)  # the same few for ever; what clients invent pushes out what clients invented
def is_authority(value: bytes) -> bool:
    """Say whether ``value`` is a host with an optional port (RFC 9110 section 7.2)."""
    found = AUTHORITY.fullmatch(value) if len(value) <= _LONGEST else None
    return found is not None and int(found[2] or 0) <= _HIGHEST_PORT


@lru_cache(maxsize=256)
def normalised(authority: bytes, scheme: bytes) -> bytes:
    """Return it in lower case, without an empty or the scheme's default port (RFC 9110 section 4.2.3)."""
    found = AUTHORITY.fullmatch(authority)
    if found is None:
        return authority.lower()
    host, port = found[1].lower(), found[2]
    if not port or port == _DEFAULT_PORTS.get(scheme):
        return host
    return host + b":" + port
