"""What is asked of whom, as a table; and what is asked of the results."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from bench.peers.behind import ETAG, URLS
from bench.peers.others import Haproxy, Nginx, Varnish
from bench.peers.servers import Sapwood
from bench.peers.wrk import Ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.peers.servers import Bed, Server

KEYS: Final = 100_000

HOT: Final = Ask(f'"/2k/" .. turn % {URLS}', "/2k/1")
LARGE: Final = Ask(f'"/64k/" .. turn % {URLS}', "/64k/1")
SAME: Final = Ask(f'"/2k/" .. turn % {URLS}', "/2k/1", fields=(("If-None-Match", ETAG),))
MEMCACHED: Final = Ask(f'"/memcached/" .. turn % {URLS}', "/memcached/1")
FRESH: Final = Ask('"/2k/SALT-" .. turn', "/2k/sample")
PASSED: Final = Ask('"/pass/SALT-" .. turn', "/pass/sample")
# Nine in ten are one of 100,000 keys by Zipf's law (0.9, as in traces of web caches), one in ten was never asked before.
MIXED: Final = Ask(
    "target()",
    "/2k/z1",
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
    """A piece of work.

    ``warm`` are targets asked first, ``backend`` bounds how many of 100 requests reach the backend, ``rounds`` how many
    rounds there are at most, ``status`` is what each answer has, ``way`` who asks: wrk in a closed loop; a rate of 5,000
    a second that waits for nobody, kept by our own crowd or by k6; 2,000 a second over 10,000 connections; 1,000 clients
    at one moment for one key that nobody has.
    """

    name: str
    title: str
    entries: tuple[Entry, ...]
    warm: tuple[str, ...] = ()
    backend: tuple[float, float] = (0.0, 100.0)
    rounds: int = 1000
    status: int = 200
    way: Literal["closed", "open", "k6", "crowd", "cold"] = "closed"


def _each(ask: Ask, *kinds: type[Server]) -> tuple[Entry, ...]:
    """Let these do the same, as they are by default; all four where none are named."""
    return tuple(Entry(kind.kind, kind, ask) for kind in kinds or (Sapwood, Nginx, Varnish, Haproxy))


NO_HOT_TIER: Final = partial(Sapwood, budget=0)
SMALL: Final = tuple(f"/2k/{number}" for number in range(URLS))
BIG: Final = tuple(f"/64k/{number}" for number in range(URLS))
MANY: Final = tuple(f"/2k/z{rank}" for rank in range(1, KEYS + 1))
HITS: Final = (0.0, 0.1)
FETCHES: Final = (98.0, 102.0)

SCENARIOS: Final = (
    Scenario("hot", "hot hit, 2 KiB", _each(HOT), SMALL, HITS),
    Scenario("hot-64k", "hot hit, 64 KiB", _each(LARGE), BIG, HITS),
    # HAProxy's 304 states the length of what it leaves out, as it may; wrk would wait for that.
    Scenario("304", "hot hit, not modified", _each(SAME, Sapwood, Nginx, Varnish), SMALL, HITS, status=304),
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
            Entry("nginx", partial(Nginx, budget=512), FRESH),
            Entry("varnish", partial(Varnish, budget=512), FRESH),
            Entry("haproxy", partial(Haproxy, budget=512), FRESH),
        ),
        backend=FETCHES,
    ),
    Scenario("pass", "pass-through", _each(PASSED, Sapwood, Nginx), backend=FETCHES),
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
        (8.0, 13.0),
    ),
    Scenario("open", "5,000 hits a second, come what may", _each(HOT, Sapwood, Nginx), SMALL, HITS, way="open"),
    Scenario(
        "k6", "2,500 hits a second, come what may, by k6", _each(HOT, Sapwood, Nginx), SMALL, HITS, rounds=5, way="k6"
    ),
    Scenario("crowd", "10,000 connections", _each(HOT, Sapwood, Nginx), SMALL, HITS, rounds=3, way="crowd"),
    Scenario("cold", "1,000 clients, one cold key", _each(HOT, Sapwood, Nginx, Varnish), rounds=3, way="cold"),
)


@dataclass(frozen=True, slots=True)
class Goal:
    """Ours may be at most so much in this scenario and quantity; where there is a ``theirs``, so many times theirs."""

    scenario: str
    quantity: str
    at_most: float
    ours: str = "sapwood"
    theirs: str | None = None


GOALS: Final = (
    Goal("hot", "cost", 1.0, theirs="nginx"),
    Goal("hot", "cost", 0.5, theirs="varnish"),
    Goal("redis", "cost", 2.0, theirs="nginx, hot hit"),
    Goal("miss", "cost", 3.0, theirs="nginx, pass-through"),
    Goal("open", "p99", 1.5, theirs="nginx"),
    Goal("crowd", "p99", 20.0),
    Goal("crowd", "idle", 4.0),
    Goal("cold", "fetches", 1.0),
)
