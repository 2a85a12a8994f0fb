"""A response that the backend hands over: judged as if it had been fetched, and it replaces every copy there is.

How to think about it. Older copies lie in the hot tiers of all replicas, and no purge has hit them: the ledger calls
them valid. So handing over *is* a purge, of the URL, and the new entry carries that purge's own position as its S0.

1. The backend reads the position S, then its data.
2. One step in the ledger purges the URL, at R, and tells when it was purged last before that.
3. This process knows the ledger up to R. Whatever purged the URL or another selector of the response after S may speak
   of a change that the data do not have: then nothing is stored. Else the data are as new as if they were read at R.
4. The response is saved with R as its S0.

What may come in between:

- A purge between 1 and 2 is found at 3, whichever selector it had: the URL's own by what 2 told, which the purge at R
  would hide; any other by the judge. A purge after 2 is later than R, and takes the entry like any other.
- Two backends hand over the same URL, having read the same S. The second finds the purge of the first, and its data
  may be the newer: neither is served, for the second purge took the entry of the first. So whatever the outcome, what
  was stored before is not served any more, and one who is refused need only read and try again.
- A fetch that began before 2 lands after 4, over the new entry: its S0 is before R, so it counts as purged. That costs
  one more fetch. One that began after 2 read data at least as new as what its S0 says, and may stay.
- A hot tier that has not heard of R yet serves its copy for ``memory.max_lag``, as after every purge.
- Nothing comes after 2, as the call or the process ends: the URL is purged, and the next who asks fetches.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from proxy.message.errors import StoreError
from proxy.message.selectors import IN_FORCE
from proxy.message.stored import StoredResponse
from proxy.observe.events import Purged
from proxy.pipeline.fill import Crew
from proxy.pipeline.judging import Draft, Heard
from proxy.pipeline.lookup import look, stand
from proxy.pipeline.saving import put
from proxy.policy.verdicts import Discard, DiscardReason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.message.response import Response
    from proxy.message.selectors import Seq
    from proxy.message.stored import Freshness
    from proxy.pipeline.lookup import Looked
    from proxy.pipeline.parts import Parts
    from proxy.pipeline.visit import Visit
    from proxy.purge.marks import Superseded


@dataclass(frozen=True, slots=True)
class Offer:
    """What is handed over. ``since`` is S, the position that the backend had read before its data."""

    response: Response
    body: bytes
    since: Seq
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """It is stored under each visit's key, and nothing older is served; ``replaced``: something was there before."""

    seq: Seq
    route: str
    logical: str | None
    digests: tuple[str, ...]
    freshness: Freshness
    selectors: tuple[str, ...]
    replaced: bool


@dataclass(frozen=True, slots=True)
class Outrun:
    """Something of it was purged after S. Nothing is stored, and what was stored before is purged, at ``seq``."""

    seq: Seq


@dataclass(frozen=True, slots=True)
class Unheard:
    """S is a position to which the ledger has not come. Nothing is stored; what was stored is purged, at ``seq``."""

    seq: Seq


@dataclass(frozen=True, slots=True)
class Unfit:
    """The route's rules would not store it; nothing is stored."""

    reason: DiscardReason


@dataclass(frozen=True, slots=True)
class NoPlace:
    """No route stores one copy for that URL, and why; nothing was changed."""

    why: str


Verdict = Taken | Outrun | Unheard | Unfit | NoPlace


async def take_over(parts: Parts, visits: Sequence[Visit], offer: Offer) -> Verdict:
    """Take over a response for a URL: ``visits`` are the bare requests for it, one for each authority. Raises StoreError."""
    looks = [await look(parts, visit, shared=True) for visit in visits]
    if any(looked.failed or looked.last_known is not None for looked in looks):
        raise StoreError("what is stored could not be read")
    now = parts.wall()
    heard = Heard(offer.response, now, now, 0.0)
    drafts: list[Draft] = []
    for visit, looked in zip(visits, looks, strict=True):
        crew = await Crew(parts, visit).adapted(looked)
        kept = crew.judge(looked, heard)
        if isinstance(kept, Discard):
            return Unfit(kept.reason)
        drafts.append(kept)
    url = visits[0].key.url
    superseded = await parts.ledger.supersede(url)
    seq = superseded.seq
    parts.observer.tell(Purged("put", "hard", (url,), str(seq), offer.request_id))
    if offer.since.epoch == seq.epoch and offer.since.n >= seq.n:
        return Unheard(seq)
    if not all([await _is_newest(parts, superseded, url, draft.entry, offer.since) for draft in drafts]):
        return Outrun(seq)
    digests: list[str] = []
    for visit, looked, draft in zip(visits, looks, drafts, strict=True):
        entry = replace(draft.entry, body=offer.body, seq=seq, fetch_seconds=_seconds_saved(looked))
        digest = await put(parts, visit, replace(looked, seq=seq), entry, draft.seconds)
        if digest is None:
            return Unfit(DiscardReason.VARY)
        digests.append(digest)
    return Taken(
        seq=seq,
        route=visits[0].route.name,
        logical=visits[0].key.logical,
        digests=tuple(digests),
        freshness=drafts[0].entry.freshness,
        selectors=drafts[0].entry.selectors,
        replaced=any(isinstance(looked.entry, StoredResponse) for looked in looks),
    )


async def _is_newest(parts: Parts, superseded: Superseded, url: str, entry: StoredResponse, since: Seq) -> bool:
    """Say whether nothing of an entry was purged, in either way, between ``since`` and the purge of its URL."""
    if not superseded.is_first_since(since):
        return False
    others = tuple(name for name in entry.selectors if name != url)
    standing = await stand(parts, replace(entry, selectors=others, seq=since), superseded.seq)
    return standing == IN_FORCE


def _seconds_saved(looked: Looked) -> float:
    """Return what a fetch took when there last was one: what a hit saves."""
    return looked.entry.fetch_seconds if isinstance(looked.entry, StoredResponse) else 0.0
