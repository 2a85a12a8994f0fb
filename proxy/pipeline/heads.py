"""HEAD for something stored that is no longer fresh: the backend is asked, and what is stored learns from its answer.

RFC 9111 section 4.3.5: a head that agrees updates the stored response, one that does not makes it useless.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from proxy.fetch.origin import Outgoing
from proxy.message.cachestatus import CacheStatus
from proxy.message.response import Response
from proxy.observe.events import OriginAnswered, Outcome
from proxy.pipeline import render
from proxy.pipeline.fill import Crew
from proxy.pipeline.judging import Heard
from proxy.pipeline.reply import Answer, Facts
from proxy.pipeline.saving import drop, save
from proxy.policy import forwarding, validation
from proxy.policy.verdicts import Discard

if TYPE_CHECKING:
    from proxy.message.stored import StoredResponse
    from proxy.pipeline.parts import Parts
    from proxy.pipeline.visit import Quest


async def ask(parts: Parts, quest: Quest) -> Answer:
    """Forward a HEAD and answer with the backend's head. Raises OriginError."""
    visit = quest.visit
    target, headers = forwarding.fetch_for(visit.request, visit.asked, visit.key, visit.forwarding)
    request_time, began = parts.wall(), asyncio.get_running_loop().time()
    reply = await parts.origin.send(Outgoing(method=b"HEAD", target=target, headers=headers), visit.interim)
    seconds = asyncio.get_running_loop().time() - began
    response = reply.response
    parts.observer.tell(OriginAnswered(visit.route.name, response.status, seconds))
    await learn(parts, quest, Heard(response, request_time, parts.wall(), seconds))
    status = CacheStatus(fwd=quest.reason.value, fwd_status=response.status, detail="head")
    head = render.dressed(visit, response, status, Outcome.MISS)
    facts = Facts(visit.route.name, visit.namespace, Outcome.MISS, "head")
    return Answer(replace(response, headers=head), reply.body, facts)


async def learn(parts: Parts, quest: Quest, heard: Heard) -> None:
    """Update what is stored by a head, or drop it (RFC 9111 section 4.3.5)."""
    stored = quest.stored
    if stored is None or heard.response.status != stored.status:
        return
    if quest.looked.standing.soft_since is not None and b"etag" not in heard.response.headers:
        return  # somebody says that it changed, and a head without a tag does not say that it did not
    updated = validation.updated_by_head(stored, heard.response, response_time=heard.response_time)
    if updated is None:
        await drop(parts, quest.looked.place)
        return
    if not _may_freshen(quest, stored, heard.response):
        return
    visit = replace(quest.visit, _asked=[replace(quest.visit.asked, method=b"GET")])  # whose response this is
    crew = await Crew(parts, visit).adapted(quest.looked)
    merged = replace(heard, response=Response(stored.status, updated, stored.reason))
    kept = crew.judge(quest.looked, merged)
    if isinstance(kept, Discard):
        await drop(parts, quest.looked.place)
        return
    entry = replace(kept.entry, body=stored.body, fetch_seconds=stored.fetch_seconds)
    await save(parts, visit, quest.looked, entry, kept.seconds)


def _may_freshen(quest: Quest, stored: StoredResponse, response: Response) -> bool:
    """Say whether a head that agrees is word enough that the body is still the right one.

    By the letter it is even where nothing was compared. But a backend without validators agrees with every head, so
    whoever sends one at each expiry, or after a soft purge, would keep an old body for ever: it stays stale instead.
    """
    by_the_letter = quest.visit.route.implicit and quest.looked.standing.soft_since is None
    return by_the_letter or validation.is_vouched_for(stored, response)
