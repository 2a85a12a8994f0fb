"""What is wrong in a configuration, each with its address; and what is merely doubtful."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.message.errors import SapwoodError


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was written: a file with line and column from 1, or (line 0) a variable or a flag."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing the operator must mend. ``path`` is like ``routes[2].ttl``, empty where the file as a whole is meant."""

    source: str
    line: int
    column: int
    path: str
    message: str

    @staticmethod
    def at(place: Place, path: str, message: str) -> Mistake:
        """Address a message."""
        return Mistake(place.source, place.line, place.column, path, message)

    def __str__(self) -> str:
        where = str(Place(self.source, self.line, self.column))
        return f"{where}: {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


@dataclass(frozen=True, slots=True)
class Caution(Mistake):
    """One thing that works but is probably not meant: shown by ``check`` and logged at start, never refused."""

    # A dataclass's inherited ``at`` would build a Mistake.
    @staticmethod
    def at(place: Place, path: str, message: str) -> Caution:
        """Address a doubt."""
        return Caution(place.source, place.line, place.column, path, message)


class Mistakes(SapwoodError):  # noqa: N818 - many mistakes are one refusal, and that is what the interface calls it
    """A refused configuration: every mistake that was found, in the order of the file."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes
