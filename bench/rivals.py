"""What the hot tier's policy is measured beside: small simulators, by bytes, and a bound that nobody can pass.

Each asks for ``(name, size)`` and says whether it was there; what was not is let in as the policy sees fit.
"""

from __future__ import annotations

import random
from collections import OrderedDict, deque
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Fifo:
    """First in, first out."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.sizes: OrderedDict[int, int] = OrderedDict()
        self.size = 0

    def ask(self, name: int, size: int) -> bool:
        """Ask for one."""
        if name in self.sizes:
            self.touch(name)
            return True
        self.sizes[name] = size
        self.size += size
        while self.size > self.budget:
            self.size -= self.sizes.popitem(last=False)[1]
        return False

    def touch(self, name: int) -> None:
        """Take note of a hit."""


class Lru(Fifo):
    """Least recently used first."""

    def touch(self, name: int) -> None:
        """Move it to the end."""
        self.sizes.move_to_end(name)


class Item:
    """A place in a queue of the following."""

    __slots__ = ("hits", "name", "newer", "older", "size")

    def __init__(self, name: int, size: int) -> None:
        self.name, self.size, self.hits = name, size, 0
        self.older: Item | None = None
        self.newer: Item | None = None


class Sieve:
    """Zhang et al., NSDI 2024: a hand moves from old to new, spares what was hit since, and what it spares stays put."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.items: dict[int, Item] = {}
        self.size = 0
        self.oldest: Item | None = None
        self.newest: Item | None = None
        self.hand: Item | None = None

    def ask(self, name: int, size: int) -> bool:
        """Ask for one."""
        item = self.items.get(name)
        if item is not None:
            item.hits = 1
            return True
        while self.items and self.size + size > self.budget:
            self.let_go()
        item = self.items[name] = Item(name, size)
        self.size += size
        item.older = self.newest
        if item.older is None:
            self.oldest = item
        else:
            item.older.newer = item
        self.newest = item
        return False

    def let_go(self) -> None:
        """Move the hand to one that was not hit, and remove that."""
        item = self.hand or self.oldest
        while item is not None and item.hits:
            item.hits = 0
            item = item.newer or self.oldest
        assert item is not None
        self.hand = item.newer
        self.size -= item.size
        del self.items[item.name]
        if item.older is None:
            self.oldest = item.newer
        else:
            item.older.newer = item.newer
        if item.newer is None:
            self.newest = item.older
        else:
            item.newer.older = item.older


class S3FifoOfThePaper:
    """Yang et al., SOSP 2023: a tenth for what is new, more than one hit to move on, up to three hits count."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.items: dict[int, Item] = {}
        self.small: deque[Item] = deque()
        self.main: deque[Item] = deque()
        self.ghosts: OrderedDict[int, int] = OrderedDict()
        self.small_size = self.main_size = self.ghost_size = 0

    def ask(self, name: int, size: int) -> bool:
        """Ask for one."""
        item = self.items.get(name)
        if item is not None:
            item.hits = min(3, item.hits + 1)
            return True
        item = self.items[name] = Item(name, size)
        if name in self.ghosts:
            self.ghost_size -= self.ghosts.pop(name)
            self.main.append(item)
            self.main_size += size
        else:
            self.small.append(item)
            self.small_size += size
        while self.small_size + self.main_size > self.budget:
            if self.small_size > self.budget / 10 or not self.main:
                self.leave_small()
            else:
                self.leave_main()
        return False

    def leave_small(self) -> None:
        """Take the oldest out, to the main queue or to where names are remembered."""
        item = self.small.popleft()
        self.small_size -= item.size
        if item.hits > 1:
            item.hits = 0
            self.main.append(item)
            self.main_size += item.size
            return
        del self.items[item.name]
        self.ghosts[item.name] = item.size
        self.ghost_size += item.size
        while self.ghost_size > self.budget * 0.9:
            self.ghost_size -= self.ghosts.popitem(last=False)[1]

    def leave_main(self) -> None:
        """Take the first out that was not hit."""
        while True:
            item = self.main.popleft()
            if not item.hits:
                break
            item.hits -= 1
            self.main.append(item)
        self.main_size -= item.size
        del self.items[item.name]


class Sketch:
    """How often names were asked for lately: a count-min sketch of 4 rows up to 15, halved now and then."""

    def __init__(self, names: int) -> None:
        width = 1 << max(4, names - 1).bit_length()
        self.mask = width - 1
        self.rows = [bytearray(width) for _ in range(4)]
        self.left = self.sample = 10 * width

    def places(self, name: int) -> tuple[int, ...]:
        """Return where a name counts, row by row."""
        mixed = hash((name, "sketch"))
        return tuple((mixed >> shift) & self.mask for shift in (0, 14, 28, 42))

    def count(self, name: int) -> None:
        """Count a name once more."""
        places = self.places(name)
        least = min(row[place] for row, place in zip(self.rows, places, strict=True))
        if least < 15:  # noqa: PLR2004 - four bits, as the paper has it
            for row, place in zip(self.rows, places, strict=True):
                if row[place] == least:
                    row[place] += 1
        self.left -= 1
        if not self.left:
            self.left = self.sample // 2
            for row in self.rows:
                row[:] = bytes(count >> 1 for count in row)

    def estimate(self, name: int) -> int:
        """Return how often a name was counted, at most."""
        return min(row[place] for row, place in zip(self.rows, self.places(name), strict=True))


class WTinyLfu:
    """Einziger et al., 2017: a window of 1 %, then who was asked for more often than those who had to go stays."""

    def __init__(self, budget: int) -> None:
        self.window, self.probation, self.protected = Lru(budget // 100), Lru(0), Lru(0)
        self.main = budget - budget // 100
        self.sketch = Sketch(budget // 4096)

    def ask(self, name: int, size: int) -> bool:
        """Ask for one."""
        self.sketch.count(name)
        for part in (self.window, self.protected):
            if name in part.sizes:
                part.touch(name)
                return True
        if name in self.probation.sizes:
            self.move(name, self.probation, self.protected)
            while self.protected.size > self.main * 0.8:
                self.move(next(iter(self.protected.sizes)), self.protected, self.probation)
            return True
        self.window.sizes[name] = size
        self.window.size += size
        while self.window.size > self.window.budget:
            candidate, large = self.window.sizes.popitem(last=False)
            self.window.size -= large
            self.admit(candidate, large)
        return False

    def move(self, name: int, one: Lru, other: Lru) -> None:
        """Move a name from one part to another."""
        size = one.sizes.pop(name)
        one.size -= size
        other.sizes[name] = size
        other.size += size

    def admit(self, name: int, size: int) -> None:
        """Let one in if it counts more than all that would have to go."""
        room = self.main - self.probation.size - self.protected.size
        worth, theirs, victims = self.sketch.estimate(name), 0, []
        for victim, part in chain(
            ((victim, self.probation) for victim in self.probation.sizes),
            ((victim, self.protected) for victim in self.protected.sizes),
        ):
            if room >= size:
                break
            theirs += self.sketch.estimate(victim)
            if theirs >= worth:
                return
            room += part.sizes[victim]
            victims.append((victim, part))
        if room < size:
            return
        for victim, part in victims:
            part.size -= part.sizes.pop(victim)
        self.probation.sizes[name] = size
        self.probation.size += size


class Belady:
    """Knows the future: of 32 taken by chance, that one goes which takes most bytes for longest until its next hit."""

    def __init__(self, budget: int, names: Sequence[int]) -> None:
        self.budget = budget
        self.size = 0
        self.now = 0
        self.kept: list[tuple[int, int]] = []  # name and size
        self.place: dict[int, int] = {}
        self.random = random.Random(1)
        self.following = [len(names) * 9] * len(names)
        self.next: dict[int, int] = {}
        for place in range(len(names) - 1, -1, -1):
            self.following[place] = self.next.get(names[place], len(names) * 9)
            self.next[names[place]] = place

    def ask(self, name: int, size: int) -> bool:
        """Ask for one, in the order of ``names``."""
        self.next[name] = self.following[self.now]
        self.now += 1
        if name in self.place:
            return True
        self.place[name] = len(self.kept)
        self.kept.append((name, size))
        self.size += size
        while self.size > self.budget:
            self.let_go()
        return False

    def let_go(self) -> None:
        """Remove the one of least use; the newest is always among those looked at."""
        count = len(self.kept)
        looked = [count - 1, *(int(self.random.random() * count) for _ in range(32))]
        worst = max(looked, key=lambda place: self.kept[place][1] * (self.next[self.kept[place][0]] - self.now))
        name, size = self.kept[worst]
        self.kept[worst] = self.kept[-1]
        self.place[self.kept[worst][0]] = worst
        self.kept.pop()
        del self.place[name]
        self.size -= size


def bound(names: Sequence[int], sizes: Sequence[int], budget: int) -> float:
    """Return a share of hits that nobody can pass: the cheapest stretches, as long as their sum fits budget times time."""
    last: dict[int, int] = {}
    costs = []  # of each stretch from one request to the next for the same: bytes times requests
    for place, name in enumerate(names):
        if name in last:
            costs.append(sizes[name] * (place - last[name]))
        last[name] = place
    room, hits = budget * len(names), 0
    for cost in sorted(costs):
        room -= cost
        if room < 0:
            break
        hits += 1
    return hits / len(names)


RIVALS = {
    "FIFO": Fifo,
    "LRU": Lru,
    "SIEVE": Sieve,
    "S3-FIFO of the paper": S3FifoOfThePaper,
    "W-TinyLFU": WTinyLfu,
}
