"""Reads per entry, bounded; which of them a purge would hit.

How to think about it: a purge searches nothing, so nobody can say what it hits. These rows can guess: they are what
this process saw stored and read. When they are full, the half that is read least is forgotten and all counts are
halved, so what was popular last week fades.

Why a plain table and no sketch: a hit pays one look-up and one addition, where each of a sketch's rows costs a digest
more than that. What a table can lose, the top of the ranking does not notice: the half that goes is what was read
least, and whoever is read often is back at the next hit.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import nlargest
from typing import TYPE_CHECKING, Final

from proxy.message.globs import Glob
from proxy.message.selectors import EVERYTHING, KEY, PATTERN

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from proxy.popularity.recipes import Recipe

MOST_ROWS: Final = 10_000
"""About 12 MB; the tail beyond is what nobody would refetch."""

MOST_SHOWN: Final = 10
"""URLs that an estimate names: enough to see whether the selector was the one that was meant."""


@dataclass(slots=True, eq=False)
class Row:
    """Reads of one entry. Who holds on to it may count them up itself, for as long as it is not ``forgotten``."""

    recipe: Recipe
    selectors: tuple[str, ...]
    reads: int
    forgotten: bool = False
    carried: int = 0  # of ``reads``, those that the ranking knows of
    taken: int = 0  # of ``reads``, those that the windows know of


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a purge would hit, as far as is known here: entries, their reads, the targets of the most read."""

    entries: int
    reads: int
    most_read: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gain:
    """Reads of one entry that the ranking does not know of yet."""

    digest: str
    reads: int
    recipe: Recipe
    selectors: tuple[str, ...]


class Popularity:
    """Counts of one process. ``count`` is on the way of every hit: a look-up and an addition."""

    def __init__(self, most: int = MOST_ROWS) -> None:
        self._most = most
        self._rows: dict[str, Row] = {}

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

    def row(self, digest: str) -> Row | None:
        """Return where the reads of that entry are counted, if it is known."""
        return self._rows.get(digest)

    def begin(self, digest: str, recipe: Recipe, selectors: tuple[str, ...], reads: int = 1) -> None:
        """Take up an entry that is not known; its fetch was its first reading, unless nobody had asked for it."""
        if len(self._rows) >= self._most:
            self._forget_half()
        if (before := self._rows.get(digest)) is not None:
            before.forgotten = True
        self._rows[digest] = Row(recipe, selectors, reads)

    def hit_by(self, selectors: Collection[str]) -> Estimate:
        """Estimate what a purge of these selectors would hit."""
        rows = self._hit(selectors)
        shown = tuple(row.recipe.target.decode("latin-1") for row in rows[:MOST_SHOWN])
        return Estimate(len(rows), sum(row.reads for row in rows), shown)

    def most_read(self, selectors: Collection[str], most: int) -> list[Recipe]:
        """Return how to fetch again the most read entries that a purge of these selectors hits, most read first."""
        return [row.recipe for row in self._hit(selectors)[:most]]

    def gains(self, most: int) -> list[Gain]:
        """Return the largest gains since they were last carried; what is not among them waits, and adds up."""
        gained = ((row.reads - row.carried, digest, row) for digest, row in self._rows.items())
        largest = nlargest(most, (gain for gain in gained if gain[0] > 0), key=lambda gain: gain[0])
        return [Gain(digest, reads, row.recipe, row.selectors) for reads, digest, row in largest]

    def were_carried(self, gains: Iterable[Gain]) -> None:
        """Note that the ranking knows of these reads now."""
        for gain in gains:
            if (row := self._rows.get(gain.digest)) is not None:
                row.carried = min(row.reads, row.carried + gain.reads)  # it may have been forgotten and begun anew

    def take_reads(self, selectors: Collection[str]) -> dict[str, list[tuple[str, int]]]:
        """Return the reads, by digest, since they were last taken, of entries with one of these selectors, under it."""
        taken: dict[str, list[tuple[str, int]]] = {}
        for digest, row in self._rows.items():
            if row.reads > row.taken:
                if (name := next((one for one in row.selectors if one in selectors), None)) is not None:
                    taken.setdefault(name, []).append((digest, row.reads - row.taken))
                row.taken = row.reads  # of others too: what was read before a route follows the traffic is over
        return taken

    def _hit(self, selectors: Collection[str]) -> list[Row]:
        hits = Hits(selectors)
        return sorted((row for row in self._rows.values() if hits(row.selectors)), key=lambda row: -row.reads)

    def _forget_half(self) -> None:
        ranked = sorted(self._rows.items(), key=lambda item: item[1].reads, reverse=True)
        self._rows = dict(ranked[: self._most // 2])
        for _, row in ranked[self._most // 2 :]:
            row.forgotten = True
        for row in self._rows.values():
            waiting, not_taken = row.reads - row.carried, row.reads - row.taken
            row.reads //= 2
            row.carried, row.taken = row.reads - waiting, row.reads - not_taken


class Hits:
    """Says of an entry's selectors whether a purge of the given ones hits it."""

    def __init__(self, selectors: Collection[str]) -> None:
        self._chosen = frozenset(selectors)
        self._globs = [Glob.of(name.removeprefix(PATTERN)) for name in self._chosen if name.startswith(PATTERN)]

    def __call__(self, selectors: Sequence[str]) -> bool:
        """Say it of one entry."""
        if EVERYTHING in self._chosen or not self._chosen.isdisjoint(selectors):
            return True
        keys = [name.removeprefix(KEY) for name in selectors if name.startswith(KEY)] if self._globs else ()
        return any(glob.matches(key) for glob in self._globs for key in keys)
