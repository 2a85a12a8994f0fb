"""Where dictionaries lie in Redis, for all replicas.

- ``cache:dictionary:<name>``             one dictionary, named by its content
- ``cache:dictionary:<service>:current``  the name of the one that new entries lean on
- ``cache:dictionary:<service>:turn``     there while nobody else is to train

Each has a time. That of a dictionary is never shortened, and only prolonged by those who write entries that lean on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.store.dictionary import NAME_LENGTH, Dictionary, name_of
from proxy.store.options import LARGEST_DICTIONARY

if TYPE_CHECKING:
    from proxy.backplane.client import Backplane

_OPERATION: Final = "dictionary"


class Shelf:
    """The dictionaries of one service. Every method raises StoreError and nothing else; times are in seconds."""

    def __init__(self, backplane: Backplane, service: str) -> None:
        self._backplane = backplane
        self._current = b"cache:dictionary:%b:current" % service.encode()
        self._turn = b"cache:dictionary:%b:turn" % service.encode()

    @property
    def breaks(self) -> int:
        """How many connections broke: after one, another server may answer, which has nothing of what this one had."""
        return self._backplane.breaks

    async def fetch(self, name: bytes) -> Dictionary | None:
        """Return the dictionary of that name, None where it is gone. BadDictionaryError: this build cannot read it.

        What is not what its name says is removed, so that whoever has the right one puts it back.
        """
        # Whatever was planted here, no more of it is read than a dictionary has.
        (value,) = await self._backplane.attempt(_OPERATION, ((b"GETRANGE", _place(name), 0, LARGEST_DICTIONARY),))
        if isinstance(value, bytes):
            if name_of(value) == name:
                return Dictionary(value)
            if value:
                await self._backplane.run(_OPERATION, b"UNLINK", _place(name))
        elif str(value).startswith("WRONGTYPE"):
            await self._backplane.run(_OPERATION, b"UNLINK", _place(name))
        self._backplane.tell(_OPERATION, "lost")
        return None

    async def current(self) -> bytes | None:
        """Return the name of the one that is in use."""
        said = await self._backplane.run(_OPERATION, b"GET", self._current)
        try:
            name = bytes.fromhex((said or b"").decode("ascii"))
        except ValueError:
            return None
        return name if len(name) == NAME_LENGTH else None

    async def put(self, dictionary: Dictionary, seconds: float) -> None:
        """Keep a dictionary for so long at least, and let new entries lean on it."""
        milliseconds, place = int(seconds * 1000), _place(dictionary.name)
        await self._backplane.pipeline(
            _OPERATION,
            (
                (b"SET", place, dictionary.value, b"PX", milliseconds, b"NX"),
                (b"PEXPIRE", place, milliseconds, b"GT"),
                (b"SET", self._current, dictionary.name.hex(), b"PX", milliseconds),
            ),
        )

    async def prolong(self, dictionary: Dictionary, seconds: float) -> float:
        """Let a dictionary lie for so long at least; return how long it does, 0.0 where it is gone.

        Nobody reads it but new replicas. That it is prolonged counts as a reading too (PEXPIRE, also where it changes
        nothing), or a server that is full would let it go first.
        """
        milliseconds, place = int(seconds * 1000), _place(dictionary.name)
        *_, left = await self._backplane.pipeline(
            _OPERATION,
            (
                (b"SET", self._current, dictionary.name.hex(), b"PX", milliseconds, b"NX"),
                (b"PEXPIRE", place, milliseconds, b"GT"),
                (b"PEXPIRE", self._current, milliseconds, b"GT"),
                (b"PTTL", place),
            ),
        )
        return max(0, int(left)) / 1000

    async def take_turn(self, seconds: float) -> bool:
        """Say whether this replica is to train; nobody else is for so long."""
        return bool(await self._backplane.run(_OPERATION, b"SET", self._turn, b"1", b"PX", int(seconds * 1000), b"NX"))

    async def rest(self, seconds: float) -> None:
        """Let nobody train for so long."""
        await self._backplane.run(_OPERATION, b"SET", self._turn, b"1", b"PX", int(seconds * 1000))


def _place(name: bytes) -> bytes:
    return b"cache:dictionary:" + name.hex().encode("ascii")
