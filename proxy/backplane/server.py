"""What ``INFO`` tells, for health and statistics."""

from __future__ import annotations

from typing import Final

_NUMBERS: Final = {
    b"used_memory": "used_memory",
    b"maxmemory": "maxmemory",
    b"keyspace_hits": "redis_keyspace_hits",
    b"keyspace_misses": "redis_keyspace_misses",
    b"connected_clients": "connected_clients",
    b"evicted_keys": "evicted_keys",
}
_TEXTS: Final = {b"used_memory_human": "used_memory_human", b"redis_version": "redis_version"}


def facts_of(info: bytes) -> dict[str, str | int | float]:
    """Return the lines of ``INFO`` that are shown, and ``memory_ratio``: used of the limit, 0 where there is none."""
    facts: dict[str, str | int | float] = {}
    used = limit = 0
    for line in info.splitlines():
        name, _, value = line.partition(b":")
        if name in _NUMBERS and value.isdigit():
            facts[_NUMBERS[name]] = int(value)
            used = int(value) if name == b"used_memory" else used
            limit = int(value) if name == b"maxmemory" else limit
        elif name in _TEXTS:
            facts[_TEXTS[name]] = value.decode("ascii", "replace")
    facts["memory_ratio"] = round(used / limit, 4) if limit else 0.0
    return facts
