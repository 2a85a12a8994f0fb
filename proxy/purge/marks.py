"""Per selector the last hard and the last soft purge; judging an entry against them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.message.selectors import EVERYTHING, IN_FORCE, KEY, PATTERN, PURGED, Standing
from proxy.message.values import value
from proxy.purge.patterns import Patterns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from proxy.message.selectors import Seq

MICROSECONDS: Final = 1_000_000

KEPT_FOR: Final = 400 * 86400 * MICROSECONDS
"""Positions after which a purge is forgotten: nothing is stored for longer than a year, or else the floor takes it."""


@value(frozen=True, slots=True)
class Superseded:
    """One selector's purge at ``seq``. ``last``: where it was purged before, or up to where purges are forgotten."""

    seq: Seq
    last: int

    def is_first_since(self, s: Seq) -> bool:
        """Say whether the selector was not purged between ``s`` and this."""
        return s.epoch == self.seq.epoch and self.last <= s.n


def judge(hard: Mapping[str, int], soft: Mapping[str, int], selectors: Iterable[str], s0: int, floor: int) -> Standing:
    """Judge an entry fetched after ``s0``; ``hard`` and ``soft`` hold each selector's last purge of that kind.

    A position is the ledger's time in microseconds, so a soft purge's position also says since when the entry is stale.
    """
    if s0 < floor:
        return PURGED
    stale_since: int | None = None
    for selector in (EVERYTHING, *selectors):
        if hard.get(selector, 0) > s0:
            return PURGED
        softly = soft.get(selector, 0)
        if softly > s0 and (stale_since is None or softly < stale_since):
            stale_since = softly
    return IN_FORCE if stale_since is None else Standing(soft_since=stale_since / MICROSECONDS)


class Marks:
    """The last purges of at most ``most`` selectors, oldest first. Forgetting some raises ``floor``."""

    def __init__(
        self, most: int, floor: int = 0, hard: dict[str, int] | None = None, soft: dict[str, int] | None = None
    ) -> None:
        self._most = most
        self._hard = {} if hard is None else hard
        self._soft = {} if soft is None else soft
        self.floor = floor
        self._patterns = (_patterns_of(self._hard), _patterns_of(self._soft))
        self._newest = max(max(self._hard.values(), default=0), max(self._soft.values(), default=0))

    def __len__(self) -> int:
        return len(self._hard) + len(self._soft)

    def purge(self, selectors: Iterable[str], n: int, *, soft: bool) -> None:
        """Write down a purge at position ``n``; one that is older than what is known changes nothing."""
        marks = self._soft if soft else self._hard
        self._newest = max(self._newest, n)
        for selector in selectors:
            if marks.get(selector, 0) < n:
                marks.pop(selector, None)  # to the end: the order is by age
                marks[selector] = n
                if selector.startswith(PATTERN):
                    self._patterns[soft].purge(selector.removeprefix(PATTERN), n)
        while len(self) > self._most or self._is_oldest_before(n - KEPT_FOR):
            self._forget_oldest()

    def judge(self, selectors: Iterable[str], s0: int) -> Standing:
        """Judge an entry fetched after ``s0``; after the last purge of all, nothing of it has to be looked at."""
        if self._newest <= s0 and self.floor <= s0:
            return IN_FORCE
        names = tuple(selectors)
        standing = judge(self._hard, self._soft, names, s0, self.floor)
        hard, soft = self._patterns
        if standing.purged or (hard.newest <= s0 and soft.newest <= s0):
            return standing
        keys = [name.removeprefix(KEY) for name in names if name.startswith(KEY)]
        if any(hard.after(s0, key) for key in keys):
            return PURGED
        since = [n / MICROSECONDS for key in keys for n in soft.after(s0, key)]
        if standing.soft_since is not None:
            since.append(standing.soft_since)
        return Standing(soft_since=min(since)) if since else standing

    def last(self, selector: str) -> int:
        """Return where a selector was last purged in either way, or up to where purges are forgotten."""
        return max(self._hard.get(selector, 0), self._soft.get(selector, 0), self.floor)

    def missing_from(self, marks: Mapping[str, int], floor: int, known: int, *, soft: bool) -> tuple[str, ...]:
        """Return whose last purge of that kind, up to ``known``, is neither among ``marks`` nor below ``floor``."""
        ours = (self._soft if soft else self._hard).items()
        return tuple(name for name, n in ours if floor < n <= known and marks.get(name, 0) < n)

    def has(self, selectors: Iterable[str], n: int, *, soft: bool) -> bool:
        """Say whether a purge of these at ``n`` is known, or covered by later ones or by the floor."""
        marks = self._soft if soft else self._hard
        return n <= self.floor or all(marks.get(name, 0) >= n for name in selectors)

    def take_over(self, other: Marks) -> None:
        """Add what ``other`` knows beyond these."""
        self.floor = max(self.floor, other.floor)
        for soft, marks in ((False, other._hard), (True, other._soft)):
            mine = self._soft if soft else self._hard
            for selector, n in marks.items():
                if n > self.floor and n > mine.get(selector, 0):
                    self.purge((selector,), n, soft=soft)

    def _is_oldest_before(self, n: int) -> bool:
        return any(_oldest(marks) < n for marks in (self._hard, self._soft) if marks)

    def _forget_oldest(self) -> None:
        soft = not self._hard or (bool(self._soft) and _oldest(self._soft) < _oldest(self._hard))
        marks = self._soft if soft else self._hard
        name = next(iter(marks))
        n = marks.pop(name)
        self.floor = max(self.floor, n)
        if name.startswith(PATTERN):
            self._patterns[soft].forget(name.removeprefix(PATTERN), n)


def _oldest(marks: Mapping[str, int]) -> int:
    return next(iter(marks.values()))


def _patterns_of(marks: Mapping[str, int]) -> Patterns:
    patterns = Patterns()
    for name, n in marks.items():
        if name.startswith(PATTERN):
            patterns.purge(name.removeprefix(PATTERN), n)
    return patterns
