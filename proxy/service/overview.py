"""What the dashboard shows beside statistics and health: sums, purges with their receipts, replicas and their lag."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from proxy.admin.receipts import replicas_shown
from proxy.message.selectors import Seq, octets_of
from proxy.observe import pulse
from proxy.observe.recent import MOST_SELECTORS
from proxy.purge.marks import MICROSECONDS
from proxy.purge.shared import SharedLedger
from proxy.store.memory import MemoryStore
from proxy.store.tiered import TieredStore

if TYPE_CHECKING:
    from proxy.observe.recent import PurgeSeen
    from proxy.service.house import House

MOST_PURGES: Final = 20
"""Purges that are shown: each is asked about once a second while somebody looks, all of them in one call."""


def pulse_of(house: House) -> pulse.Pulse:
    """Return the counters' sums and what is held right now."""
    tier = house.store.memory if isinstance(house.store, TieredStore) else house.store
    held = (tier.size, len(tier)) if isinstance(tier, MemoryStore) else (0, 0)
    return pulse.pulse_of(
        house.counters, in_flight=house.origin.in_flight, memory_bytes=held[0], memory_entries=held[1]
    )


async def recent_purges(house: House) -> list[dict[str, Any]]:
    """Return the last purges of all replicas, newest first; what only the replica that made one knows is null.

    ``seq`` is empty for a purge that was not acknowledged. Raises StoreError.
    """
    seen = {one.told.seq or f"?{number}": _seen_here(one) for number, one in enumerate(house.purges_seen.list())}
    ledger = house.ledger
    if isinstance(ledger, SharedLedger) and (known := ledger.known()) is not None:
        for logged in await ledger.recent(MOST_PURGES):
            seq = str(Seq(known.epoch, logged.n))
            selectors = list(logged.selectors[:MOST_SELECTORS])
            elsewhere = _line(
                logged.n / MICROSECONDS, seq, "soft" if logged.soft else "hard", selectors, len(logged.selectors)
            )
            seen.setdefault(seq, elsewhere)
    newest = sorted(seen.values(), key=lambda line: (float(line["at"]), line["seq"]), reverse=True)[:MOST_PURGES]
    return list(await asyncio.gather(*(_with_receipt(house, line) for line in newest)))


def _seen_here(one: PurgeSeen) -> dict[str, Any]:
    told = one.told
    # By the ledger's clock where it has a position: purges of all replicas stand in one order.
    at = Seq.parse(told.seq).n / MICROSECONDS if told.seq else one.at
    line = _line(at, told.seq, told.mode, list(told.selectors), one.count)
    return {**line, "kind": told.kind, "request_id": told.request_id or None, "failure": told.failure or None}


def _line(at: float, seq: str, mode: str, selectors: list[str], count: int) -> dict[str, Any]:
    # Octets that are no UTF-8 travel in selectors as lone surrogates, which JSON cannot have.
    shown = [octets_of(name).decode("utf-8", "replace") for name in selectors]
    about = {"at": round(at, 3), "seq": seq, "mode": mode, "selectors": shown, "count": count}
    return {**about, "kind": None, "request_id": None, "failure": None}


async def _with_receipt(house: House, line: dict[str, Any]) -> dict[str, Any]:
    if not line["seq"]:
        return {**line, "replicas": replicas_shown(None), "effective": False}
    seen = await house.ledger.replicas(Seq.parse(line["seq"]))
    return {**line, "replicas": replicas_shown(seen), "effective": seen.hold_after(seen.age)}


async def followers(house: House) -> list[dict[str, Any]]:
    """Return who follows the ledger, this process first; in memory it is alone and never behind. Raises StoreError."""
    if not isinstance(house.ledger, SharedLedger):
        alone = {"name": "this process", "is_this": True, "looked": 0.0, "seen": str(house.ledger.known())}
        return [{**alone, "current": True, "max_lag": 0.0}]
    return [
        {
            "name": one.name,
            "is_this": one.is_this,
            "looked": round(one.looked, 3),
            "seen": None if one.seen is None else str(one.seen),
            "current": one.current,
            "max_lag": one.max_lag,
        }
        for one in await house.ledger.followers()
    ]
