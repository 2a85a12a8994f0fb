"""Purges by pattern: a short list of globs, compared with an entry's logical key when the entry is judged.

Every entry judged would be compared with every glob, so the list is short. What grows out of it is widened, never
dropped: the oldest glob becomes a purge of its whole namespace at its own position. That costs fetches, and no more
than that: whatever the glob hits is of its namespace. A glob over a whole namespace is no glob but a look-up.
"""

from __future__ import annotations

from typing import Final

from proxy.message.globs import Glob, family_of

MOST: Final = 64
"""Globs of one kind. To be compared with 64 that do not match costs a judge 20 µs, about a request's whole way."""


def widened(glob: str) -> str:
    """Return a glob over the namespace that this one is of; ``*`` for one of no namespace."""
    family = family_of(glob)
    return "*" if family is None else f"{family}:*"


def wide_over(key: str) -> tuple[str, ...]:
    """Return every widened glob that matches a logical key."""
    family = family_of(key)
    return ("*",) if family is None else ("*", f"{family}:*")


class Patterns:
    """The last purges of one kind, hard or soft, by pattern."""

    def __init__(self) -> None:
        self._narrow: dict[str, tuple[Glob, int]] = {}  # oldest first
        self._wide: dict[str, int] = {}
        self.newest = 0
        """The position of the last purge by pattern: what was fetched after it needs no comparing."""

    def __len__(self) -> int:
        return len(self._narrow)

    def purge(self, glob: str, n: int) -> None:
        """Write down a purge at position ``n``, which is not older than those before it."""
        self.newest = max(self.newest, n)
        if glob == widened(glob):
            self._widen(glob, n)
            return
        self._narrow.pop(glob, None)
        self._narrow[glob] = (Glob.of(glob), n)
        if len(self._narrow) > MOST:
            oldest = next(iter(self._narrow))
            self._widen(widened(oldest), self._narrow.pop(oldest)[1])

    def forget(self, glob: str, n: int) -> None:
        """Forget a purge at ``n``, which the floor covers now."""
        if self._narrow.get(glob, (None, n + 1))[1] <= n:
            del self._narrow[glob]
        if self._wide.get(widened(glob), n + 1) <= n:
            del self._wide[widened(glob)]

    def after(self, s0: int, key: str) -> list[int]:
        """Return the positions after ``s0`` of purges that hit what has this logical key."""
        if self.newest <= s0:
            return []
        wide = (self._wide.get(glob, 0) for glob in wide_over(key))
        narrow = (n for glob, n in self._narrow.values() if n > s0 and glob.matches(key))
        return [n for n in (*wide, *narrow) if n > s0]

    def _widen(self, glob: str, n: int) -> None:
        self._wide[glob] = max(n, self._wide.get(glob, 0))
