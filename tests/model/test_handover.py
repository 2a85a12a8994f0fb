"""No read that begins after a response was handed over returns older content: in every order in which it can happen.

One resource, one Redis; a hot tier that trusts its mirror for ``max_lag``; backends that commit and then hand over, or
purge, through another sidecar. Whatever a backend is told, "taken" or "outrun": from then on nobody who asks Redis is
answered anything older than its commit, and no hot tier from ``max_lag`` after. Then each line of the rule is broken,
and the same explorer must find the order in which that shows.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from proxy.message.selectors import IN_FORCE, Seq
from proxy.purge.marks import Superseded, judge
from tests.model.explorer import explore
from tests.model.server import Entry, Server, purged

URL, TAG = "url:/a", "tag:t"
EPOCH = "e1"
MAX_LAG = 1


class Rules:
    """What ``proxy.pipeline.handover`` does."""

    def is_first(self, superseded: Superseded, since: Seq) -> bool:
        """The URL was not purged since the position that the backend had read: asked in the step that purges it."""
        return superseded.is_first_since(since)

    def judged_by(self, before: Server, after: Server) -> Server:
        """The other selectors are judged by all that was purged up to the purge of the URL."""
        return after

    def purges(self) -> bool:
        """To hand over is a purge of the URL."""
        return True

    def s0(self, since: Seq, at: Seq) -> Seq:
        """The entry carries the purge's own position."""
        return at


class Backend(NamedTuple):
    """One write: commits, then hands over or purges. ``by``: the selector that a purge names."""

    hands_over: bool = True
    by: str = TAG
    pc: str = "ready"
    owes: int = 0
    since: Seq | None = None
    version: int = 0
    seen: Server | None = None
    superseded: Superseded | None = None


class Reader(NamedTuple):
    """One request at the sidecar with the hot tier."""

    pc: str = "asking"
    owed: int = 0
    s0: Seq | None = None
    version: int = 0


class World(NamedTuple):
    server: Server
    backends: tuple[Backend, ...]
    readers: tuple[Reader, ...]
    mirror: Server
    hot: Entry | None
    data: int = 0
    now: int = 0
    asked_at: int = 0
    ticks: int = 0
    acks: tuple[tuple[int, int], ...] = ()
    wrong: str = ""


def begin(backends, readers=1, ticks=1):
    seq = Seq(EPOCH, 10)
    server = Server(EPOCH, 10, entry=Entry(0, seq))
    return World(server, backends, (Reader(),) * readers, server, server.entry, ticks=ticks)


def stands(entry, server, *names):
    return judge(dict(server.hard), dict(server.soft), names, entry.s0.n, server.floor) == IN_FORCE


def set_at(items, index, **changes):
    return (*items[:index], items[index]._replace(**changes), *items[index + 1 :])


class Actors:
    """All who act, under one set of rules."""

    def __init__(self, rules):
        self.rules = rules

    def steps(self, world):
        for index, backend in enumerate(world.backends):
            yield getattr(self, f"_{backend.pc}", _rests)(world, index, backend)
        for index, reader in enumerate(world.readers):
            yield getattr(self, f"_{reader.pc}", _rests)(world, index, reader)
        if world.mirror.n != world.server.n or world.asked_at != world.now:
            yield "mirror: looks", world._replace(mirror=world.server, asked_at=world.now)
        if world.ticks:
            yield "clock: ticks", world._replace(now=world.now + 1, ticks=world.ticks - 1)

    def _ready(self, world, index, backend):
        version = world.data + 1
        pc = "committed" if backend.hands_over else "purging"
        return f"backend {index + 1}: commits v{version}", writes(
            world._replace(data=version), index, pc=pc, owes=version
        )

    def _purging(self, world, index, backend):
        server = purged(world.server, (backend.by,), soft=False, seen=0, clock=0)
        return told(world._replace(server=server), index, "purged")

    def _committed(self, world, index, backend):
        return f"backend {index + 1}: reads the position", writes(world, index, pc="knowing", since=world.server.seq)

    def _knowing(self, world, index, backend):
        after = writes(world, index, pc="offering", version=world.data, seen=world.server)
        return f"backend {index + 1}: reads v{world.data}", after

    def _offering(self, world, index, backend):
        server = world.server
        last = max(dict(server.hard).get(URL, 0), dict(server.soft).get(URL, 0), server.floor)
        if self.rules.purges():
            server = purged(server, (URL,), soft=False, seen=0, clock=0)
        superseded, seen = Superseded(server.seq, last), self.rules.judged_by(backend.seen, server)
        after = writes(world._replace(server=server), index, pc="judging", superseded=superseded, seen=seen)
        return f"backend {index + 1}: purges the URL", after

    def _judging(self, world, index, backend):
        offered = Entry(backend.version, backend.since)
        if self.rules.is_first(backend.superseded, backend.since) and stands(offered, backend.seen, TAG):
            return f"backend {index + 1}: may store", writes(world, index, pc="storing", seen=None)
        return told(world, index, "outrun")

    def _storing(self, world, index, backend):
        entry = Entry(backend.version, self.rules.s0(backend.since, backend.superseded.seq))
        return told(world._replace(server=world.server._replace(entry=entry)), index, "taken")

    def _asking(self, world, index, reader):
        trusted = world.now - world.asked_at < MAX_LAG
        if world.hot is not None and trusted and stands(world.hot, world.mirror, URL, TAG):
            owed = max((version for version, at in world.acks if at + MAX_LAG <= world.now), default=0)
            return answered(world, index, world.hot.version, "a hot hit", owed)
        entry, owed = world.server.entry, max((version for version, _ in world.acks), default=0)
        if entry is not None and stands(entry, world.server, URL, TAG):
            return answered(world._replace(hot=entry), index, entry.version, "a hit", owed)
        return f"reader {index + 1}: misses", reads(world, index, pc="fetching", s0=world.server.seq, owed=owed)

    def _fetching(self, world, index, reader):
        return f"reader {index + 1}: fetches v{world.data}", reads(world, index, pc="saving", version=world.data)

    def _saving(self, world, index, reader):
        entry = Entry(reader.version, reader.s0)
        world = world._replace(server=world.server._replace(entry=entry), hot=entry)
        return answered(world, index, reader.version, "a miss", reader.owed)


def _rests(world, index, who):
    """Done: nothing more, which leads nowhere new."""
    return "nobody: rests", world


def writes(world, index, **changes):
    return world._replace(backends=set_at(world.backends, index, **changes))


def reads(world, index, **changes):
    return world._replace(readers=set_at(world.readers, index, **changes))


def told(world, index, said):
    acks = (*world.acks, (world.backends[index].owes, world.now))
    return f"backend {index + 1}: is told {said}", writes(world._replace(acks=acks), index, pc="done")


def answered(world, index, version, how, owed):
    wrong = f"v{version} as {how}, after v{owed} was acknowledged" if version < owed else ""
    after = reads(world._replace(wrong=wrong), index, pc="done")
    return f"reader {index + 1}: is answered v{version} as {how}", after


GIVES = Backend()
PURGES_TAG = Backend(hands_over=False)
PURGES_URL = Backend(hands_over=False, by=URL)

STORIES = {
    "handed over, with a hot copy elsewhere": (begin((GIVES,), readers=2, ticks=2), {"v1 as a hit", "v0 as a hot hit", "v1 as a hot hit"}),
    "handed over while another purges its tag": (begin((GIVES, PURGES_TAG), readers=2, ticks=0), {"told outrun", "told taken", "as a miss"}),
    "handed over while another purges its URL": (begin((GIVES, PURGES_URL), readers=2, ticks=0), {"told outrun", "told taken", "as a miss"}),
    "two hand over": (begin((GIVES, GIVES)), {"told outrun", "v2 as a hit", "as a miss"}),
    "handed over while two others purge": (begin((GIVES, PURGES_TAG, PURGES_URL), readers=1, ticks=0), {"told outrun", "v3 as a hit"}),
}  # fmt: skip


@pytest.mark.parametrize(("world", "happened"), STORIES.values(), ids=STORIES)
def test_in_no_order_something_older_is_served(world, happened):
    explored = explore(world, Actors(Rules()).steps)
    assert not explored.wrong, str(explored)
    assert all(any(what in step for step in explored.seen) for what in happened), sorted(explored.seen)


class WithoutAskingForTheUrl(Rules):
    def is_first(self, superseded, since):
        return True


class JudgedBeforeThePurge(Rules):
    def judged_by(self, before, after):
        return before


class WithoutAPurge(Rules):
    def purges(self):
        return False


@pytest.mark.parametrize(
    ("rules", "story"),
    [
        pytest.param(WithoutAskingForTheUrl(), "handed over while another purges its URL", id="the URL's own purges"),
        pytest.param(WithoutAskingForTheUrl(), "two hand over", id="another who hands over"),
        pytest.param(JudgedBeforeThePurge(), "handed over while another purges its tag", id="purges just before"),
        pytest.param(WithoutAPurge(), "handed over, with a hot copy elsewhere", id="the purge of the URL"),
    ],
)
def test_without_any_line_of_the_rule_something_older_is_served(rules, story):
    explored = explore(STORIES[story][0], Actors(rules).steps)
    assert explored.wrong


class UnderThePositionThatWasRead(Rules):
    def s0(self, since, at):
        return since


def test_under_the_position_that_was_read_it_would_count_as_purged_by_itself():
    one_reader = begin((GIVES,))
    assert any("v1 as a hit" in step for step in explore(one_reader, Actors(Rules()).steps).seen)
    explored = explore(one_reader, Actors(UnderThePositionThatWasRead()).steps)
    assert any("told taken" in step for step in explored.seen)
    assert not any("v1 as a hit" in step for step in explored.seen)
