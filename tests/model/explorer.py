"""Walks through every interleaving of a small world, shortest first.

A world is a hashable value; ``steps`` names each atomic step that can be taken in it and returns the world after it.
Two orders that lead to the same world are one from there on: that is what keeps "all" finite.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Explored:
    """How many worlds there are, what happened in them, and the shortest way to one that is wrong, if any is."""

    worlds: int
    seen: frozenset = frozenset()
    wrong: str = ""
    trace: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        if not self.wrong:
            return f"{self.worlds} worlds, none of them wrong"
        width = max(len(line.partition(": ")[0]) for line in self.trace)
        lines = (line.partition(": ") for line in self.trace)
        told = "\n".join(f"{number:3}. {who:<{width}}  {what}" for number, (who, _, what) in enumerate(lines, start=1))
        return f"{self.wrong}\n{told}"


def explore(first, steps, *, at_most: int = 400_000) -> Explored:
    """Visit every world that can come to be from ``first``; ``wrong`` is an attribute of worlds, ``seen`` are all steps taken."""
    parents = {first: (None, "")}
    waiting = deque([first])
    seen = set()
    while waiting:
        world = waiting.popleft()
        if world.wrong:
            return Explored(len(parents), frozenset(seen), world.wrong, _way_to(world, parents))
        for label, after in steps(world):
            seen.add(label)
            if after not in parents:
                parents[after] = (world, label)
                waiting.append(after)
        if len(parents) > at_most:
            raise RuntimeError(f"more than {at_most} worlds: the story is too long to be told in every order")
    return Explored(len(parents), frozenset(seen))


def _way_to(world, parents) -> tuple[str, ...]:
    labels = []
    while world is not None:
        world, label = parents[world]
        labels.append(label)
    return tuple(reversed(labels))[1:]
