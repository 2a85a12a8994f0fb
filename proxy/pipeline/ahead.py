"""Which copies a refresh ahead of their end was tried for: once each, whatever came of it.

A backend that fails would else be asked again by every late hit. When the copy ends, it is asked as usual.
"""

from __future__ import annotations

from typing import Final

MOST: Final = 10_000
"""Copies remembered, some 1.5 MB; beyond it all are forgotten, and one more try is free."""


class Tried:
    """Copies by the digest of their place and the time at which they came."""

    def __init__(self) -> None:
        self._copies: dict[str, float] = {}

    def is_first(self, digest: str, came: float) -> bool:
        """Say whether nobody has tried for this copy yet; from now on somebody has."""
        if self._copies.get(digest) == came:
            return False
        if len(self._copies) >= MOST:
            self._copies.clear()
        self._copies[digest] = came
        return True
