"""What is asked of whom, as a table; and what is asked of the results."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from bench.peers.behind import ETAG, URLS
from bench.peers.servers import Haproxy, Nginx, Sapwood, Varnish
from bench.peers.wrk import Ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.peers.servers import Bed, Server

KEYS: Final = 100_000

HOT: Final = Ask(f'"/2k/" .. turn % {URLS}')
LARGE: Final = Ask(f'"/64k/" .. turn % {URLS}')
SAME: Final = Ask(f'"/2k/" .. turn % {URLS}', fields=(("If-None-Match", ETAG),))
MEMCACHED: Final = Ask(f'"/memcached/" .. turn % {URLS}')
FRESH: Final = Ask('"/2k/SALT-" .. turn')
PASSED: Final = Ask('"/pass/SALT-" .. turn')
# Nine in ten are one of 100,000 keys by Zipf's law (0.9, as in traces of web caches), one in ten was never asked before.
MIXED: Final = Ask(
    "target()",
    prelude=f"""
local sums, total = {{}}, 0
for rank = 1, {KEYS} do total = total + rank ^ -0.9; sums[rank] = total end
math.randomseed(SEED)
local function target()
  if math.random() < 0.1 then return "/2k/SALT-" .. turn end
  local at, low, high = math.random() * total, 1, {KEYS}
  while low < high do
    local middle = math.floor((low + high) / 2)
    if sums[middle] < at then low = middle + 1 else high = middle end
  end
  return "/2k/z" .. low
end
""",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One of those that are compared: a label, who it is, and what it is asked."""

    label: str
    make: Callable[[Bed, str], Server]
    ask: Ask


@dataclass(frozen=True, slots=True)
class Scenario:
    """A piece of work; ``warm`` are targets asked first, ``backend`` how many of 100 requests may reach the backend."""

    name: str
    title: str
    entries: tuple[Entry, ...]
    warm: tuple[str, ...] = ()
    backend: tuple[float, float] = (0, 100)
    way: Literal["closed"] = "closed"


def _all(ask: Ask) -> tuple[Entry, ...]:
    """Let all four do it."""
    kinds: tuple[type[Server], ...] = (Sapwood, Nginx, Varnish, Haproxy)
    return tuple(Entry(kind.kind, kind, ask) for kind in kinds)


NO_HOT_TIER: Final = partial(Sapwood, budget=0)
SMALL: Final = tuple(f"/2k/{number}" for number in range(URLS))
BIG: Final = tuple(f"/64k/{number}" for number in range(URLS))
MANY: Final = tuple(f"/2k/z{rank}" for rank in range(1, KEYS + 1))
HITS: Final = (0.0, 0.1)

SCENARIOS: Final = (
    Scenario("hot", "hot hit, 2 KiB", _all(HOT), SMALL, HITS),
    Scenario("hot-64k", "hot hit, 64 KiB", _all(LARGE), BIG, HITS),
    Scenario("304", "hot hit, not modified", _all(SAME), SMALL, HITS),
    Scenario(
        "redis",
        "hit from Redis, 2 KiB",
        (
            Entry("sapwood", NO_HOT_TIER, HOT),
            Entry("nginx, memcached", Nginx, MEMCACHED),
            Entry("nginx, hot hit", Nginx, HOT),
        ),
        SMALL,
        HITS,
    ),
    Scenario(
        "miss",
        "miss, kept",
        (
            Entry("sapwood", Sapwood, FRESH),
            Entry("nginx, pass-through", Nginx, PASSED),
            Entry("nginx", Nginx, FRESH),
            Entry("varnish", Varnish, FRESH),
            Entry("haproxy", Haproxy, FRESH),
        ),
        backend=(99, 101),
    ),
    Scenario("pass", "pass-through", _all(PASSED), backend=(99, 101)),
    Scenario(
        "zipf",
        "100,000 keys by Zipf, one in ten a miss",
        (
            Entry("sapwood, 64 MiB", partial(Sapwood, budget=64), MIXED),
            Entry("sapwood, 512 MiB", partial(Sapwood, budget=512), MIXED),
            Entry("nginx", partial(Nginx, budget=1024), MIXED),
            Entry("varnish", partial(Varnish, budget=1024), MIXED),
        ),
        MANY,
        (9, 11),
    ),
)


@dataclass(frozen=True, slots=True)
class Goal:
    """Ours may be at most so many times theirs, in this scenario and quantity."""

    scenario: str
    quantity: str
    ours: str
    theirs: str
    at_most: float


GOALS: Final = (
    Goal("hot", "cost", "sapwood", "nginx", 1.0),
    Goal("hot", "cost", "sapwood", "varnish", 0.5),
    Goal("redis", "cost", "sapwood", "nginx, hot hit", 2.0),
    Goal("miss", "cost", "sapwood", "nginx, pass-through", 3.0),
)
