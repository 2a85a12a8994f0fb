"""Which of what is kept goes when there is no room: S3-FIFO (Yang et al., SOSP 2023), weighed by bytes.

How to think about it. What is new waits in a small queue. If it was asked for by the time it comes to the front, it moves
to the main queue; else it goes, and only its hash is remembered. What comes back while it is remembered moves to the
main queue at once. So what is asked for once, as by a crawler, drives out its like and nothing else. At the front of the
main queue hits buy another round. Two things differ from the paper: a round costs one hit for each mean size that the
item takes, for so many others would fit in its place; and the look for one to go is bounded.

A hit adds one to ``hits`` and moves nothing. That is why it is not W-TinyLFU, which hits as often (docs/hot-tier.md) but
counts in a sketch and reorders a list at each hit: 2 us in Python, to 0.03.

No library: those that weigh by bytes (cachetools, cachebox) offer FIFO, LRU and LFU, which a scan empties or which never
forget; those that resist (theine, s3fifo-cache) count items, not bytes. And each keeps the hits to itself, behind a
call and mostly a lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.store.kept import Queue

if TYPE_CHECKING:
    from proxy.store.kept import Kept

_SMALL_SHARE: Final = 0.05  # of the budget; anything from 2 to 10 % does, more costs hits (bench/hitratio.py)
_MOST_HITS: Final = 7  # more would keep yesterday's favourites for too many rounds
_MOST_LOOKS: Final = 64  # in each queue, 25 us; where everything is popular, all of it would be looked at
_LEAST_REMEMBERED: Final = 16  # in each half, however few are kept
_NAME: Final = (1 << 30) - 1  # of a hash: Python's smallest integers; a mix-up only spares somebody a queue


class S3Fifo:
    """Keeps within ``budget`` bytes. What has to go for something is returned, and is out of it already."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._small, self._main = Queue(), Queue()
        self._count = 0
        # Of what left the small queue; half of them older.
        self._gone_lately: set[int] = set()
        self._gone_before: set[int] = set()

    @property
    def size(self) -> int:
        """The bytes of all that is kept."""
        return self._small.size + self._main.size

    def __len__(self) -> int:
        return self._count

    @property
    def remembered(self) -> int:
        """How many that left are remembered; about as many as are kept."""
        return len(self._gone_lately) + len(self._gone_before)

    def add(self, item: Kept, now: float) -> list[Kept]:
        """Keep an item, which is not larger than the budget."""
        item.is_proven = self._came_back(item)
        self._queue_of(item).push(item)
        self._count += 1
        return self._make_room(item, now)

    def replace(self, item: Kept, other: Kept, now: float) -> list[Kept]:
        """Keep another, which is not larger than the budget, in the place of an item and with its hits."""
        other.is_proven, other.hits = item.is_proven, item.hits
        self._queue_of(item).swap(item, other)
        return self._make_room(other, now)

    def resize(self, item: Kept, size: int, now: float) -> list[Kept]:
        """Let an item take that many bytes, which are not more than the budget."""
        self._queue_of(item).size += size - item.size
        item.size = size
        return self._make_room(item, now)

    def remove(self, item: Kept) -> None:
        """Let an item go."""
        self._queue_of(item).pull(item)
        self._count -= 1

    def clear(self) -> None:
        """Forget everything."""
        self._small, self._main, self._count = Queue(), Queue(), 0
        self._gone_lately, self._gone_before = set(), set()

    def _queue_of(self, item: Kept) -> Queue:
        return self._main if item.is_proven else self._small

    def _make_room(self, spared: Kept, now: float) -> list[Kept]:
        gone: list[Kept] = []
        share, moved = self._budget * _SMALL_SHARE, 0
        while self.size > self._budget:
            is_small_due = self._small.size > share and moved < _MOST_LOOKS
            if self._small.has_other_than(spared) and (is_small_due or not self._main.has_other_than(spared)):
                item = self._leave_small(spared, now)
            else:
                item = self._leave_main(spared, now)
            if item is None:
                moved += 1
            else:
                gone.append(item)
        return gone

    def _leave_small(self, spared: Kept, now: float) -> Kept | None:
        """Take the small queue's oldest out; return it unless it moved to the main queue."""
        item = self._small.oldest
        assert item is not None
        if item is not spared and (item.ends <= now or item.hits < self._price(item)):
            self.remove(item)
            if item.ends > now:
                self._remember(item)
            return item
        self._small.pull(item)
        item.is_proven, item.hits = True, 0
        self._main.push(item)
        return None

    def _leave_main(self, spared: Kept, now: float) -> Kept:
        """Take one out of the main queue: the first that cannot pay, or of those looked at the one with fewest hits."""
        poorest: Kept | None = None
        for _ in range(_MOST_LOOKS):
            item = self._main.oldest
            assert item is not None
            if item is not spared:
                item.hits = min(item.hits, _MOST_HITS) - self._price(item)
                if item.ends <= now or item.hits < 0:
                    poorest = item
                    break
                if poorest is None or item.hits < poorest.hits:
                    poorest = item
            self._main.pull(item)
            self._main.push(item)
        assert poorest is not None
        self.remove(poorest)
        return poorest

    def _price(self, item: Kept) -> int:
        """Return the hits that another round costs: so many of mean size would fit in this place."""
        return min(_MOST_HITS, max(1, round(item.size * self._count / self.size)))

    def _remember(self, item: Kept) -> None:
        self._gone_lately.add(hash(item.digest) & _NAME)
        if len(self._gone_lately) > max(_LEAST_REMEMBERED, self._count // 2):
            self._gone_before, self._gone_lately = self._gone_lately, set()

    def _came_back(self, item: Kept) -> bool:
        name = hash(item.digest) & _NAME
        if name in self._gone_lately:
            self._gone_lately.discard(name)
            return True
        if name in self._gone_before:
            self._gone_before.discard(name)
            return True
        return False
