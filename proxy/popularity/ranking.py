"""The counts of all processes together: what every ranking can do, and how much it keeps.

How to think about it: the ranking answers two questions. What is read most *these days*: reads that fade, half of them
in a day. What is read *at this hour of the week*: 168 lists whose reads fade by half from week to week, so that what
people did at nine o'clock in past weeks says what they will do at nine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.popularity.counts import Gain
    from proxy.popularity.records import Record

MOST_NOW: Final = 10_000
"""Entries in the ranking of these days: as many as one process counts."""

MOST_AN_HOUR: Final = 250
"""Entries in the list of one hour: more than the 200 that TreeBeard's morning would warm; 42,000 in all at most."""

FADES_EVERY: Final = 6 * 3600.0
FADES_BY: Final = 0.5**0.25
"""Four times a day, so by half in a day: yesterday counts, last week hardly."""

FORGOTTEN_BELOW: Final = 0.5
"""Reads: what has faded to less than half a reading was read once, days ago."""

WEEK_FADES_AFTER: Final = 6 * 86400.0
WEEK_FADES_BY: Final = 0.5
"""When an hour comes again, what it was before counts half."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One entry with its reads, faded."""

    digest: str
    reads: float
    record: Record


class Ranking(Protocol):
    """Adds up what processes have counted. Every method raises StoreError."""

    async def add(self, gains: Sequence[Gain], now: float) -> None:
        """Add reads, at wall-clock seconds ``now``. What fails may be added again: an estimate bears it."""
        ...

    async def most_read(self, most: int) -> list[Ranked]:
        """Return what is read most these days, most read first."""
        ...

    async def read_at(self, moment: float, most: int) -> list[Ranked]:
        """Return what was read in past weeks at the hour of ``moment``, most read first.

        Where that hour was never seen, the same hour of the day before.
        """
        ...

    async def reads_of(self, digests: Sequence[str]) -> list[float]:
        """Return the faded reads of these days of each entry, 0.0 where it is not among the most read."""
        ...
