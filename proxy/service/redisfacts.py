"""What Redis says of itself, for statistics, metrics and CloudWatch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.message.errors import StoreError
from proxy.observe.stats import RedisFacts

if TYPE_CHECKING:
    from proxy.backplane.client import Backplane

REDIS_FACTS: Final = {
    "keyspace_hits": "redis_keyspace_hits",
    "keyspace_misses": "redis_keyspace_misses",
    "connected_clients": "connected_clients",
    "used_memory": "used_memory",
    "maxmemory": "maxmemory",
    "evicted_keys": "evicted_keys",
}
"""The statistics' names, and the backplane's."""


async def asked(backplane: Backplane | None) -> RedisFacts | None:
    """Ask; None where there is none, or no answer, which the backplane has told."""
    if backplane is None:
        return None
    try:
        info = await backplane.info()
    except StoreError:
        return None
    return RedisFacts(**{name: int(info.get(theirs, 0)) for name, theirs in REDIS_FACTS.items()})
