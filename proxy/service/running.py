"""``Service``: one sidecar, from its start to its end.

Starting, in order: the embedded store if there is one, the rooms, the admin and probe listeners, the traffic listener.
With ``workers`` the last of these is a crew of processes, each of which runs a ``Service`` as well: one that has its
share of everything, a ``place``, and neither admin port nor clock.
Leaving, in order: stop listening, finish requests, drain tasks, close the backend's connections, close the store; the
probes go last, so that whoever watches a drain sees it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from proxy.admin.options import ListenError
from proxy.observe.counters import Counters
from proxy.observe.summing import become, total
from proxy.service.control import Steering
from proxy.service.fixed import fixed
from proxy.service.house import House, build, pipeline_options
from proxy.service.shares import leaders_share
from proxy.service.traffic import front_of
from proxy.settings.mistakes import Mistake, Mistakes
from proxy.settings.trial import forwarding_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from proxy.admin.server import Admin
    from proxy.backplane.embedded import Embedded
    from proxy.observe.events import Observer
    from proxy.service.crew import Crew
    from proxy.service.traffic import Place, Traffic
    from proxy.settings import Settings


class Service:
    """One sidecar. ``wall`` gives wall-clock seconds for every caching decision; timeouts use the loop's own clock.

    ``load`` reads the configuration anew for a reload and raises Mistakes; without it there is nothing to reload.
    ``watch`` is told every fact, after those who count and log. ``place`` is a worker's.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        wall: Callable[[], float] = time.time,
        load: Callable[[], Settings] | None = None,
        watch: Observer | None = None,
        place: Place | None = None,
    ) -> None:
        self.settings = settings
        self.place = place
        self._wall = wall
        self._load = load
        self._watch = watch
        self._embedded: Embedded | None = None
        self._house: House | None = None
        self._crew: Crew | None = None
        self._traffic: Traffic | None = None
        self._admin: Admin | None = None
        self.is_ready = False
        self.reload_ok = True
        self._reloading = asyncio.Lock()

    @property
    def house(self) -> House:
        """The rooms; only between start and stop."""
        assert self._house is not None, "not started"
        return self._house

    @property
    def traffic_port(self) -> int:
        """The port clients use; 0 on a unix socket."""
        assert self._traffic is not None, "not started"
        return self._traffic.port

    @property
    def crew(self) -> Crew | None:
        """The workers; None where this process serves clients itself."""
        return self._crew

    @property
    def admin_port(self) -> int | None:
        """The admin port; None on a unix socket."""
        assert self._admin is not None, "not started"
        return self._admin.port

    @property
    def probes_port(self) -> int | None:
        """The probe port; None without one."""
        assert self._admin is not None, "not started"
        return self._admin.probes_port

    async def start(self) -> None:
        """Open all listeners. Raises SapwoodError: what could not be had. Then nothing is left behind."""
        async with contextlib.AsyncExitStack() as undo:
            store_url = await self._store_url(undo)
            house = self._build(store_url)
            undo.push_async_callback(self._close)
            with self._listening():
                if self._crew is not None:
                    # First of all: while they start, so does the rest.
                    undo.push_async_callback(self._crew.end)
                    await self._crew.launch()
                await house.ledger.start()
                if self.place is None:
                    await self._start_admin(undo)
                assert self._traffic is not None
                await self._traffic.start()
            undo.pop_all()
        # Not before: a start that fails must not have said anything to Redis, nor to the log.
        house.merging.start()
        house.tallying.start()
        if self.place is None:
            self._begin_what_is_one()
        self.is_ready = True

    async def _store_url(self, undo: contextlib.AsyncExitStack) -> str | None:
        """Return the URL that stands for ``embedded://``, started here unless this is a worker."""
        if self.place is not None:
            return self.place.store_url
        if self.settings.backplane is None or not self.settings.backplane.url.startswith("embedded:"):
            return None
        from proxy.backplane.embedded import Embedded  # noqa: PLC0415 - not every start needs it

        self._embedded = Embedded()
        undo.push_async_callback(self._embedded.stop)
        return await self._embedded.start()

    def _build(self, store_url: str | None) -> House:
        settings = self.settings
        if settings.workers == 1:
            house = self._house = build(settings, store_url, self._wall, self._watch, is_worker=self.place is not None)
            self._traffic = front_of(settings, house, self.place)
            return house
        from proxy.service.crew import Crew  # noqa: PLC0415 - not every start needs it

        own = Counters(self._wall)
        house = self._house = build(leaders_share(settings), store_url, self._wall, self._watch, own=own)

        def add_up() -> None:
            become(house.counters, total([own, *crew.counted()]))

        crew = self._crew = self._traffic = Crew(settings, store_url, house.observer, add_up)
        return house

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            listen = self.settings.front.listen
            raise ListenError(f"cannot listen on {listen}: {error.strerror or error}") from error

    async def _start_admin(self, undo: contextlib.AsyncExitStack) -> None:
        # Only now, and not in a worker: aiohttp takes longer to import than all of our own.
        from proxy.admin.server import Admin  # noqa: PLC0415 - see above

        self._admin = Admin(self.settings.admin, self._steering(), self.house.observer)
        await self._admin.start()
        undo.push_async_callback(self._admin.stop)

    def _begin_what_is_one(self) -> None:
        """Begin what is done once in a sidecar, however many workers it has: by the clock, and for other replicas."""
        house = self.house
        house.schedule.start()
        house.warming.start(self.settings.warmers)
        house.sharing.start()
        if house.exporter is not None:
            house.exporter.start()

    def _steering(self) -> Steering:
        if self._crew is None:
            return Steering(self)
        from proxy.service.leading import LeadersSteering  # noqa: PLC0415 - not every start needs it

        return LeadersSteering(self, self._crew)

    async def stop(self) -> None:
        """Drain and end, within ``drain_timeout`` and a little. Idempotent."""
        self.is_ready = False
        if self._traffic is None:
            return
        traffic, self._traffic = self._traffic, None
        await traffic.drain(self.settings.drain_timeout)
        await self._close()
        if self._embedded is not None:
            await self._embedded.stop()
        if self._admin is not None:
            await self._admin.stop()

    async def _close(self) -> None:
        house = self.house
        await house.schedule.close()
        await house.warming.close()
        await house.merging.close()
        await house.tallying.close()
        await house.sharing.close()
        if house.exporter is not None:
            await house.exporter.close()
        await house.background.drain(TASKS_MAY_TAKE)
        await house.origin.close()
        await house.ledger.close()
        await house.store.close()
        if house.backplane is not None:
            await house.backplane.close()
        house.writer.close()

    async def reload(self) -> Sequence[Mistake]:
        """Swap the rules at once, or keep the running ones and return every mistake."""
        if self._load is None:
            return [Mistake("reload", 0, 0, "", "there is no configuration file to reload")]
        async with self._reloading:  # workers are to get one configuration after the other
            mistakes = await self._reload(self._load)
        self.reload_ok = not mistakes
        return mistakes

    async def _reload(self, load: Callable[[], Settings]) -> Sequence[Mistake]:
        try:
            settings = load()
        except Mistakes as refused:
            return refused.mistakes
        if names := fixed(self.settings, settings):
            return [Mistake("reload", 0, 0, name, "needs a restart") for name in names]
        if self._crew is not None and (failures := await self._crew.reload(settings)):
            return [Mistake("reload", 0, 0, "workers", failure) for failure in failures]
        self.use(settings)
        return ()

    def use(self, settings: Settings) -> None:
        """Swap the rules for others, in which only what ``fixed`` leaves out has changed."""
        parts = self.house.parts
        parts.book = replace(settings.book, generation=parts.book.generation + 1)
        parts.forwarding = forwarding_of(settings)
        self.house.ranking.zone = settings.zone
        if self.place is None:
            self.house.schedule.use(settings.scheduled)
            self.house.warming.use(settings.warmers)
        parts.options = pipeline_options(settings)
        self.house.logs.use(settings.log)
        self.house.writer.most_waiting = settings.log.waiting
        self._take_secrets(settings)
        self.settings = settings

    def _take_secrets(self, settings: Settings) -> None:
        """Use a rotated token from now on, a rotated password from the next connection to the store on."""
        if self._admin is not None:
            self._admin.use_token(settings.admin.token)
        self.house.timed.use(settings.admin.token)
        backplane = settings.backplane
        if self.house.backplane is not None and backplane is not None and not backplane.url.startswith("embedded:"):
            self.house.backplane.use_credentials(backplane.url)


TASKS_MAY_TAKE = 5.0
"""Seconds for refreshes and purges beside requests to end, once every request has: a purge is worth waiting for."""
