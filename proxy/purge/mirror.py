"""A copy of the ledger in this process, and how it is kept true: pure, the reading is ``shared``'s."""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import TYPE_CHECKING, Final

from proxy.message.selectors import PURGED, Seq
from proxy.purge.marks import Marks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.message.selectors import Standing
    from proxy.purge.records import Snapshot, Tail

_PAST_EPOCHS: Final = 16


class Followed(Enum):
    """What a look at the log came to."""

    UP_TO_DATE = "up to date"
    BROKEN = "broken"  # unknown epoch, or a purge is missing from the log: read the whole ledger
    BEHIND = "behind"  # the ledger knows less than this mirror: tell it, then read the whole ledger


class Mirror:
    """All purges up to ``seq``, and perhaps some after it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._marks = Marks(most)
        self._past: deque[str] = deque(maxlen=_PAST_EPOCHS)
        self.seq: Seq | None = None
        self.known = 0  # the highest position of this epoch that was ever seen, beyond ``seq`` perhaps

    def __len__(self) -> int:
        return len(self._marks)

    def has_seen(self, at: Seq) -> bool:
        """Say whether an entry read at that position can be judged."""
        if self.seq is None:
            return False
        return at.n <= self.seq.n if at.epoch == self.seq.epoch else at.epoch in self._past

    def standing(self, selectors: Iterable[str], s0: Seq, at: Seq) -> Standing | None:
        """Judge an entry; None where ``at`` was not seen yet."""
        if self.seq is None or not self.has_seen(at):
            return None
        if at.epoch != self.seq.epoch or s0.epoch != self.seq.epoch:
            return PURGED
        return self._marks.judge(selectors, s0.n)

    def follow(self, tail: Tail, known_when_asked: int) -> Followed:
        """Take over what the log says. ``known_when_asked`` is ``known`` at the time the question was sent."""
        if self.seq is None or tail.seq.epoch != self.seq.epoch:
            return Followed.BROKEN
        if tail.seq.n < known_when_asked:
            # Race: (1) we ask, (2) a purge of our own is acknowledged, (3) the older answer arrives. That is no
            # ledger that went backwards, hence the comparison with what was known at (1).
            return Followed.BEHIND
        for purge in tail.purges:
            self.learn(purge.selectors, Seq(self.seq.epoch, purge.n), purge.before, soft=purge.soft)
        return Followed.UP_TO_DATE if self.seq.n >= tail.seq.n else Followed.BROKEN

    def learn(self, selectors: Iterable[str], seq: Seq, before: int, *, soft: bool) -> None:
        """Take over one purge; ``seq`` moves on only if nothing lies between."""
        if self.seq is None or seq.epoch != self.seq.epoch:
            return
        self._marks.purge(selectors, seq.n, soft=soft)
        self.known = max(self.known, seq.n)
        if self.seq.n == before:
            self.seq = seq

    def lost(self, n: int, *, soft: bool) -> list[str]:
        """Return what was purged after ``n``, where a ledger that went backwards ends."""
        return self._marks.later_than(n, soft=soft)

    def reload(self, snapshot: Snapshot) -> None:
        """Take over the whole ledger."""
        marks = Marks(self._most, snapshot.floor, snapshot.hard, snapshot.soft)
        if self.seq is not None and self.seq.epoch != snapshot.seq.epoch:
            self.leave_behind(self.seq.epoch)
            self.known = 0
        self._marks = marks
        self.seq = snapshot.seq
        self.known = max(self.known, snapshot.seq.n)

    def leave_behind(self, epoch: str) -> None:
        """Note an epoch that has ended: whatever was read in it counts as purged."""
        if epoch not in self._past:
            self._past.append(epoch)
