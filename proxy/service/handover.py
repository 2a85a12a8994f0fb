"""Where a response belongs that the backend hands over, for the admin listener."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.pipeline.handover import NoPlace, Verdict, take_over
from proxy.pipeline.visit import Visit
from proxy.policy.handover import one_copy_missing
from proxy.service.entries import visits_of

if TYPE_CHECKING:
    from proxy.pipeline.handover import Offer
    from proxy.pipeline.parts import Parts
    from proxy.settings import Settings


async def hand_over(parts: Parts, settings: Settings, url: str, offer: Offer) -> Verdict:
    """Store a response under a URL, where its route keeps one copy for that. Raises ValueError, StoreError.

    A bare path stands for each of ``hosts``. Raises ValueError for what is no URL, or not the whole of one where the
    authority is keyed and could be any.
    """
    visits: list[Visit] = []
    for visit in visits_of(parts, settings, url):
        if not isinstance(visit, Visit):
            return NoPlace(f"a request for that URL alone has no key: {visit.reason}")
        if why := one_copy_missing(visit.route):
            return NoPlace(why)
        visits.append(visit)
    return await take_over(parts, visits, offer) if visits else NoPlace("no route takes it")
