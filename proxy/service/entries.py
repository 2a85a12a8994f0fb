"""What is stored for a URL, for the admin listener: what a request with that URL and nothing else would find."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from proxy.message.stored import StoredResponse, Uncacheable
from proxy.pipeline.adapting import reads_of
from proxy.pipeline.lookup import look
from proxy.pipeline.visit import Visit
from proxy.policy import freshness, keys
from proxy.policy.adaptive import step_for
from proxy.settings.trial import request_of

if TYPE_CHECKING:
    from proxy.message.request import Request
    from proxy.pipeline.lookup import Looked
    from proxy.pipeline.parts import Parts
    from proxy.policy.rules import Matched
    from proxy.settings import Settings


async def entries_of(parts: Parts, settings: Settings, url: str) -> list[dict[str, Any]]:
    """Return one document per entry found, without bodies.

    A bare path is looked up under each of ``hosts``. Copies under a credential cannot be found without it; of a
    resource that varies, the variant of a bare request is shown, and how many others are known. Raises ValueError for
    what is no URL, or not the whole of one where the authority is keyed and could be any.
    """
    found = [await _entry_of(parts, visit) for visit in visits_of(parts, settings, url) if isinstance(visit, Visit)]
    return [shown for shown in found if shown is not None]


def visits_of(parts: Parts, settings: Settings, url: str) -> list[Visit | keys.Unkeyed]:
    """Return the bare requests for a URL, one for each authority, or why they have no key; empty without a route.

    Raises ValueError as ``entries_of``.
    """
    request = replace(request_of(settings, "GET", url, []), unasked=True)
    matched = parts.book.route_for(b"GET", request.path)
    if matched is None:
        return []
    return [
        _visit(parts, matched, replace(request, authority=authority))
        for authority in _authorities(parts, settings, url, request)
    ]


def _authorities(parts: Parts, settings: Settings, url: str, request: Request) -> list[bytes]:
    """Return the authorities that a URL may mean."""
    if not url.startswith("/") or url.startswith("//") or not parts.book.keyed_authority:
        return [request.authority]
    if not settings.front.hosts:
        raise ValueError(f'the host is part of the key: expected a whole URL like "http://api.example{url}"')
    return sorted(settings.front.hosts)


def _visit(parts: Parts, matched: Matched, request: Request) -> Visit | keys.Unkeyed:
    key = keys.key_for(request, matched, parts.book)
    if isinstance(key, keys.Unkeyed):
        return key
    return Visit(request, matched, key, parts.book, parts.forwarding)


async def _entry_of(parts: Parts, visit: Visit) -> dict[str, Any] | None:
    looked = await look(parts, visit, shared=True)
    shown = _shown(visit, looked, parts.wall())
    if shown is not None and visit.route.adaptive is not None:
        reads = await reads_of(parts, visit, looked.place)
        shown |= {"reads_last_window": reads, "next_step": step_for(visit.route.adaptive, reads).value}
    return shown


def _shown(visit: Visit, looked: Looked, now: float) -> dict[str, Any] | None:
    entry = looked.entry
    about: dict[str, Any] = {
        "route": visit.route.name,
        "key": f"cache:response:{looked.place.digest}",
        "logical_key": visit.key.logical,
        "vary": [name.decode("latin-1") for name in looked.vary.fields] if looked.vary else [],
        "variants": len(looked.vary.variants) if looked.vary else 0,
    }
    if isinstance(entry, Uncacheable):
        return {**about, "uncacheable": entry.reason, "until": entry.until}
    if not isinstance(entry, StoredResponse):
        return about if looked.vary else None
    return {
        **about,
        "status": entry.status,
        "bytes": len(entry.body),
        "age": round(freshness.current_age(entry, now), 3),
        "lifetime": entry.freshness.lifetime,
        "lifetime_from": entry.freshness.source.value,
        "fresh": freshness.is_fresh(entry, looked.standing, now),
        "stale_while_revalidate": entry.freshness.stale_while_revalidate,
        "stale_if_error": entry.freshness.stale_if_error,
        "purged": looked.standing.purged,
        "soft_purged_at": looked.standing.soft_since,
        "selectors": list(entry.selectors),
        "seq": str(entry.seq),
    }
