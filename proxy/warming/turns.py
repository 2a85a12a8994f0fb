"""Who among all replicas runs what is due: one of them, and another if that one dies.

One key per schedule, ``cache:purge:{<service>}:schedule:<digest>``, with a time of its own always: the due time, and
``done`` or the token of whoever is at it. A turn that is neither finished nor given up ends after ``HELD``; the others
ask every ``RETRY`` seconds, so they take over within the sum of both.
"""

from __future__ import annotations

import secrets
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol

from proxy.backplane.scripts import Script

if TYPE_CHECKING:
    from proxy.backplane.client import Backplane

HELD: Final = 30.0
"""Seconds that whoever has taken a turn may take for it: a purge takes 1 ms, a store that stalls is given up after 2 s."""

RETRY: Final = 5.0
"""Seconds after which one who was not first looks whether the first has finished."""

REMEMBERED: Final = 3600.0
"""Seconds for which a due time is known to be done: more than replicas' clocks differ, and than anybody is late."""

# Arguments: the due time, this process's token, milliseconds. A later due time has made this one pointless.
_TAKE: Final = Script(
    b"""#!lua flags=allow-oom
local due, state = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) (.+)$')
if due and tonumber(due) > tonumber(ARGV[1]) then return 'done' end
if due == ARGV[1] and state ~= ARGV[2] then return state == 'done' and 'done' or 'taken' end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])
return 'mine'
"""
)

_FINISH: Final = Script(
    b"""#!lua flags=allow-oom
local due = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) ')
if not due or tonumber(due) <= tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], ARGV[1] .. ' done', 'PX', ARGV[2])
end
return 1
"""
)


class Turn(Enum):
    """What came of asking for a turn."""

    MINE = "mine"
    TAKEN = "taken"
    DONE = "done"


class Turns(Protocol):
    """Gives each due time to one of all who ask. Raises StoreError."""

    async def take(self, digest: str, due: int) -> Turn:
        """Ask for the turn of a schedule at its due time, wall-clock seconds."""
        ...

    async def finish(self, digest: str, due: int) -> None:
        """Tell all that it was done."""
        ...


class OwnTurns:
    """For one process that shares nothing: every turn is its own."""

    async def take(self, digest: str, due: int) -> Turn:
        """Take it."""
        del digest, due
        return Turn.MINE

    async def finish(self, digest: str, due: int) -> None:
        """Nobody is to be told."""


class SharedTurns:
    """By a key in Redis for each schedule."""

    def __init__(self, backplane: Backplane, service: str, held: float = HELD) -> None:
        self._backplane = backplane
        self._prefix = b"cache:purge:{%s}:schedule:" % service.encode()
        self._held = held
        self._token = secrets.token_hex(8)

    async def take(self, digest: str, due: int) -> Turn:
        """Take it if nobody else has."""
        arguments = (due, self._token, round(self._held * 1000))
        reply = await self._backplane.script("schedule", _TAKE, (self._key(digest),), arguments)
        return Turn(reply.decode("ascii"))

    async def finish(self, digest: str, due: int) -> None:
        """Leave word for those who look later."""
        arguments = (due, round(REMEMBERED * 1000))
        await self._backplane.script("schedule", _FINISH, (self._key(digest),), arguments)

    def _key(self, digest: str) -> bytes:
        return self._prefix + digest.encode("ascii")
