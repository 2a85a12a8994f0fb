"""What one process has counted since the last reset, on its way to the others and added up with theirs.

A share may come out of a Redis that others write to, or from another version: what is not exactly one is refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import reduce
from typing import TYPE_CHECKING, Any, Final

import orjson

from proxy.observe.checks import amount_of, count_of, name_of
from proxy.observe.totals import NONE_YET, Totals

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_PLACES: Final = 4000
"""Routes with their namespaces in one share: four times what a process counts apart. 1 MB at the very most."""

VERSION: Final = 1

Place = tuple[str, str]
"""Route, namespace."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted of one place; ``last`` is the wall-clock time of the last request, 0.0 before the first."""

    totals: Totals = NONE_YET
    last: float = 0.0

    def __add__(self, other: Counted) -> Counted:
        return Counted(self.totals + other.totals, max(self.last, other.last))


@dataclass(frozen=True, slots=True)
class Share:
    """``since``: the wall-clock time from which on was counted."""

    since: float
    places: Mapping[Place, Counted]

    @property
    def total(self) -> Totals:
        """The sum over all places."""
        return reduce(Totals.__add__, (counted.totals for counted in self.places.values()), NONE_YET)

    def by(self, part: int) -> dict[str, Counted]:
        """Return the sums for each route (0) or each namespace (1) that has a name, in the order of names."""
        sums: dict[str, Counted] = {}
        for place, counted in self.places.items():
            if place[part]:
                sums[place[part]] = sums.get(place[part], Counted()) + counted
        return dict(sorted(sums.items()))


def together(shares: Iterable[Share]) -> Share:
    """Return the sum of at least one."""
    places: dict[Place, Counted] = {}
    since = math.inf
    for share in shares:
        since = min(since, share.since)
        for place, counted in share.places.items():
            places[place] = places.get(place, Counted()) + counted
    return Share(since, places)


@dataclass(frozen=True, slots=True)
class Letter:
    """A share as it lies in Redis: ``at`` is when it was written, ``reset`` the last reset that it knows of, 0.0: none."""

    at: float
    reset: float
    share: Share


_FIELDS: Final = tuple(field.name for field in fields(Totals))
_WHOLE: Final = tuple(type(getattr(NONE_YET, name)) is int for name in _FIELDS)


def packed(letter: Letter) -> bytes:
    """Return a letter as JSON."""
    rows = [
        [*place, counted.last, *(getattr(counted.totals, name) for name in _FIELDS)]
        for place, counted in letter.share.places.items()
    ]
    said = [VERSION, _FIELDS, letter.at, letter.reset, letter.share.since, rows]
    return orjson.dumps(said)


def unpacked(octets: bytes) -> Letter:
    """Read a letter. Raises ValueError for what is none, or is of another version."""
    try:
        version, names, at, reset, since, rows = orjson.loads(octets)
        if version != VERSION or names != list(_FIELDS) or len(rows) > MOST_PLACES:
            raise ValueError("a share of another version")
        places = {(name_of(row[0]), name_of(row[1])): _counted(row[2:]) for row in rows}
        return Letter(amount_of(at), amount_of(reset), Share(amount_of(since), places))
    except (TypeError, LookupError, AttributeError) as error:
        raise ValueError(f"not a share of statistics: {type(error).__name__}") from error


def _counted(row: list[Any]) -> Counted:
    values: list[Any] = [
        count_of(value) if is_whole else amount_of(value) for value, is_whole in zip(row[1:], _WHOLE, strict=True)
    ]
    return Counted(Totals(*values), amount_of(row[0]))
