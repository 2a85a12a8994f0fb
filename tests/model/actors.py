"""Every atomic step that somebody can take: one exchange with Redis or the backend, or one turn of an event loop.

A step is (what happened, the world after). Between any two of them anybody else may act.
"""

from __future__ import annotations

from proxy.message.selectors import EVERYTHING, Seq
from proxy.policy.plan import Revalidate, ServeStaleAndRefresh, ServeStored
from proxy.purge.mirror import Followed
from tests.model.server import Entry, Server, purged, tail, without_ledger
from tests.model.world import Ack, Copy, Flight, Frozen, Look, Process, Reader, Rules, Story, World, verdict

MOST_TRIES = 2


class Actors:
    """All who act in a story, under one set of rules."""

    def __init__(self, story: Story, rules: Rules) -> None:
        self.story, self.rules = story, rules

    def steps(self, world: World):
        """Yield every step that can be taken now."""
        for index, reader in enumerate(world.readers):
            yield from self._reader(world, index, reader)
        for index, writer in enumerate(world.writers):
            yield from self._writer(world, index, writer)
        for place, process in enumerate(world.processes):
            for flight in process.flights:
                yield from self._flight(world, place, flight)
            yield from self._look(world, place, process)
        yield from self._misfortune(world)

    # Requests.

    def _reader(self, world: World, index: int, reader: Reader):
        process, name = world.processes[reader.place], f"{_name(reader.place)} reader {index + 1}"
        match reader.pc:
            case "ready":
                yield from self._begins(world, index, reader, name)
            case "judging":
                yield self._judges(world, index, reader, name)
            case "waiting" | "unsure" if process.look is None:
                pc = "judging" if reader.pc == "waiting" else "landed"
                yield f"{name}: has waited for the ledger", _reads(world, index, reader._replace(pc=pc))
            case "led":
                yield self._answers(world, index, reader, name, reader.entry, "MISS")
            case "landed":
                yield self._fits(world, index, reader, name)

    def _begins(self, world: World, index: int, reader: Reader, name: str):
        if not self.story.fetches and not world.acks:
            return  # it is owed nothing yet, and leaves nothing behind
        process = world.processes[reader.place]
        trusted = self.rules.may_trust(world.now - process.asked_at, self.story.max_lag)
        if process.hot is not None and trusted:
            asking = reader._replace(**self._owed(world, hot=True))
            at = process.mirror.mirror.seq
            standing = self._standing(world, reader.place, process.hot.s0, at)
            if standing is not None and isinstance(verdict(standing, self.story.window), ServeStored):
                yield self._answers(world, index, asking, name, process.hot, "HIT (memory)")
                return
        entry, at = world.server.entry, world.server.seq
        if not self.rules.compares():
            at = process.mirror.mirror.seq
        after = reader._replace(pc="judging", entry=entry, at=at, **self._owed(world, hot=False))
        yield f"{name}: reads {_said(entry)} and the position {at}", _reads(world, index, after)

    def _owed(self, world: World, *, hot: bool) -> dict[str, int]:
        lossy = not self.story.named and any(what == "failover" for what, _ in self.story.misfortunes)
        acks = [ack for ack in world.acks if ack.waited or not lossy]
        if hot:
            acks = [ack for ack in acks if ack.waited or ack.at + self.story.max_lag <= world.now]
        return {
            "hard": max((ack.version for ack in acks if not ack.soft), default=0),
            "soft": max((ack.version for ack in acks), default=0),
        }

    def _judges(self, world: World, index: int, reader: Reader, name: str):
        process = world.processes[reader.place]
        if reader.entry is None or reader.at is None:
            return self._flies(world, index, reader._replace(at=reader.at if reader.entry is None else None), name)
        standing = self._standing(world, reader.place, reader.entry.s0, reader.at)
        if standing is None:
            if reader.tries == MOST_TRIES:
                return self._flies(world, index, reader._replace(at=None), name)
            world = self._looks(world, reader.place)
            after = reader._replace(pc="waiting", tries=reader.tries + 1)
            return f"{name}: does not know the ledger up to {reader.at} yet", _reads(world, index, after)
        match verdict(standing, self.story.window):
            case ServeStored():
                world = self._keeps_hot(world, reader.place, reader.entry)
                return self._answers(world, index, reader, name, reader.entry, "HIT")
            case ServeStaleAndRefresh():
                if not process.flights and self.story.fetches:
                    flight = Flight(world.flown + 1)
                    world = _with(world, reader.place, flights=(flight,))._replace(flown=flight.number)
                return self._answers(world, index, reader, name, reader.entry, "STALE")
        return self._flies(world, index, reader, name)

    def _standing(self, world: World, place: int, s0: Seq, at: Seq):
        process = world.processes[place]
        return None if self.rules.looks_first() and process.line != world.line else process.mirror.standing(s0, at)

    def _flies(self, world: World, index: int, reader: Reader, name: str, refused: int = 0):
        process = world.processes[reader.place]
        if not self.story.fetches:
            return f"{name}: misses", _reads(world, index, Reader(reader.place, "done"))
        board = process.flights[-1] if process.flights else None
        if board is not None and board.number != refused:
            after = reader._replace(pc="following", flight=board.number, entry=None, tries=0)
            return f"{name}: follows fetch {board.number}", _reads(world, index, after)
        flight = Flight(world.flown + 1)
        world = _with(world, reader.place, flights=(*process.flights, flight))._replace(flown=flight.number)
        after = reader._replace(pc="leading", flight=flight.number, entry=None, at=None, tries=0)
        return f"{name}: starts fetch {flight.number}", _reads(world, index, after)

    def _fits(self, world: World, index: int, reader: Reader, name: str):
        draft = reader.entry
        if reader.at is not None and self.rules.follower_is_judged(draft, found=reader.found):
            standing = self._standing(world, reader.place, draft.s0, reader.at)
            if standing is None and reader.tries < MOST_TRIES:
                world = self._looks(world, reader.place)
                after = reader._replace(pc="unsure", tries=reader.tries + 1)
                return f"{name}: does not know the ledger up to {reader.at} yet", _reads(world, index, after)
            if standing is None or standing.purged or standing.soft_since is not None:
                return self._flies(world, index, reader._replace(entry=None, found=False), name, refused=reader.flight)
        return self._answers(world, index, reader, name, draft, "COLLAPSED")

    def _answers(self, world: World, index: int, reader: Reader, name: str, entry: Entry, status: str):
        version = entry.version
        owed = reader.hard if status == "STALE" else reader.soft
        if version < owed:
            world = world._replace(wrong=f"stale read: v{version} as {status}, purged before v{owed} was acknowledged")
        done = Reader(reader.place, "done")
        return f"{name}: is answered v{version} as {status}", _reads(world, index, done)

    # Fetches.

    def _flight(self, world: World, place: int, flight: Flight):
        process, name = world.processes[place], f"{_name(place)} fetch {flight.number}"
        match flight.pc:
            case "looking":
                entry, at = world.server.entry, world.server.seq
                after = flight._replace(pc="judging", entry=entry, at=at)
                yield f"{name}: reads {_said(entry)} and the position {at}", _flies(world, place, after)
            case "judging":
                yield self._weighs(world, place, flight, name)
            case "waiting" if process.look is None:
                yield f"{name}: has waited for the ledger", _flies(world, place, flight._replace(pc="judging"))
            case "asking":
                draft = Entry(world.data, flight.at or Seq("", 0))
                after = flight._replace(pc="answered", draft=draft, entry=None)
                told = "304" if flight.stored is not None and flight.stored.version == world.data else "200"
                yield f"{name}: the backend reads v{world.data} and answers {told}", _flies(world, place, after)
            case "answered":
                yield self._lands(world, place, flight, name)
            case "saving":
                world = _flies(world, place, flight, gone=True)
                world = world._replace(server=world.server._replace(entry=flight.draft))
                world = self._keeps_hot(world, place, flight.draft)
                yield f"{name}: saves {_said(flight.draft)}", world

    def _weighs(self, world: World, place: int, flight: Flight, name: str):
        asking = flight._replace(pc="asking", entry=None, tries=0)
        if flight.entry is None:
            return f"{name}: asks the backend", _flies(world, place, asking)
        if flight.at is None:
            return f"{name}: asks the backend, without a ledger", _flies(world, place, asking)
        standing = self._standing(world, place, flight.entry.s0, flight.at)
        if standing is None:
            if flight.tries == MOST_TRIES:
                return f"{name}: asks the backend, without a ledger", _flies(world, place, asking._replace(at=None))
            world = self._looks(world, place)
            after = flight._replace(pc="waiting", tries=flight.tries + 1)
            return f"{name}: does not know the ledger up to {flight.at} yet", _flies(world, place, after)
        match verdict(standing, self.story.window):
            case ServeStored():
                world = _landed(world, place, flight.number, flight.entry, found=True)
                return f"{name}: finds {_said(flight.entry)}", _flies(world, place, flight, gone=True)
            case ServeStaleAndRefresh() | Revalidate() if self.story.etag:
                asking = asking._replace(stored=flight.entry)
        return f"{name}: asks the backend", _flies(world, place, asking)

    def _lands(self, world: World, place: int, flight: Flight, name: str):
        now, stored = world.server.seq, flight.stored
        if stored is not None and stored.version == flight.draft.version:
            s0 = self.rules.restamped(flight.at, now, stored)
        else:
            s0 = self.rules.s0(flight.at, now)
        draft = flight.draft._replace(s0=s0 or Seq("", 0))
        world = _landed(world, place, flight.number, draft)
        after = flight._replace(pc="saving", draft=draft, stored=None, at=None)
        world = _flies(world, place, after, gone=flight.at is None)
        return f"{name}: lands with {_said(draft)}", world

    def _keeps_hot(self, world: World, place: int, entry: Entry) -> World:
        return _with(world, place, hot=entry) if self.story.max_lag else world

    # The ledger, as a sidecar follows it.

    def _looks(self, world: World, place: int) -> World:
        return self._glances(world, place) if place in self.story.glances else self._sends_look(world, place)

    def _sends_look(self, world: World, place: int) -> World:
        process = world.processes[place]
        if process.look is not None:
            return world
        mirror = process.mirror.mirror
        stage = "snapshot?" if mirror.seq is None else "tail?"
        return _with(world, place, look=Look(stage, mirror.known, self._time(world), mirror.seq, world.line))

    def _time(self, world: World) -> int:
        return world.now if self.story.max_lag else 0

    def _look(self, world: World, place: int, process: Process):  # noqa: PLR0912 - a branch a step
        look, name = process.look, f"{_name(place)} mirror"
        if look is None:
            # A look that would bring nothing new, not even youth, leads nowhere new.
            there = (world.server.seq, world.line)
            old = (process.mirror.mirror.seq, process.line) != there or process.asked_at < self._time(world)
            if old and place in self.story.polls:
                yield f"{name}: asks for news", self._looks(world, place)
            if old and place in self.story.glances:
                yield f"{name}: looks at the ledger", self._glances(world, place)
            return
        if look.stage.endswith("?"):
            world, server = self._opened(world)
            if look.stage == "tail?":
                after = look._replace(stage="tail!", payload=tail(server, look.payload.n))
            else:
                payload = Frozen(Seq(server.epoch, server.n), server.floor, server.hard, server.soft)
                after = look._replace(stage="snapshot!", payload=payload)
            yield f"{name}: the server gives its {after.stage[:-1]} up to {server.n}", _with(world, place, look=after)
        elif look.stage == "tail!":
            followed, mirror = process.mirror.after("follow", look.payload, look.known)
            after = look._replace(stage="snapshot?", known=mirror.mirror.known, payload=None)
            if followed is Followed.UP_TO_DATE:
                yield f"{name}: is up to date at {look.payload.seq}", self._looked(world, place, mirror, look)
            else:
                yield f"{name}: the log is {followed.value}", _with(world, place, mirror=mirror, look=after)
        elif look.stage == "snapshot!":
            lost, mirror = process.mirror.after("lost", look.payload, look.known)
            if lost:
                after = look._replace(stage="heal", payload=(lost, look.payload.seq.epoch))
                yield f"{name}: the server has lost {_listed(lost)}", _with(world, place, look=after)
            else:
                _, mirror = process.mirror.after("reload", look.payload)
                yield f"{name}: has all of the ledger at {look.payload.seq}", self._looked(world, place, mirror, look)
        else:
            yield f"{name}: purges again what was lost", self._heals(world, place, process)

    def _glances(self, world: World, place: int) -> World:
        """A look with nothing in between, for stories that are about something else."""
        world = self._sends_look(world, place)
        while world.processes[place].look is not None:
            ((_, world),) = self._look(world, place, world.processes[place])
        return world

    def _looked(self, world: World, place: int, mirror: Copy, look: Look) -> World:
        asked_at = self.rules.age_counts_from(look.asked_at, self._time(world))
        return _with(world, place, mirror=mirror, look=None, asked_at=asked_at, line=look.line)

    def _heals(self, world: World, place: int, process: Process) -> World:
        (lost, epoch), mirror = process.look.payload, process.mirror
        for names, soft in ((lost.soft, True), (lost.hard, False)):
            if names or not soft:
                world, _ = self._opened(world)
                before, world = world.server.n, world._replace(clock=world.clock + 1)
                server = purged(world.server, names, soft=soft, seen=mirror.mirror.known, clock=world.clock)
                world = world._replace(server=server)
                _, mirror = mirror.after("learn", names, server.seq, before, soft=soft)
        _, mirror = mirror.after("go_back_to", epoch)
        look = process.look._replace(stage="snapshot?", known=mirror.mirror.known, payload=None)
        return _with(world, place, mirror=mirror, look=look, healed=world.server.n)

    def _opened(self, world: World) -> tuple[World, Server]:
        home = world.line if self.story.named else 0
        server = self.rules.opened(world.server, f"e{world.epochs + 1}", world.clock, home)
        began = server.epoch != world.server.epoch
        return world._replace(server=server, epochs=world.epochs + began), server

    # Purges.

    def _writer(self, world: World, index: int, writer):
        process, name = world.processes[writer.place], f"writer {index + 1}"
        match writer.pc:
            case "ready":
                version = world.data + 1
                after = writer._replace(pc="committed", version=version)
                yield f"{name}: commits v{version}", _writes(world._replace(data=version), index, after)
            case "committed":
                world, server = self._opened(world._replace(clock=world.clock + 10))
                seen = process.mirror.mirror.known
                after = purged(server, writer.names, soft=writer.soft, seen=seen, clock=world.clock)
                asked = writer._replace(pc="purged", seq=after.seq, before=server.n)
                how = f"{'softly ' if writer.soft else ''}{', '.join(writer.names)} through {_name(writer.place)}"
                yield f"{name}: purges {how} at {after.seq}", _writes(world._replace(server=after), index, asked)
            case "purged":
                _, mirror = process.mirror.after("learn", writer.names, writer.seq, writer.before, soft=writer.soft)
                world = _with(world, writer.place, mirror=mirror)
                if writer.wait:
                    yield f"{name}: waits for every sidecar", _writes(world, index, writer._replace(pc="waits"))
                else:
                    yield f"{name}: is told that it is purged", self._acknowledged(world, index, writer)
            case "waits" if all(self.rules.confirmed(each.mirror.mirror, writer.seq) for each in world.processes):
                after = writer._replace(pc="verifying" if self.rules.verifies() else "verified")
                yield f"{name}: hears that every sidecar has come to {writer.seq}", _writes(world, index, after)
            case "verifying" if process.look is None:
                after = self._glances(world, writer.place)
                yield (
                    f"{name}: has {_name(writer.place)} look whether it still holds",
                    _writes(after, index, writer._replace(pc="verified")),
                )
            case "verified" if process.healed > writer.seq.n:
                after = writer._replace(pc="waits", seq=Seq(writer.seq.epoch, process.healed))
                yield f"{name}: it was lost and purged again at {process.healed}", _writes(world, index, after)
            case "verified":
                yield f"{name}: is told that every sidecar knows", self._acknowledged(world, index, writer)

    def _acknowledged(self, world: World, index: int, writer) -> World:
        world = _writes(world, index, writer._replace(pc="done", seq=None, before=0))
        if not {*writer.names} & {"tag:t", EVERYTHING}:
            return world
        ack = Ack(writer.version, writer.soft, self._time(world), writer.wait)
        return world._replace(acks=tuple(sorted((*world.acks, ack))))

    # What may go wrong.

    def _misfortune(self, world: World):
        for name, left in world.more:
            if not left:
                continue
            less = tuple((each, count - (each == name)) for each, count in world.more)
            after = world._replace(more=less)
            match name:
                case "tick":
                    yield "clock: a tick passes", after._replace(now=world.now + 1)
                case "flush":
                    yield "Redis: is flushed", after._replace(server=Server())
                case "trim" if world.server.log:
                    yield "Redis: the log is cut off", after._replace(server=world.server._replace(log=()))
                case "filled" if world.server.seq is not None:
                    entry = Entry(world.data, world.server.seq)
                    yield (
                        f"another: fetches and saves {_said(entry)}",
                        after._replace(server=world.server._replace(entry=entry)),
                    )
                case "loss" if world.server.entry is not None:
                    yield "Redis: evicts the entry", after._replace(server=world.server._replace(entry=None))
                case "eviction":
                    yield "Redis: evicts the ledger", after._replace(server=without_ledger(world.server))
                case "failover":
                    yield "Redis: the replica is promoted", after._replace(server=world.replica, replica=None, line=1)
                case "sync" if world.replica is not None and world.replica != world.server:
                    yield "Redis: the replica catches up, and falls behind", after._replace(replica=world.server)


def _name(place: int) -> str:
    return "ABC"[place]


def _said(entry: Entry | None) -> str:
    return "nothing" if entry is None else f"v{entry.version} (S0 {entry.s0})"


def _listed(lost) -> str:
    return ", ".join((*lost.hard, *lost.soft)) or "its place"


def _with(world: World, place: int, **changes) -> World:
    processes = list(world.processes)
    processes[place] = processes[place]._replace(**changes)
    return world._replace(processes=tuple(processes))


def _reads(world: World, index: int, reader: Reader) -> World:
    return world._replace(readers=(*world.readers[:index], reader, *world.readers[index + 1 :]))


def _writes(world: World, index: int, writer) -> World:
    return world._replace(writers=(*world.writers[:index], writer, *world.writers[index + 1 :]))


def _flies(world: World, place: int, flight: Flight, *, gone: bool = False) -> World:
    flights = world.processes[place].flights
    after = tuple(each if each.number != flight.number else flight for each in flights)
    return _with(world, place, flights=tuple(each for each in after if not (gone and each.number == flight.number)))


def _landed(world: World, place: int, number: int, draft: Entry, *, found: bool = False) -> World:
    readers = tuple(
        reader._replace(pc="led" if reader.pc == "leading" else "landed", entry=draft, found=found)
        if reader.place == place and reader.flight == number and reader.pc in {"leading", "following"}
        else reader
        for reader in world.readers
    )
    return world._replace(readers=readers)
