"""Sums of what was counted, and the rates that follow from them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over some routes and outcomes."""

    hits: int = 0
    stale: int = 0
    revalidated: int = 0
    misses: int = 0
    collapsed: int = 0
    bypass: int = 0
    refused: int = 0
    errors: int = 0
    stored: int = 0
    stored_bytes: int = 0
    stored_ttl: float = 0.0
    seconds_saved: float = 0.0
    hit_age: float = 0.0
    hit_left: float = 0.0
    ttl_base: int = 0
    ttl_hot: int = 0
    ttl_cold: int = 0

    def __add__(self, other: Totals) -> Totals:
        return Totals(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(Totals)))

    def __sub__(self, other: Totals) -> Totals:
        return Totals(*(getattr(self, field.name) - getattr(other, field.name) for field in fields(Totals)))

    @property
    def answered_from_cache(self) -> int:
        """Requests for which a stored response was used."""
        return self.hits + self.stale + self.revalidated

    @property
    def asked_the_backend(self) -> int:
        """Requests that a cached route could not answer from what was stored."""
        return self.misses + self.collapsed

    @property
    def requests(self) -> int:
        """All requests."""
        return self.answered_from_cache + self.asked_the_backend + self.bypass + self.refused + self.errors

    @property
    def hit_rate(self) -> float:
        """Percent of the requests that a cache could answer; what passes by is apart."""
        return percent(self.answered_from_cache, self.answered_from_cache + self.asked_the_backend)


NONE_YET: Final = Totals()


def percent(part: int, whole: int) -> float:
    """Return a percentage with two digits, 0.0 of nothing."""
    return round(100 * part / whole, 2) if whole else 0.0
