"""The ranking in Redis, for all replicas of a service.

Under ``cache:popular:<service>:``, each key with a time of its own and a bound on its size:

- ``now``            a sorted set, reads of these days by entry: 10,000 at most
- ``hour:<0..167>``  one for each hour of the week: 250 at most
- ``records``        a hash, the record of each entry: what neither list names any more is taken out
- ``faded:*``        who fades a list sets this first, so that it fades once; ``trimming`` likewise

No two of them are used in one script, so a cluster may spread them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.backplane.scripts import Script
from proxy.popularity.hours import HOURS, a_day_before, hour_of
from proxy.popularity.ranking import (
    FADES_BY,
    FADES_EVERY,
    FORGOTTEN_BELOW,
    MOST_AN_HOUR,
    MOST_NOW,
    WEEK_FADES_AFTER,
    WEEK_FADES_BY,
    Ranked,
)
from proxy.popularity.records import packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from proxy.backplane.client import Backplane
    from proxy.popularity.counts import Gain

KEPT: Final = 35 * 86400
"""Seconds after its last change for which a list is kept: an hour that was busy comes again five times in these."""

MOST_RECORDS: Final = 60_000
"""Above what all lists can name together (52,000): beyond it, what none of them names is taken out."""

TRIMS_APART: Final = 60
"""Seconds between two such clearings at least."""

_AT_ONCE: Final = 500
_LISTS_AT_ONCE: Final = 24

# Arguments: how many are kept, for how many seconds, then reads and digest of each. Full, the least read go.
_ADD: Final = Script(
    b"""#!lua
for i = 3, #ARGV, 2 do redis.call('ZINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
local over = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[1])
if over > 0 then redis.call('ZREMRANGEBYRANK', KEYS[1], 0, over - 1) end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return over
"""
)

# Arguments: the share that stays, what is forgotten below, for how many seconds the rest is kept.
_FADE: Final = Script(
    b"""#!lua
redis.call('ZUNIONSTORE', KEYS[1], 1, KEYS[1], 'WEIGHTS', ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""
)


class SharedRanking:
    """One ranking for all who share a Redis and a service's name."""

    def __init__(self, backplane: Backplane, service: str, zone: tzinfo) -> None:
        self.zone = zone
        self._backplane = backplane
        self._prefix = b"cache:popular:%s:" % service.encode()

    async def add(self, gains: Sequence[Gain], now: float) -> None:
        """Add reads: a script for each list, one command for all records."""
        records = [(gain, packed(gain.recipe, gain.selectors)) for gain in gains]
        kept = [(gain, octets) for gain, octets in records if octets is not None]
        if not kept:
            return
        key = self._key("records")
        told: list[bytes | str | float] = [b"HSET", key]
        for gain, octets in kept:
            told += (gain.digest, octets)
        # The record first: what a list names has one, unless it was taken out since.
        replies = await self._backplane.pipeline("popular", (told, (b"EXPIRE", key, KEPT), (b"HLEN", key)))
        reads = [word for gain, _ in kept for word in (gain.reads, gain.digest)]
        hour = f"hour:{hour_of(now, self.zone)}"
        for name, most, after, by in (
            ("now", MOST_NOW, FADES_EVERY, FADES_BY),
            (hour, MOST_AN_HOUR, WEEK_FADES_AFTER, WEEK_FADES_BY),
        ):
            await self._fade(name, after, by)
            await self._backplane.script("popular", _ADD, (self._key(name),), (most, KEPT, *reads))
        if int(replies[2]) > MOST_RECORDS and await self._is_first("trimming", TRIMS_APART):
            await self._trim()

    async def most_read(self, most: int) -> list[Ranked]:
        """Return what is read most these days."""
        return await self._top("now", most)

    async def read_at(self, moment: float, most: int) -> list[Ranked]:
        """Return what was read at that hour of the week."""
        hour = hour_of(moment, self.zone)
        return await self._top(f"hour:{hour}", most) or await self._top(f"hour:{a_day_before(hour)}", most)

    async def reads_of(self, digests: Sequence[str]) -> list[float]:
        """Return the faded reads of each."""
        if not digests:
            return []
        scores = await self._backplane.run("popular", b"ZMSCORE", self._key("now"), *digests)
        return [0.0 if score is None else float(score) for score in scores]

    def _key(self, name: str) -> bytes:
        return self._prefix + name.encode("ascii")

    async def _is_first(self, name: str, seconds: float) -> bool:
        command = (b"SET", self._key(name), b"1", b"NX", b"EX", round(seconds))
        return await self._backplane.run("popular", *command) is not None

    async def _fade(self, name: str, after: float, by: float) -> None:
        if await self._is_first(f"faded:{name}", after):
            arguments = (repr(by), repr(FORGOTTEN_BELOW), KEPT)
            await self._backplane.script("popular", _FADE, (self._key(name),), arguments)

    async def _top(self, name: str, most: int) -> list[Ranked]:
        reply = await self._backplane.run("popular", b"ZREVRANGE", self._key(name), 0, most - 1, b"WITHSCORES")
        pairs = [(digest, float(reads)) for digest, reads in zip(reply[::2], reply[1::2], strict=True)]
        found: list[Ranked] = []
        for start in range(0, len(pairs), _AT_ONCE):
            some = pairs[start : start + _AT_ONCE]
            records = await self._backplane.run("popular", b"HMGET", self._key("records"), *(one for one, _ in some))
            for (digest, reads), octets in zip(some, records, strict=True):
                record = unpacked(octets) if octets is not None else None
                if record is not None:
                    found.append(Ranked(digest.decode("latin-1"), reads, record))
        return found

    async def _trim(self) -> None:
        """Take out the records that no list names."""
        named = set(await self._backplane.run("popular", b"ZRANGE", self._key("now"), 0, -1))
        for start in range(0, HOURS, _LISTS_AT_ONCE):
            hours = range(start, min(start + _LISTS_AT_ONCE, HOURS))
            commands = [(b"ZRANGE", self._key(f"hour:{hour}"), 0, -1) for hour in hours]
            for digests in await self._backplane.pipeline("popular", commands):
                named.update(digests)
        key, cursor = self._key("records"), b"0"
        while True:
            cursor, found = await self._backplane.run("popular", b"HSCAN", key, cursor, b"COUNT", _AT_ONCE)
            gone = [digest for digest in found[::2] if digest not in named]
            if gone:
                await self._backplane.run("popular", b"HDEL", key, *gone)
            if cursor == b"0":
                return
