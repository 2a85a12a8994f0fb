"""Reads per entry, bounded; which of them a purge would hit.

How to think about it: a purge searches nothing, so nobody can say what it hits. These rows can guess: they are what
this process saw stored and read. When they are full, the half that is read least is forgotten and all counts are
halved, so what was popular last week fades.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from proxy.message.globs import Glob
from proxy.message.selectors import EVERYTHING, KEY, PATTERN

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from proxy.popularity.recipes import Recipe

MOST_ROWS: Final = 10_000
"""About 12 MB; the tail beyond is what nobody would refetch."""

MOST_SHOWN: Final = 10
"""URLs that an estimate names: enough to see whether the selector was the one that was meant."""


@dataclass(slots=True)
class _Row:
    recipe: Recipe
    selectors: tuple[str, ...]
    reads: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a purge would hit, as far as is known here: entries, their reads, the targets of the most read."""

    entries: int
    reads: int
    most_read: tuple[str, ...]


class Popularity:
    """Counts of one process. ``count`` is on the way of every hit: a look-up and an addition."""

    def __init__(self, most: int = MOST_ROWS) -> None:
        self._most = most
        self._rows: dict[str, _Row] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def count(self, digest: str, selectors: tuple[str, ...], reads: int = 1) -> bool:
        """Count reads of the entry under ``digest``; False if it is not known, then ``begin`` may be called."""
        row = self._rows.get(digest)
        if row is None:
            return False
        row.reads += reads
        row.selectors = selectors
        return True

    def begin(self, digest: str, recipe: Recipe, selectors: tuple[str, ...]) -> None:
        """Take up an entry that was just read for the first time."""
        if len(self._rows) >= self._most:
            self._forget_half()
        self._rows[digest] = _Row(recipe, selectors, 1)

    def hit_by(self, selectors: Collection[str]) -> Estimate:
        """Estimate what a purge of these selectors would hit."""
        rows = self._hit(selectors)
        shown = tuple(row.recipe.target.decode("latin-1") for row in rows[:MOST_SHOWN])
        return Estimate(len(rows), sum(row.reads for row in rows), shown)

    def most_read(self, selectors: Collection[str], most: int) -> list[Recipe]:
        """Return how to fetch again the most read entries that a purge of these selectors hits, most read first."""
        return [row.recipe for row in self._hit(selectors)[:most]]

    def _hit(self, selectors: Collection[str]) -> list[_Row]:
        chosen = frozenset(selectors)
        globs = [Glob.of(name.removeprefix(PATTERN)) for name in chosen if name.startswith(PATTERN)]
        rows = [row for row in self._rows.values() if _is_hit(row, chosen, globs)]
        return sorted(rows, key=lambda row: row.reads, reverse=True)

    def _forget_half(self) -> None:
        kept = sorted(self._rows.items(), key=lambda item: item[1].reads, reverse=True)[: self._most // 2]
        self._rows = dict(kept)
        for row in self._rows.values():
            row.reads //= 2


def _is_hit(row: _Row, chosen: frozenset[str], globs: Sequence[Glob]) -> bool:
    if EVERYTHING in chosen or not chosen.isdisjoint(row.selectors):
        return True
    keys = [name.removeprefix(KEY) for name in row.selectors if name.startswith(KEY)] if globs else ()
    return any(glob.matches(key) for glob in globs for key in keys)
