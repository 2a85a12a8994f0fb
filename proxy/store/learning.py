"""Which dictionary new entries lean on, and when another one is trained.

How to think about it. An entry may lean on a dictionary only if that is sure to lie in Redis for longer than the entry.
So a dictionary's time is prolonged first, to twice what entries ask for, and believed when Redis has answered; until
then entries are saved without one. No save waits for any of this: whatever asks Redis does so beside it, in ``_tend``,
one at a time. Every minute of use it looks whether the dictionary still lies there, else puts it back, and whether
replicas have agreed on another one. So what a flush or a full server took away is mended by whoever still has it.

Two replicas may train at the same time, where Redis forgot whose turn it was. Then there are two dictionaries with two
names, the last one is agreed on, and what leans on the other is read as long as it lives.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from proxy.message.errors import StoreError
from proxy.message.stored import Uncacheable
from proxy.store.codec import encode, plainly
from proxy.store.dictionary import LONGEST
from proxy.store.leaning import lengths
from proxy.store.training import Drift, Samples, train

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.background import Background
    from proxy.message.stored import CacheKey, StoredResponse
    from proxy.observe.events import Observer
    from proxy.store.dictionaries import Dictionaries
    from proxy.store.dictionary import Dictionary
    from proxy.store.options import DictionaryOptions
    from proxy.store.shelf import Shelf

LOOK_SECONDS: Final = 60.0
"""Between two looks at what lies in Redis: as long as a loss, which costs new replicas their hits, may go on."""

LONGEST_LIFE: Final = 8 * 86400.0
"""An entry that is to live longer leans on nothing, or a dictionary would lie there for a year for its sake."""

_SOON: Final = 1.0  # between two looks, however much there is to see
_SENDING: Final = 10.0  # an entry's time begins when Redis has it, which is so much later at most
_TRAINING: Final = 60.0  # how long a turn is held for who trains, which takes a tenth of a second
_LIVES: Final = 4  # at most so many dictionaries are trained in the time for which one lies there


class Learning:
    """What the entries of one store lean on. ``now`` gives the seconds by which a dictionary's time is known to end."""

    def __init__(  # noqa: PLR0913 - where they lie, who starts tasks, who is told
        self,
        shelf: Shelf,
        known: Dictionaries,
        options: DictionaryOptions,
        tasks: Background,
        observer: Observer,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shelf = shelf
        self._known = known
        self._options = options
        self._tasks = tasks
        self._observer = observer
        self._now = now
        self.current: Dictionary | None = None
        self._ends = 0.0
        self._wanted = 0.0
        self._looks_at = 0.0
        self._looked_at = -LOOK_SECONDS
        self._learns_at = 0.0
        self._breaks = 0
        self._tending = False
        self._samples = Samples(options.samples) if options.size else None
        self._drift: Drift | None = None

    @property
    def wants_samples(self) -> bool:
        """Say whether there is anything to learn from another entry."""
        return self._samples is not None and not self._samples.are_enough

    def record_of(
        self,
        key: CacheKey,
        entry: StoredResponse | Uncacheable,
        ttl: float,
        compress_above: int,
        is_for_all: Callable[[], bool],
    ) -> bytes:
        """Return the record of an entry that lives for so long; the next dictionary may learn from it if it ``is_for_all``."""
        if isinstance(entry, Uncacheable) or not compress_above < len(entry.body) <= LONGEST:
            return encode(entry, key.material, compress_above)
        record = encode(entry, key.material, compress_above, self.for_entry(ttl))
        self.was_saved(record)
        samples = self._samples
        if samples is not None and samples.want(key.digest, len(entry.body), len(record)) and is_for_all():
            self.sample(key.digest, plainly(entry, key.material))
        return record

    def for_entry(self, ttl: float) -> Dictionary | None:
        """Return what an entry may lean on that lives for so many seconds."""
        if not self._options.size or ttl > LONGEST_LIFE:
            return None
        now = self._now()
        self._wanted = max(self._wanted, ttl)
        is_sure = now + ttl + _SENDING < self._ends and self._shelf.breaks == self._breaks
        if now >= self._looks_at or (self.current is not None and not is_sure):
            self._look(now)
        return self.current if is_sure else None

    def sample(self, place: str, octets: bytes) -> None:
        """Learn from what anybody may read."""
        if self._samples is not None:
            self._samples.add(place, octets)
            if self._samples.are_enough:
                self._looks_at = self._now()

    def was_saved(self, record: bytes) -> None:
        """Watch whether the dictionary still suits what is saved."""
        if self._drift is not None and (of := lengths(record)) is not None and self._drift.has_come(*of):
            self._samples = Samples(self._options.samples)

    def _look(self, now: float) -> None:
        if not self._tending and now >= self._looked_at + _SOON:
            self._tending, self._looked_at, self._looks_at = True, now, now + LOOK_SECONDS
            self._tasks.start(self._tend(), "dictionary").add_done_callback(self._tended)

    def _tended(self, _: asyncio.Task[None]) -> None:
        self._tending = False

    async def _tend(self) -> None:
        """See what lies in Redis, have it lie there long enough, and train if it is time and this replica's turn."""
        try:
            await self._follow()
            if self.current is None and self._samples is None and self._now() >= self._learns_at:
                self._samples = Samples(self._options.samples)
            if self._samples is not None and self._samples.are_enough:
                await self._train(self._samples)
            if self.current is not None:
                await self._prolong(self.current)
        except StoreError:
            return  # told by the backplane; until the next look entries lean on what is still sure to be there

    async def _follow(self) -> None:
        """Take what replicas have agreed on."""
        name = await self._shelf.current()
        if name is not None and (self.current is None or name != self.current.name):
            agreed = await self._known.get_one(name)
            if agreed is not None:
                self._use(agreed)
            elif self.current is not None:
                await self._shelf.put(self.current, self._life())

    async def _prolong(self, current: Dictionary) -> None:
        """Have the dictionary lie there for long enough, and remember until when that is sure."""
        seconds, self._wanted = self._life(), 0.0
        breaks, sent = self._shelf.breaks, self._now()
        left = await self._shelf.prolong(current, seconds)
        if left == 0:
            await self._shelf.put(current, seconds)
            left = await self._shelf.prolong(current, seconds)
        self._ends, self._breaks = sent + left, breaks

    async def _train(self, samples: Samples) -> None:
        if not await self._shelf.take_turn(_TRAINING):
            return
        began = time.perf_counter()
        trained = await asyncio.to_thread(train, samples.all(), self._options.size, self.current)
        self._samples = None
        self._observer.tell(trained.event(len(samples), time.perf_counter() - began))
        life = self._life()
        if trained.dictionary is not None:
            await self._shelf.put(trained.dictionary, life)
            self._known.hold(trained.dictionary)
            self._use(trained.dictionary)
        rest = max(self._options.every, life / _LIVES)
        self._learns_at = self._now() + rest
        await self._shelf.rest(rest)

    def _life(self) -> float:
        """Return for how long a dictionary is to lie there: twice what entries ask for, so that it is seldom asked for."""
        return 2 * (self._wanted + LOOK_SECONDS)

    def _use(self, dictionary: Dictionary) -> None:
        """Let new entries lean on this one, as soon as it is known how long it lies there."""
        self.current = dictionary
        self._ends = 0.0
        self._drift = Drift(dictionary.ratio)
        self._samples = None
