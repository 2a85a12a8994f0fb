"""Globs over logical keys: ``*`` stands for any run of characters, every other character for itself.

No user's regular expression ever runs: a glob is cut at its stars once, and matching looks for the pieces in their
order, each as early as it can be, which finds a match if there is one and never goes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LONGEST: Final = 256
"""Bytes. A logical key is a namespace, a version and an id; half of that would do for any that people write."""


@dataclass(frozen=True, slots=True)
class Glob:
    """A glob, cut at its stars: ``a:*:b`` is ``("a:", ":b")``. One piece alone means that there is no star."""

    pieces: tuple[str, ...]

    @staticmethod
    def of(text: str) -> Glob:
        """Cut a glob; any text is one."""
        return Glob(tuple(text.split("*")))

    def matches(self, key: str) -> bool:
        """Say whether the glob describes all of ``key``."""
        first, *middle = self.pieces
        if not middle:
            return key == first
        last = middle.pop()
        if len(key) < len(first) + len(last) or not key.startswith(first) or not key.endswith(last):
            return False
        start, end = len(first), len(key) - len(last)
        for piece in middle:
            found = key.find(piece, start, end)
            if found < 0:
                return False
            start = found + len(piece)
        return True


def family_of(text: str) -> str | None:
    """Return what comes before the first colon of a glob or a logical key, the namespace; None where nothing does."""
    family, colon, _ = text.partition(":")
    return family if colon and family and "*" not in family else None


def checked(text: str) -> str:
    """Return a glob that may be purged by. Raises ValueError that says what is wrong with it and what would be right.

    A glob has to name its namespace, so that no slip of the hand purges everything, and so that a long list of globs
    can be shortened to whole namespaces.
    """
    if (size := len(text.encode("utf-8", "surrogateescape"))) > LONGEST:
        raise ValueError(f"expected a pattern of at most {LONGEST} bytes, got {size}")
    if "*" not in text:
        raise ValueError(f'expected a "*" in the pattern, got "{text}": "keys" takes a whole logical key')
    if family_of(text) is None:
        raise ValueError(
            f'too wide: expected a pattern that begins with a namespace and ":", like "plans:*", got "{text}"; '
            '"all" purges everything'
        )
    return text
