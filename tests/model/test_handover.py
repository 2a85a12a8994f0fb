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

    pc: str = "ready"
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


def steps_under(rules):
    def steps(world):
        for index, backend in enumerate(world.backends):
            yield from acts(world, index, backend)
        for index, reader in enumerate(world.readers):
            yield from reads(world, index, reader)
        if world.mirror.n != world.server.n or world.asked_at != world.now:
            yield "mirror: looks", world._replace(mirror=world.server, asked_at=world.now)
        if world.ticks:
            yield "clock: ticks", world._replace(now=world.now + 1, ticks=world.ticks - 1)

    def acts(world, index, backend):
        name = f"backend {index + 1}"

        def after(world, **changes):
            return world._replace(backends=set_at(world.backends, index, **changes))

        def answered(world, said):
            acks = (*world.acks, (backend.owes, world.now))
            return f"{name}: is told {said}", after(world._replace(acks=acks), pc="done")

        server = world.server
        match backend.pc:
            case "ready":
                version = world.data + 1
                pc = "committed" if backend.hands_over else "purging"
                yield f"{name}: commits v{version}", after(world._replace(data=version), pc=pc, owes=version)
            case "purging":
                server = purged(server, (backend.by,), soft=False, seen=0, clock=0)
                yield answered(world._replace(server=server), "purged")
            case "committed":
                yield f"{name}: reads the position", after(world, pc="knowing", since=server.seq)
            case "knowing":
                yield f"{name}: reads v{world.data}", after(world, pc="offering", version=world.data, seen=server)
            case "offering":
                last = max(dict(server.hard).get(URL, 0), dict(server.soft).get(URL, 0), server.floor)
                if rules.purges():
                    server = purged(server, (URL,), soft=False, seen=0, clock=0)
                superseded = Superseded(server.seq, last)
                world = world._replace(server=server)
                seen = rules.judged_by(backend.seen, server)
                yield f"{name}: purges the URL", after(world, pc="judging", superseded=superseded, seen=seen)
            case "judging":
                offered = Entry(backend.version, backend.since)
                if rules.is_first(backend.superseded, backend.since) and stands(offered, backend.seen, TAG):
                    yield f"{name}: may store", after(world, pc="storing", seen=None)
                else:
                    yield answered(world, "outrun")
            case "storing":
                entry = Entry(backend.version, rules.s0(backend.since, backend.superseded.seq))
                yield answered(world._replace(server=server._replace(entry=entry)), "taken")

    def reads(world, index, reader):
        name = f"reader {index + 1}"

        def after(world, **changes):
            return world._replace(readers=set_at(world.readers, index, **changes))

        def answered(world, version, how, owed):
            wrong = f"v{version} as {how}, after v{owed} was acknowledged" if version < owed else ""
            return f"{name}: is answered v{version} as {how}", after(world._replace(wrong=wrong), pc="done")

        server = world.server
        match reader.pc:
            case "ready":
                trusted = world.now - world.asked_at < MAX_LAG
                if world.hot is not None and trusted and stands(world.hot, world.mirror, URL, TAG):
                    owed = max((version for version, at in world.acks if at + MAX_LAG <= world.now), default=0)
                    yield answered(world, world.hot.version, "a hot hit", owed)
                    return
                owed = max((version for version, _ in world.acks), default=0)
                if server.entry is not None and stands(server.entry, server, URL, TAG):
                    world = world._replace(hot=server.entry)
                    yield answered(world, server.entry.version, "a hit", owed)
                else:
                    yield f"{name}: misses", after(world, pc="fetching", s0=server.seq, owed=owed)
            case "fetching":
                yield f"{name}: fetches v{world.data}", after(world, pc="saving", version=world.data)
            case "saving":
                entry = Entry(reader.version, reader.s0)
                world = world._replace(server=server._replace(entry=entry), hot=entry)
                yield answered(world, reader.version, "a miss", reader.owed)

    return steps


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
    explored = explore(world, steps_under(Rules()))
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
    explored = explore(STORIES[story][0], steps_under(rules))
    assert explored.wrong


class UnderThePositionThatWasRead(Rules):
    def s0(self, since, at):
        return since


def test_under_the_position_that_was_read_it_would_count_as_purged_by_itself():
    one_reader = begin((GIVES,))
    assert any("v1 as a hit" in step for step in explore(one_reader, steps_under(Rules())).seen)
    explored = explore(one_reader, steps_under(UnderThePositionThatWasRead()))
    assert any("told taken" in step for step in explored.seen)
    assert not any("v1 as a hit" in step for step in explored.seen)
