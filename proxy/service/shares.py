"""What each process of a sidecar gets of what the configuration says for the whole of it.

How to think about it: the *leader* owns the admin port, the clock and the workers; it has a pipeline too, for warming
and refreshing, but no clients. So clients, tunnels and the hot tier belong to the workers alone; what goes toward the
backend and Redis is shared with the leader, which gets an eighth.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from proxy.settings import Settings

LEADERS_PART: Final = 8  # one eighth; of upstream.max_concurrent's 64 that is 8, as many as a warmer runs at once


def share_of(settings: Settings, index: int, listen: str) -> Settings:
    """Return the settings of worker ``index`` (from 0), which listens where ``listen`` says beside the others."""
    workers = settings.workers

    def of(whole: int) -> int:
        return max(1, _even(whole, index, workers))

    def of_rest(whole: int) -> int:
        return max(1, _even(whole - _leaders(whole), index, workers))

    origin, flights, backplane = settings.origin, settings.flights, settings.backplane
    assert backplane is not None, "several processes share a store"
    return replace(
        settings,
        workers=1,
        front=replace(
            settings.front,
            listen=listen,
            reuse_port=True,
            connections=of(settings.front.connections),
            # None means none: a share of nothing must not be one.
            tunnels=of(settings.front.tunnels) if settings.front.tunnels else 0,
        ),
        origin=replace(
            origin, max_concurrent=of_rest(origin.max_concurrent), max_connections=of_rest(origin.max_connections)
        ),
        flights=replace(flights, collecting=of_rest(flights.collecting)),
        backplane=replace(backplane, max_connections=of_rest(backplane.max_connections)),
        store=replace(settings.store, memory_size=_even(settings.store.memory_size, index, workers)),
    )


def leaders_share(settings: Settings) -> Settings:
    """Return the settings of the process that leads the workers."""
    origin, flights, backplane = settings.origin, settings.flights, settings.backplane
    assert backplane is not None, "several processes share a store"
    return replace(
        settings,
        origin=replace(
            origin,
            max_concurrent=_leaders(origin.max_concurrent),
            max_connections=_leaders(origin.max_connections),
        ),
        flights=replace(flights, collecting=_leaders(flights.collecting)),
        backplane=replace(backplane, max_connections=_leaders(backplane.max_connections)),
        store=replace(settings.store, memory_size=0),
    )


def _leaders(whole: int) -> int:
    return max(1, whole // LEADERS_PART)


def _even(whole: int, index: int, parts: int) -> int:
    return whole // parts + (index < whole % parts)
