"""The ranking of one process (``memory://``): gone when it ends."""

from __future__ import annotations

from heapq import nlargest
from typing import TYPE_CHECKING

from proxy.popularity.hours import a_day_before, hour_of
from proxy.popularity.ranking import (
    FADES_BY,
    FADES_EVERY,
    FORGOTTEN_BELOW,
    MOST_AN_HOUR,
    MOST_NOW,
    WEEK_FADES_AFTER,
    WEEK_FADES_BY,
    Ranked,
)
from proxy.popularity.records import Record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from proxy.popularity.counts import Gain


class _Scores:
    """Reads by entry, at most so many, which fade by a share each time that they have lasted so long."""

    def __init__(self, most: int, after: float, by: float) -> None:
        self._most, self._after, self._by = most, after, by
        self._faded_at: float | None = None
        self.reads: dict[str, float] = {}

    def add(self, gains: Sequence[Gain], now: float) -> None:
        if self._faded_at is None:
            self._faded_at = now
        while now - self._faded_at >= self._after:
            self._faded_at = now if self._after == WEEK_FADES_AFTER else self._faded_at + self._after
            faded = ((digest, reads * self._by) for digest, reads in self.reads.items())
            self.reads = {digest: reads for digest, reads in faded if reads >= FORGOTTEN_BELOW}
        for gain in gains:
            self.reads[gain.digest] = self.reads.get(gain.digest, 0.0) + gain.reads
        if len(self.reads) > self._most:
            self.reads = dict(self.top(self._most))

    def top(self, most: int) -> list[tuple[str, float]]:
        return nlargest(most, self.reads.items(), key=lambda item: item[1])


class OwnRanking:
    """As ``SharedRanking``, in dictionaries."""

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self._now = _Scores(MOST_NOW, FADES_EVERY, FADES_BY)
        self._hours: dict[int, _Scores] = {}
        self._records: dict[str, Record] = {}

    async def add(self, gains: Sequence[Gain], now: float) -> None:
        """Add reads."""
        hour = self._hours.setdefault(hour_of(now, self.zone), _Scores(MOST_AN_HOUR, WEEK_FADES_AFTER, WEEK_FADES_BY))
        self._now.add(gains, now)
        hour.add(gains, now)
        self._records.update((gain.digest, Record(gain.recipe, gain.selectors)) for gain in gains)
        if len(self._records) > 2 * MOST_NOW:
            ranked = self._now.reads.keys() | {digest for scores in self._hours.values() for digest in scores.reads}
            self._records = {digest: record for digest, record in self._records.items() if digest in ranked}

    async def most_read(self, most: int) -> list[Ranked]:
        """Return what is read most these days."""
        return self._ranked(self._now, most)

    async def read_at(self, moment: float, most: int) -> list[Ranked]:
        """Return what was read at that hour of the week."""
        hour = hour_of(moment, self.zone)
        scores = self._hours.get(hour) or self._hours.get(a_day_before(hour))
        return self._ranked(scores, most) if scores is not None else []

    async def reads_of(self, digests: Sequence[str]) -> list[float]:
        """Return the faded reads of each."""
        return [self._now.reads.get(digest, 0.0) for digest in digests]

    def _ranked(self, scores: _Scores, most: int) -> list[Ranked]:
        return [Ranked(digest, reads, self._records[digest]) for digest, reads in scores.top(most)]
