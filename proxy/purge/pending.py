"""Purges that no ledger has acknowledged yet, and that hold here all the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from proxy.message.selectors import EVERYTHING, PURGED, Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# An hour's outage with three different selectors a second. Beyond that, one purge of everything stands for them all.
MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Parcel:
    """All that waits to be sent, up to the ticket ``last``."""

    hard: tuple[str, ...]
    soft: tuple[str, ...]
    last: int


class Pending:
    """Selectors whose purge was asked for and not acknowledged, each with the ticket of its latest asking."""

    def __init__(self) -> None:
        self._hard: dict[str, int] = {}
        self._soft: dict[str, tuple[int, float]] = {}
        self._tickets = 0

    def __len__(self) -> int:
        return len(self._hard) + len(self._soft)

    def add(self, selectors: Sequence[str], *, soft: bool, now: float) -> Parcel:
        """Keep a purge asked for at wall-clock time ``now``; return it alone, as it is to be sent."""
        self._tickets += 1
        if soft:
            for selector in selectors:
                since = min(now, self._soft[selector][1]) if selector in self._soft else now
                self._soft[selector] = (self._tickets, since)
            parcel = Parcel((), tuple(selectors), self._tickets)
        else:
            self._hard.update(dict.fromkeys(selectors, self._tickets))
            parcel = Parcel(tuple(selectors), (), self._tickets)
        if len(self) > MOST:
            self._hard = {EVERYTHING: self._tickets}
            self._soft = {}
            return Parcel((EVERYTHING,), (), self._tickets)
        return parcel

    def all(self) -> Parcel:
        """Return everything that waits."""
        return Parcel(tuple(self._hard), tuple(self._soft), self._tickets)

    def acknowledge(self, parcel: Parcel) -> None:
        """Drop what was sent, but for what was asked for again since."""
        for selector in parcel.hard:
            if self._hard.get(selector, parcel.last + 1) <= parcel.last:
                del self._hard[selector]
        for selector in parcel.soft:
            if self._soft.get(selector, (parcel.last + 1, 0.0))[0] <= parcel.last:
                del self._soft[selector]

    def worsen(self, standing: Standing, selectors: Iterable[str]) -> Standing:
        """Return the standing under these purges too. They have no position yet, so they hit whatever carries them."""
        if standing.purged or not len(self):
            return standing
        since = standing.soft_since
        for selector in (EVERYTHING, *selectors):
            if selector in self._hard:
                return PURGED
            if selector in self._soft:
                softly = self._soft[selector][1]
                since = softly if since is None else min(since, softly)
        return standing if since == standing.soft_since else Standing(soft_since=since)
