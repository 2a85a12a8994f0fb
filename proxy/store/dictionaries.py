"""The dictionaries at hand in this process: so many, and each asked of Redis once."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from proxy.message.errors import StoreError
from proxy.store.dictionary import BadDictionaryError

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.background import Background
    from proxy.store.dictionary import Dictionary
    from proxy.store.shelf import Shelf

MOST_HELD: Final = 8
"""Of 0.3 MB each. Replicas use one; the others are for what was saved under its predecessors, of which few live."""

LOST_SECONDS: Final = 5.0
"""How long one that was not there is not asked for again: every entry that leans on it would."""

MOST_LOST: Final = 64
"""How many are known to be lost, whatever names somebody plants; beyond, the oldest is asked for again."""


class Dictionaries(dict[bytes, "Dictionary"]):
    """Those at hand, by name. ``now`` gives the seconds by which one that was lost is looked for again."""

    def __init__(self, shelf: Shelf, tasks: Background, *, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._shelf = shelf
        self._tasks = tasks
        self._now = now
        self._lost: dict[bytes, float] = {}
        self._asked: dict[bytes, asyncio.Task[Dictionary | StoreError | None]] = {}

    def hold(self, dictionary: Dictionary) -> None:
        """Keep one at hand as the newest; beyond so many the one that came first goes."""
        self.pop(dictionary.name, None)
        self[dictionary.name] = dictionary
        self._lost.pop(dictionary.name, None)
        while len(self) > MOST_HELD:
            del self[next(iter(self))]

    async def get_one(self, name: bytes) -> Dictionary | None:
        """Return one, from Redis if it has to be; None where it is lost. Raises StoreError."""
        here = self.get(name)
        if here is not None or self._lost.get(name, 0.0) > self._now():
            return here
        asked = self._asked.get(name)
        if asked is None:
            asked = self._asked[name] = self._tasks.start(self._fetch(name), "dictionary")
            asked.add_done_callback(lambda _: self._asked.pop(name, None))
        answer = await asyncio.shield(asked)  # one who leaves takes nothing from the others
        if isinstance(answer, StoreError):
            raise answer
        return answer

    async def _fetch(self, name: bytes) -> Dictionary | StoreError | None:
        try:
            dictionary = await self._shelf.fetch(name)
        except BadDictionaryError:
            dictionary = None
        except StoreError as error:
            return error  # theirs who asked, however many they are
        if dictionary is None:
            self._lost.pop(name, None)
            self._lost[name] = self._now() + LOST_SECONDS
            while len(self._lost) > MOST_LOST:
                del self._lost[next(iter(self._lost))]
        else:
            self.hold(dictionary)
        return dictionary
