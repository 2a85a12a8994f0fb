"""Whether what was warmed is read at all: a warmer whose keys no client ever asks for says so by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.popularity.ranking import FADES_BY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.popularity.ranking import Ranking

_ROUNDING: Final = 1e-6


class ReadSince:
    """Remembers for each warmer what its last run here had warmed or found, and how much that was read then."""

    def __init__(self, ranking: Ranking) -> None:
        self._ranking = ranking
        self._last: dict[str, tuple[list[str], list[float]]] = {}

    async def share(self, warmer: str) -> float | None:
        """Return the share of it that was read since, None without a run before. Raises StoreError."""
        digests, before = self._last.get(warmer, ([], []))
        if not digests:
            return None
        now = await self._ranking.reads_of(digests)
        read = sum(_was_read(one, other) for one, other in zip(before, now, strict=True))
        return round(read / len(digests), 3)

    async def remember(self, warmer: str, digests: Sequence[str]) -> None:
        """Take down how much these were read so far. Raises StoreError."""
        if digests:
            self._last[warmer] = list(digests), await self._ranking.reads_of(digests)


def _was_read(before: float, now: float) -> bool:
    """Say whether reads were added. They fade by the clock, by less than what one reading adds where few are left."""
    return now != before and now > before * FADES_BY + _ROUNDING
