"""A copy of the ledger in this process, and how it is kept true: pure, the reading is ``shared``'s."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from proxy.message.selectors import EVERYTHING, PURGED, Seq
from proxy.purge.marks import Marks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from proxy.message.selectors import Standing
    from proxy.purge.records import Snapshot, Tail

_PAST_EPOCHS: Final = 16


class Followed(Enum):
    """What a look at the log came to."""

    UP_TO_DATE = "up to date"
    BROKEN = "broken"  # unknown epoch, or a purge is missing from the log: read the whole ledger
    BEHIND = "behind"  # the ledger ends before what this mirror has seen of it: likewise


@dataclass(frozen=True, slots=True)
class Lost:
    """What a ledger has to be told again; with nothing to tell it may still have to be moved on."""

    hard: tuple[str, ...] = ()
    soft: tuple[str, ...] = ()
    went_back: bool = False

    def __bool__(self) -> bool:
        return bool(self.hard or self.soft or self.went_back)


class Mirror:
    """All purges up to ``seq``, and perhaps some after it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._marks = Marks(most)
        self._past: deque[str] = deque(maxlen=_PAST_EPOCHS)
        self.seq: Seq | None = None
        self.known = 0  # the highest position of this epoch that was ever seen, beyond ``seq`` perhaps
        self.heard: Callable[[tuple[str, ...], Seq], None] | None = None  # is told of each purge once, as it is learned
        self._ahead: set[int] = set()  # purges of our own that the chain up to ``seq`` did not name
        self.changes = 0
        """Counts up with whatever may change a judgement."""

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
        # Race: (1) a purge of our own is acknowledged, (2) its server dies, (3) the one promoted without it purges on
        # from where it was, beyond (1). Its log is whole; only that it does not name (1) tells.
        self._ahead.difference_update(purge.n for purge in tail.purges)
        unnamed = any(n <= tail.seq.n for n in self._ahead)
        for purge in tail.purges:
            self.learn(purge.selectors, Seq(self.seq.epoch, purge.n), purge.before, soft=purge.soft)
        return Followed.UP_TO_DATE if self.seq.n >= tail.seq.n and not unnamed else Followed.BROKEN

    def learn(self, selectors: Iterable[str], seq: Seq, before: int, *, soft: bool) -> None:
        """Take over one purge; ``seq`` moves on only if nothing lies between."""
        if self.seq is None or seq.epoch != self.seq.epoch:
            return
        names = tuple(selectors)
        # Race: (1) a purge of ours is answered by a server that dies, (2) one of ours by the server promoted without
        # it, (3) the answers arrive the other way round. Then ``seq`` has passed the first by.
        self.changes += 1
        passed_by = not self._marks.has(names, seq.n, soft=soft)
        if passed_by and self.heard is not None:
            self.heard(names, seq)
        self._marks.purge(names, seq.n, soft=soft)
        self.known = max(self.known, seq.n)
        if self.seq.n == before:
            self.seq = seq
        elif seq.n > self.seq.n or passed_by:
            self._ahead.add(seq.n)

    def lost(self, snapshot: Snapshot, known_when_asked: int) -> Lost:
        """Return what the whole ledger, as asked for when this mirror had seen ``known_when_asked``, does not know.

        A server promoted without the last purges lacks them, whether it ends before them or has purged on since.
        """
        if self.seq is None:
            return Lost()
        if snapshot.seq.epoch != self.seq.epoch:
            # A new ledger purges all before it. One that had ended and is back has lost what was purged meanwhile.
            return Lost((EVERYTHING,)) if snapshot.seq.epoch in self._past else Lost()
        known = max(known_when_asked, snapshot.seq.n)  # only beyond both may it be on its way here
        return Lost(
            self._marks.missing_from(snapshot.hard, snapshot.floor, known, soft=False),
            self._marks.missing_from(snapshot.soft, snapshot.floor, known, soft=True),
            went_back=snapshot.seq.n < known_when_asked,
        )

    def reload(self, snapshot: Snapshot) -> None:
        """Take over the whole ledger; what this mirror knows beyond it stays."""
        self.changes += 1
        # Race: (1) we ask for the ledger, (2) a purge of our own is acknowledged, (3) the older answer arrives.
        marks = Marks(self._most, snapshot.floor, snapshot.hard, snapshot.soft)
        if self.seq is not None and self.seq.epoch == snapshot.seq.epoch:
            marks.take_over(self._marks)
            self._ahead = {n for n in self._ahead if n > snapshot.seq.n}
        elif self.seq is not None:
            self.leave_behind(self.seq.epoch)
            self.known = 0
            self._ahead = set()
        self._marks = marks
        self.seq = snapshot.seq
        self.known = max(self.known, snapshot.seq.n)

    def go_back_to(self, epoch: str) -> None:
        """Take an epoch that had ended as one that goes on: it was told what it had lost."""
        if epoch in self._past:
            self.changes += 1
            self._past.remove(epoch)

    def leave_behind(self, epoch: str) -> None:
        """Note an epoch that has ended: whatever was read in it counts as purged."""
        if epoch not in self._past:
            self.changes += 1
            self._past.append(epoch)
