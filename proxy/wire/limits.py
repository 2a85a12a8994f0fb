"""How much of a head is read before its sender is refused."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WireLimits:
    """Bytes of a whole head, its field lines, bytes of a request target. A trailer section has the first two."""

    head: int = 32 * 1024  # four of nginx's 8 KiB lines: room for large tokens and cookies, not for a flood
    fields: int = 100  # as Apache's LimitRequestFields
    target: int = 8 * 1024  # RFC 9112 section 3 asks for at least 8000
