"""How a route's ttl follows the traffic, for one visit: asked beside the fetch, never on a hit."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from proxy.message.errors import StoreError
from proxy.pipeline import readings
from proxy.policy.adaptive import adapted

if TYPE_CHECKING:
    from proxy.message.stored import CacheKey
    from proxy.pipeline.parts import Parts
    from proxy.pipeline.visit import Visit
    from proxy.policy.adaptive import Step


async def reads_of(parts: Parts, visit: Visit, place: CacheKey) -> int | None:
    """Return the reads of what is kept in that place in the last full window; None where they are not known.

    What is somebody's own is not counted, which is not the same as not read.
    """
    route = visit.route
    if route.adaptive is not None and readings.is_counted(visit):
        with contextlib.suppress(StoreError):  # the backplane has told
            return await parts.windows.last(route.name, route.adaptive.window, place.digest, parts.wall())
    return None


async def following(parts: Parts, visit: Visit, place: CacheKey) -> tuple[Visit, Step | None]:
    """Return a visit under the lifetime that the traffic gives its route, and the step; None: it follows nothing."""
    if visit.route.adaptive is None:
        return visit, None
    route, step = adapted(visit.route, await reads_of(parts, visit, place))
    return replace(visit, matched=replace(visit.matched, route=route)), step
