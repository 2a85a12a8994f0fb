"""A warmer as the operator wrote it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import tzinfo

    from proxy.warming.cron import Cron
    from proxy.warming.items import ItemPath

MOST_ITEMS: Final = 10_000
"""The largest ``limit``: as many entries as the ranking has."""

MOST_AT_ONCE: Final = 100
"""The largest ``concurrency``: ``upstream.max_connections`` by default."""


@dataclass(frozen=True, slots=True)
class Popular:
    """What is read most these days; after a purge, of what it hit."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """What was read in past weeks at the hour that is about to begin."""


@dataclass(frozen=True, slots=True)
class Urls:
    """These, whole or from the path on."""

    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """What the backend lists under ``url``: each item's value goes into the path of the warmer's route."""

    url: str
    items: ItemPath


Source = Popular | Predicted | Urls | Listed


@dataclass(frozen=True, slots=True)
class Warmer:
    """What to warm when, how much of it, and how fast.

    ``route`` None: any that everybody may read. ``deadline`` in seconds, for one run. ``digest`` names the warmer among
    all replicas that run the same rules.
    """

    name: str
    digest: str
    source: Source
    zone: tzinfo
    on_startup: bool = False
    on_purge: bool = False
    crons: tuple[Cron, ...] = ()
    route: str | None = None
    limit: int = 100
    concurrency: int = 8
    deadline: float = 30.0

    def due_after(self, moment: float) -> float:
        """Return the first due time after ``moment``, both wall-clock seconds; it must have a schedule."""
        return min(cron.due_after(moment, self.zone) for cron in self.crons)
