"""A small world: one resource, one backend, one Redis, a few sidecars; and what can be broken in its rules.

Everything in it is a hashable value. The mirrors, the judging and the plan are the ones that run in production; a
mirror is copied before it is moved on.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from proxy.message.headers import Headers
from proxy.message.request import Request
from proxy.message.selectors import Seq, Standing
from proxy.message.stored import Freshness, LifetimeSource, StoredResponse
from proxy.policy.plan import Plan, plan_for
from proxy.policy.rules import Route
from proxy.purge.mirror import Mirror
from tests.model.server import Entry, Server

TAG = "tag:t"
SELECTORS = ("route:r", TAG)
MOST = 99
NOW = 1.0
_REQUEST = Request(b"GET", b"/", Headers([]), b"a")
_ROUTE = Route("r")


class Copy:
    """A mirror at rest: equal to another when they know the same."""

    __slots__ = ("_key", "mirror")

    def __init__(self, mirror: Mirror) -> None:
        self.mirror, self._key = mirror, (type(mirror), _value(vars(mirror)))

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Copy) and self._key == other._key

    @cache  # noqa: B019 - copies live as long as the exploration
    def after(self, verb: str, *args, **kwargs) -> tuple[object, Copy]:
        """Do something with the mirror; return what it said, and the mirror after."""
        mirror = copy.deepcopy(self.mirror)
        said = getattr(mirror, verb)(*(_thawed(arg) for arg in args), **kwargs)
        return said, Copy(mirror)

    @cache  # noqa: B019 - as above
    def standing(self, s0: Seq, at: Seq) -> Standing | None:
        return self.mirror.standing(SELECTORS, s0, at)


class Frozen(NamedTuple):
    """A snapshot as a hashable value."""

    seq: Seq
    floor: int
    hard: tuple
    soft: tuple


def _thawed(arg):
    from proxy.purge.records import Snapshot

    return Snapshot(arg.seq, arg.floor, dict(arg.hard), dict(arg.soft)) if isinstance(arg, Frozen) else arg


def _value(thing):
    if isinstance(thing, dict):
        return tuple((name, _value(each)) for name, each in thing.items())
    if isinstance(thing, set):
        return frozenset(thing)
    if isinstance(thing, str | int | float | Seq | None | tuple):
        return thing
    if hasattr(thing, "__dict__"):
        return _value(vars(thing))
    return tuple(map(_value, thing))


class Look(NamedTuple):
    """A read of the ledger on its way; stages with "?" wait for the server, with "!" for the process."""

    stage: str
    known: int
    asked_at: int
    payload: object = None
    line: int = 0


class Flight(NamedTuple):
    """A fetch under way."""

    number: int
    pc: str = "looking"
    entry: Entry | None = None
    at: Seq | None = None
    tries: int = 0
    stored: Entry | None = None
    draft: Entry | None = None


class Process(NamedTuple):
    """One sidecar. ``asked_at``: when the last answered read of the ledger was sent; ``healed``: where it last told
    the ledger again what that had lost; ``line``: which server, by promotions, it last had a look at."""

    mirror: Copy
    look: Look | None = None
    flights: tuple[Flight, ...] = ()
    asked_at: int = -99
    hot: Entry | None = None
    healed: int = 0
    line: int = 0


class Reader(NamedTuple):
    """One request. ``hard`` and ``soft`` are the versions that it must see at least, unless it is told "stale"."""

    place: int
    pc: str = "ready"
    hard: int = 0
    soft: int = 0
    entry: Entry | None = None
    at: Seq | None = None
    tries: int = 0
    flight: int = 0
    found: bool = False


class Writer(NamedTuple):
    """Commits, then purges through one sidecar, perhaps waiting for all of them."""

    place: int
    soft: bool = False
    wait: bool = False
    names: tuple[str, ...] = (TAG,)
    pc: str = "ready"
    version: int = 0
    seq: Seq | None = None
    before: int = 0


class Ack(NamedTuple):
    """A purge that its caller was told of."""

    version: int
    soft: bool
    at: int
    waited: bool


class World(NamedTuple):
    """All there is at one moment. ``more`` holds how often each misfortune may still happen."""

    server: Server
    processes: tuple[Process, ...]
    readers: tuple[Reader, ...]
    writers: tuple[Writer, ...]
    replica: Server | None = None
    data: int = 0
    acks: tuple[Ack, ...] = ()
    now: int = 0
    clock: int = 10
    epochs: int = 1
    flown: int = 0
    line: int = 0
    more: tuple[tuple[str, int], ...] = ()
    wrong: str = ""


@dataclass(frozen=True)
class Story:
    """Who acts, and what may go wrong meanwhile.

    ``max_lag`` in ticks of the clock, 0: no hot tier. ``window``: stale-while-revalidate. ``etag``: the backend
    answers 304 where it can. ``fetches``: a miss goes on to the backend, or is the end.
    ``named``: servers tell who they are; where they do not, a failover may take what nobody waited for. ``polls``: who looks at the ledger by itself, step by step; ``glances``: at one go.
    """

    readers: tuple[int, ...]
    writers: tuple[Writer, ...]
    sidecars: int = 2
    max_lag: int = 0
    window: float = 60.0
    etag: bool = True
    polls: tuple[int, ...] = ()
    glances: tuple[int, ...] = ()
    stored: bool = True
    fetches: bool = True
    named: bool = False
    misfortunes: tuple[tuple[str, int], ...] = ()


class Rules:
    """The lines of the rule that live outside the mirror; a test breaks one of them."""

    mirror = Mirror

    def s0(self, before: Seq | None, after: Seq | None) -> Seq | None:
        """An entry carries the position read before its fetch, not the one after."""
        return before

    def restamped(self, before: Seq | None, after: Seq | None, stored: Entry) -> Seq | None:
        """So does an entry that a 304 freshened."""
        return before

    def follower_is_judged(self, draft: Entry, *, found: bool) -> bool:
        """A follower takes nothing that was purged before it asked, wherever its fetch has it from."""
        return True

    def age_counts_from(self, sent: int, received: int) -> int:
        """A mirror is as old as the sending of its last answered read."""
        return sent

    def may_trust(self, age: int, max_lag: int) -> bool:
        """A hot hit trusts the mirror while it is younger than that."""
        return age < max_lag

    def compares(self) -> bool:
        """A lookup reads the position together with the entry, and judges as of it."""
        return True

    def confirmed(self, mirror: Mirror, seq: Seq) -> bool:
        """A sidecar has seen a purge when it knows everything up to it."""
        return mirror.seq is not None and mirror.seq.epoch == seq.epoch and mirror.seq.n >= seq.n

    def looks_first(self) -> bool:
        """After its connection broke a sidecar looks at the ledger before it judges: it may be another server's."""
        return True

    def verifies(self) -> bool:
        """Whoever waits has its own sidecar look once more: a server promoted meanwhile counts on without the purge."""
        return True

    def opened(self, server: Server, fresh: str, clock: int, home: int) -> Server:
        """A lost ledger begins a new epoch."""
        from tests.model.server import opened

        return opened(server, fresh, clock, home)


@cache
def verdict(standing: Standing, window: float) -> Plan:
    """What the plan is for something fresh with that standing."""
    freshness = Freshness(3600.0, LifetimeSource.ROUTE, window, window)
    stored = StoredResponse(200, b"OK", Headers([]), b"", NOW, NOW, 0.0, freshness, SELECTORS, Seq("", 0))
    return plan_for(_REQUEST, _ROUTE, stored, standing, vary_miss=False, now=NOW)


def begin(story: Story, rules: Rules) -> World:
    """The world at first: a ledger, perhaps an entry, and sidecars that have read the ledger."""
    seq = Seq("e1", 10)
    mirror = rules.mirror(MOST)
    mirror.reload(_thawed(Frozen(seq, 0, (), ())))
    server = Server("e1", 10, entry=Entry(0, seq) if story.stored else None)
    return World(
        server=server,
        processes=(Process(Copy(mirror), asked_at=0, hot=server.entry if story.max_lag else None),) * story.sidecars,
        readers=tuple(Reader(place) for place in story.readers),
        writers=story.writers,
        replica=server if any(name == "failover" for name, _ in story.misfortunes) else None,
        more=story.misfortunes,
    )
