"""The windows of all replicas, in Redis.

Under ``cache:popular:<service>:window:{<route>:<seconds>}:``, each key with a time of its own:

- ``since``               since when there was always somebody who counts; gone a minute after the last of them
- ``<number>:<0..f>``     a hash, reads by digest, in 16 parts: freeing one takes a millisecond or two, not 30
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.backplane.scripts import Script
from proxy.policy.adaptive import last_full
from proxy.popularity.windows import MOST, SILENCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.backplane.client import Backplane

_AT_ONCE: Final = 1000
_FULL: Final = b"#full"  # no digest

# Arguments: how many entries are counted, for how many milliseconds they are kept, then digest and reads of each.
_ADD: Final = Script(
    b"""#!lua
local room = tonumber(ARGV[1]) - redis.call('HLEN', KEYS[1])
for i = 3, #ARGV, 2 do
  if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 then
    redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1])
  elseif room > 0 then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
    room = room - 1
  else
    redis.call('HSET', KEYS[1], '#full', 1)
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return room
"""
)


class SharedWindows:
    """One count for all who share a Redis and a service's name."""

    def __init__(self, backplane: Backplane, service: str) -> None:
        self._backplane = backplane
        self._prefix = b"cache:popular:%s:window:" % service.encode()

    async def add(self, route: str, window: float, reads: Sequence[tuple[str, int]], now: float) -> None:
        """Count reads: a script for each part that has any."""
        since, silence = self._key(route, window, "since"), round(SILENCE * 1000)
        await self._backplane.pipeline(
            "popular", ((b"SET", since, repr(now), b"NX", b"PX", silence), (b"PEXPIRE", since, silence))
        )
        number, keep = last_full(window, now).number + 1, round(2 * window * 1000)
        parts: dict[str, list[str | int]] = {}
        for digest, count in reads:
            parts.setdefault(digest[0], []).extend((digest, count))
        for part, words in parts.items():
            key = self._key(route, window, f"{number}:{part}")
            for start in range(0, len(words), 2 * _AT_ONCE):
                some = words[start : start + 2 * _AT_ONCE]
                await self._backplane.script("popular", _ADD, (key,), (MOST, keep, *some))

    async def last(self, route: str, window: float, digest: str, now: float) -> int | None:
        """Return an entry's reads in the last full window, in one round trip."""
        number, began = last_full(window, now)
        since, (count, full) = await self._backplane.pipeline(
            "popular",
            (
                (b"GET", self._key(route, window, "since")),
                (b"HMGET", self._key(route, window, f"{number}:{digest[0]}"), digest, _FULL),
            ),
        )
        if since is None or float(since) > began:
            return None
        if count is None:
            return 0 if full is None else None
        return int(count)

    def _key(self, route: str, window: float, name: str) -> bytes:
        return self._prefix + f"{{{route}:{window:g}}}:{name}".encode("ascii")
