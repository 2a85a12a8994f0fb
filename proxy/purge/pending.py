"""Purges that no ledger has acknowledged yet, and that hold here all the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from proxy.message.globs import Glob
from proxy.message.selectors import EVERYTHING, KEY, PATTERN, PURGED, Standing, pattern
from proxy.purge import patterns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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
        self._globs: dict[str, Glob] = {}  # of both kinds, under their selectors
        self._tickets = 0
        self.changes = 0
        """Counts up with whatever may change a judgement."""

    def __len__(self) -> int:
        return len(self._hard) + len(self._soft)

    def add(self, selectors: Sequence[str], *, soft: bool, now: float) -> Parcel:
        """Keep a purge asked for at wall-clock time ``now``; return it alone, as it is to be sent."""
        self._tickets += 1
        self.changes += 1
        selectors = [self._shortened(selector) for selector in selectors]
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
            self._globs = {}
            return Parcel((EVERYTHING,), (), self._tickets)
        return parcel

    def all(self) -> Parcel:
        """Return everything that waits."""
        return Parcel(tuple(self._hard), tuple(self._soft), self._tickets)

    def acknowledge(self, parcel: Parcel) -> None:
        """Drop what was sent, but for what was asked for again since."""
        self.changes += 1
        for selector in parcel.hard:
            if self._hard.get(selector, parcel.last + 1) <= parcel.last:
                del self._hard[selector]
        for selector in parcel.soft:
            if self._soft.get(selector, (parcel.last + 1, 0.0))[0] <= parcel.last:
                del self._soft[selector]
        self._globs = {name: glob for name, glob in self._globs.items() if name in self._hard or name in self._soft}

    def worsen(self, standing: Standing, selectors: Iterable[str]) -> Standing:
        """Return the standing under these purges too. They have no position yet, so they hit whatever carries them."""
        if standing.purged or not len(self):
            return standing
        since = standing.soft_since
        for selector in self._names(selectors):
            if selector in self._hard:
                return PURGED
            if selector in self._soft:
                softly = self._soft[selector][1]
                since = softly if since is None else min(since, softly)
        return standing if since == standing.soft_since else Standing(soft_since=since)

    def _shortened(self, selector: str) -> str:
        """Take note of a glob; where there are too many, return the one over its whole namespace instead."""
        if not selector.startswith(PATTERN) or selector in self._globs:
            return selector
        glob = selector.removeprefix(PATTERN)
        wide = patterns.widened(glob)
        if wide == glob or len(self._globs) >= patterns.MOST:
            return pattern(wide)
        self._globs[selector] = Glob.of(glob)
        return selector

    def _names(self, selectors: Iterable[str]) -> Iterator[str]:
        """Return every name under which a purge may wait that hits what carries these selectors."""
        yield EVERYTHING
        for selector in selectors:
            yield selector
            if selector.startswith(KEY):
                key = selector.removeprefix(KEY)
                yield from map(pattern, patterns.wide_over(key))
                yield from (name for name, glob in self._globs.items() if glob.matches(key))
