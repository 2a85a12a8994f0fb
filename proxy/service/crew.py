"""The workers of a sidecar: started together, looked after one by one, and seen from outside as one traffic listener.

One task keeps each place filled: whoever dies there is replaced, at once after a while of good work, else after a pause
that doubles. Another looks at all of them every second: who has not been heard for ten looks is killed, and so replaced.
Looks are counted, not seconds: a leader that was stopped itself must not find that everybody else was.
"""

from __future__ import annotations

import asyncio
import signal
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from proxy.background import Background
from proxy.observe.events import TaskFailed, WorkerEnded
from proxy.observe.snapshots import empty
from proxy.observe.summing import ended, ended_gauges, sum_of_gauges, total
from proxy.service import orders
from proxy.service.channel import ChannelError
from proxy.service.member import Member, WorkerError
from proxy.service.port import Port

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxy.observe.counters import Counters
    from proxy.observe.events import Observer
    from proxy.observe.gauges import Gauges
    from proxy.observe.options import LogOptions
    from proxy.settings import Settings

LOOK_EVERY: Final = 1.0
HANGS_AFTER: Final = 10
"""Looks without a word from a worker that tells its counts twice a second: nothing that it does takes that long."""

EARLY: Final = 10.0
"""Seconds that a worker must have lived for the next one to follow at once."""

FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 30.0

LEAVES_WITHIN: Final = 10.0
"""Seconds beyond drain_timeout for a worker's tasks, its connections and its process to end."""


class Crew:
    """What ``Front`` is to a sidecar of one process. ``on_counts`` is called when there are new counts to add up."""

    def __init__(
        self,
        settings: Settings,
        store_url: str | None,
        observer: Observer,
        on_counts: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._store_url = store_url
        self._observer = observer
        self._on_counts = on_counts
        self._channels = Background(lambda name, error: observer.tell(TaskFailed(name, error)))
        self._rounds = Background(lambda name, error: observer.tell(TaskFailed(name, error)))
        self._port = Port(settings.front.listen)
        self._members = [Member(index, self._channels) for index in range(settings.workers)]
        self._gone: list[Counters] = [empty()]
        self._gone_gauges: list[Gauges] = []
        self._is_draining = False
        self._log: LogOptions | None = None
        self.restarts = 0

    @property
    def port(self) -> int:
        """The port of all workers, 0 on a unix socket."""
        return self._port.port

    @property
    def members(self) -> tuple[Member, ...]:
        """The workers, each in its place, whether or not they are up."""
        return tuple(self._members)

    @property
    def up(self) -> int:
        """How many workers are listening."""
        return sum(member.is_up for member in self._members)

    async def launch(self) -> None:
        """Take the address and start the processes. Raises OSError."""
        self._port.take()
        for member in self._members:
            await member.launch(self._port.inherited)

    async def start(self) -> None:
        """Return when all of them listen. Raises WorkerError or ChannelError."""
        await asyncio.gather(*(self._begin(member) for member in self._members))
        for member in self._members:
            self._rounds.start(self._keep(member.index), name=f"keeper of worker {member.index}")
        self._rounds.start(self._watch(), name="watch over the workers")

    async def drain(self, seconds: float) -> None:
        """Let every worker answer what it has accepted, and end them all."""
        self._is_draining = True
        await asyncio.gather(*(self._drain(member, seconds) for member in self._members))
        await self.end()

    async def _drain(self, member: Member, seconds: float) -> None:
        if not member.is_up:
            return
        try:
            async with asyncio.timeout(seconds + LEAVES_WITHIN):
                await member.channel.ask("drain", seconds + LEAVES_WITHIN)
                await member.ended()
        except (ChannelError, TimeoutError) as error:
            self._observer.tell(WorkerEnded(member.index, f"while it drained: {str(error) or 'too late'}", 0.0))

    async def end(self) -> None:
        """End them all at once. Idempotent."""
        self._is_draining = True
        await self._rounds.drain(0)
        for member in self._members:
            member.kill()
            await member.ended()
        await self._channels.drain(0)
        self._port.release()
        self._on_counts()

    # What they have counted.

    def counted(self) -> list[Counters]:
        """Return what each has counted when it was last heard, those that are no more included."""
        return [*self._gone, *(member.counters for member in self._members)]

    def gauges(self, leaders: Gauges) -> Gauges:
        """Return the gauges of all, and of the leader."""
        return sum_of_gauges([leaders, *self._gone_gauges, *(member.gauges for member in self._members)])

    async def count(self) -> None:
        """Let each of them tell its counts now."""
        await self.ask("count")
        self._on_counts()

    async def ask(self, order: str, **said: Any) -> list[dict[str, Any]]:
        """Return the answers of those who have one within a second; the watch sees to the others."""
        return await orders.ask_all(self._members, order, **said)

    async def refresh(self, selectors: Sequence[str], most: int, at: str) -> int:
        """Let one worker fetch again the most read that a purge has hit; return how many those are."""
        return await orders.refresh_by_one(self._members, selectors, most, at)

    async def use_log(self, options: LogOptions) -> None:
        """Let all log so until the next reload, those too that are still to come."""
        self._log = options
        await self.ask("log", options=asdict(options))

    async def reload(self, settings: Settings) -> list[str]:
        """Let all take a configuration that the leader has found good; or none, then say why not."""
        up = [member for member in self._members if member.is_up]
        refusals = await asyncio.gather(*(orders.refusal(member, "check", settings) for member in up))
        if any(refusals):
            return [f"worker {member.index}: {why}" for member, why in zip(up, refusals, strict=True) if why]
        self._settings, self._log = settings, None
        # From here on there is no way back: who cannot take it is replaced by one that begins with it.
        await asyncio.gather(*(_use(member, settings) for member in self._members if member.is_up))
        return []

    # Keeping each place filled.

    async def _begin(self, member: Member) -> None:
        settings, log = self._settings, None
        await member.begin(settings.written.as_dict(), self._port.listen, self._store_url)
        # Who is not up is left out of reloads and orders. So until there is none that this one has missed, it is not.
        while settings is not self._settings or log is not self._log:
            if settings is not self._settings:
                settings, log = self._settings, None
                if failure := await orders.refusal(member, "use", settings):
                    raise WorkerError(failure)
            elif self._log is not None:
                log = self._log
                await member.channel.ask("log", orders.ANSWERS_WITHIN, options=asdict(log))
        member.is_up = True
        if self._is_draining:
            member.kill()

    async def _keep(self, index: int) -> None:
        early = 0
        while True:
            member = self._members[index]
            how = _how(await member.ended())
            self._bury(member)
            if self._is_draining:
                return
            early = early + 1 if member.lived < EARLY else 0
            pause = pause_after(early)
            self._observer.tell(WorkerEnded(index, member.failure or how, pause))
            await asyncio.sleep(pause)
            await self._replace(index)

    async def _replace(self, index: int) -> None:
        member = Member(index, self._channels)
        try:
            await member.launch(self._port.inherited)
            self._members[index] = member
            self.restarts += 1
            await self._begin(member)
        except (ChannelError, WorkerError, OSError) as error:
            member.failure = str(error)
            member.kill()
            self._members[index] = member

    def _bury(self, member: Member) -> None:
        self._gone = [total((*self._gone, ended(member.counters)))]
        self._gone_gauges = [sum_of_gauges([*self._gone_gauges, ended_gauges(member.gauges)])]
        member.forget()
        self._on_counts()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            for member in self._members:
                if not member.is_up:
                    continue
                member.silent_for += 1
                if member.silent_for > HANGS_AFTER:
                    member.failure = f"hung: not heard for {HANGS_AFTER * LOOK_EVERY:g} s"
                    member.kill()
            self._on_counts()


async def _use(member: Member, settings: Settings) -> None:
    if await orders.refusal(member, "use", settings):
        member.kill()


def pause_after(early: int) -> float:
    """Return the seconds to wait after so many early ends in a row."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(early - 1, 20)) if early else 0.0


def _how(code: int) -> str:
    """Say in words how a process ended."""
    if code >= 0:
        return f"exit code {code}"
    return f"killed by {signal.Signals(-code).name}" if -code in set(signal.Signals) else f"killed by signal {-code}"
