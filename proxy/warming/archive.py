"""What the last runs came to, for all replicas: ``cache:stats:<service>:warm:<name>``, a small hash with a time of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import orjson

from proxy.warming.asking import Result

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.backplane.client import Backplane
    from proxy.warming.runs import Run

KEPT: Final = 35 * 86400
"""Seconds after a warmer's last run for which it is remembered."""

MOST_BYTES: Final = 8192
_LONGEST: Final = 500


class Archive(Protocol):
    """Remembers runs. Raises StoreError."""

    async def note(self, run: Run, *, ended: bool) -> None:
        """Take down how a run stands; once it has ended, add it to the totals."""
        ...

    async def of(self, names: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return ``last_run``, ``total_items_warmed`` and ``errors`` of each warmer."""
        ...


class OwnArchive:
    """For one process that shares nothing."""

    def __init__(self) -> None:
        self._last: dict[str, dict[str, Any]] = {}
        self._totals: dict[str, list[int]] = {}

    async def note(self, run: Run, *, ended: bool) -> None:
        """Take down how a run stands."""
        self._last[run.warmer] = run.as_dict()
        totals = self._totals.setdefault(run.warmer, [0, 0])
        if ended:
            totals[0] += run.counts[Result.WARMED]
            totals[1] += errors_of(run)

    async def of(self, names: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return what is known of each."""
        return {name: _shown(self._last.get(name), *self._totals.get(name, (0, 0))) for name in names}


class SharedArchive:
    """In Redis."""

    def __init__(self, backplane: Backplane, service: str) -> None:
        self._backplane = backplane
        self._prefix = b"cache:stats:%s:warm:" % service.encode()

    async def note(self, run: Run, *, ended: bool) -> None:
        """Take down how a run stands."""
        key = self._key(run.warmer)
        commands: list[tuple[bytes | int, ...]] = [(b"HSET", key, b"last_run", orjson.dumps(run.as_dict()))]
        if ended:
            commands += [
                (b"HINCRBY", key, b"total_items_warmed", run.counts[Result.WARMED]),
                (b"HINCRBY", key, b"errors", errors_of(run)),
            ]
        await self._backplane.pipeline("warm", [*commands, (b"EXPIRE", key, KEPT)])

    async def of(self, names: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return what is known of each; what is not readable there is as if it were not there."""
        known = list(names)
        if not known:
            return {}
        fields = (b"last_run", b"total_items_warmed", b"errors")
        replies = await self._backplane.pipeline("warm", [(b"HMGET", self._key(name), *fields) for name in known])
        return {
            name: _shown(_read(reply[0]), _number(reply[1]), _number(reply[2]))
            for name, reply in zip(known, replies, strict=True)
        }

    def _key(self, name: str) -> bytes:
        return self._prefix + name.encode()


def errors_of(run: Run) -> int:
    """Return how many items failed, and one for a run that could not be made."""
    return run.counts[Result.FAILED] + bool(run.error)


def _shown(last: dict[str, Any] | None, warmed: int, errors: int) -> dict[str, Any]:
    return {"last_run": last, "total_items_warmed": warmed, "errors": errors}


def _number(octets: bytes | None) -> int:
    return int(octets) if octets is not None and octets.isdigit() else 0


def _read(octets: bytes | None) -> dict[str, Any] | None:
    """Return a run that lies in Redis, where anybody may have put it: plain values, none of them long."""
    if octets is None or len(octets) > MOST_BYTES:
        return None
    try:
        value = orjson.loads(octets)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, dict):
        return None
    reasons = value.get("reasons")
    plain = {name: item for name, item in value.items() if _is_plain(item)}
    if isinstance(reasons, dict):
        plain["reasons"] = {name: item for name, item in reasons.items() if _is_plain(item)}
    return plain


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, int | float) or (isinstance(value, str) and len(value) <= _LONGEST)
