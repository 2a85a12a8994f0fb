"""``Service``: one sidecar, from its start to its end.

Starting, in order: the embedded store if there is one, the rooms, the admin and probe listeners, the traffic listener.
Leaving, in order: stop listening, finish requests, drain tasks, close the backend's connections, close the store; the
probes go last, so that whoever watches a drain sees it.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from proxy.admin.listening import ListenError
from proxy.admin.server import Admin
from proxy.backplane.embedded import Embedded
from proxy.front.listener import Front
from proxy.observe.events import Outcome, RequestServed, TaskFailed
from proxy.pipeline.render import undressed
from proxy.service.control import Steering
from proxy.service.fixed import fixed
from proxy.service.house import House, build, pipeline_options
from proxy.settings.mistakes import Mistake, Mistakes
from proxy.settings.trial import forwarding_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxy.observe.events import Observer
    from proxy.settings import Settings


class Service:
    """One sidecar. ``wall`` gives wall-clock seconds for every caching decision; timeouts use the loop's own clock.

    ``load`` reads the configuration anew for a reload and raises Mistakes; without it there is nothing to reload.
    ``watch`` is told every fact, after those who count and log.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        wall: Callable[[], float] = time.time,
        load: Callable[[], Settings] | None = None,
        watch: Observer | None = None,
    ) -> None:
        self.settings = settings
        self._wall = wall
        self._load = load
        self._watch = watch
        self._embedded: Embedded | None = None
        self._house: House | None = None
        self._front: Front | None = None
        self._admin: Admin | None = None
        self.is_ready = False
        self.reload_ok = True

    @property
    def house(self) -> House:
        """The rooms; only between start and stop."""
        assert self._house is not None, "not started"
        return self._house

    @property
    def traffic_port(self) -> int:
        """The port clients use; 0 on a unix socket."""
        assert self._front is not None, "not started"
        return self._front.port

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
        """Open all listeners. Raises ListenError or EmbeddedError; then nothing is left behind."""
        async with contextlib.AsyncExitStack() as undo:
            store_url = None
            if self.settings.backplane is not None and self.settings.backplane.url.startswith("embedded:"):
                self._embedded = Embedded()
                store_url = await self._embedded.start()
                undo.push_async_callback(self._embedded.stop)
            house = self._house = build(self.settings, store_url, self._wall, self._watch)
            undo.push_async_callback(self._close)
            await house.ledger.start()
            house.schedule.start()
            house.merging.start()
            house.warming.start(self.settings.warmers)
            house.sharing.start()
            self._admin = Admin(self.settings.admin, Steering(self), house.observer)
            await self._admin.start()
            undo.push_async_callback(self._admin.stop)
            self._front = Front(
                self.settings.front,
                house.pipeline,
                on_failure=lambda name, error: house.observer.tell(TaskFailed(name, error)),
                decorate=undressed,
                probe=house.pipeline.probe,
                on_refused=lambda status, _, peer: house.observer.tell(refused(status, peer)),
            )
            try:
                await self._front.start()
            except OSError as error:
                listen = self.settings.front.listen
                raise ListenError(f"cannot listen on {listen}: {error.strerror or error}") from error
            undo.pop_all()
        self.is_ready = True

    async def stop(self) -> None:
        """Drain and end, within ``drain_timeout`` and a little. Idempotent."""
        self.is_ready = False
        if self._front is None:
            return
        front, self._front = self._front, None
        await front.drain(self.settings.drain_timeout)
        await self._close()
        if self._embedded is not None:
            await self._embedded.stop()
        assert self._admin is not None
        await self._admin.stop()

    async def _close(self) -> None:
        house = self.house
        await house.schedule.close()
        await house.warming.close()
        await house.merging.close()
        await house.sharing.close()
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
        try:
            settings = self._load()
        except Mistakes as refused:
            self.reload_ok = False
            return refused.mistakes
        if names := fixed(self.settings, settings):
            self.reload_ok = False
            return [Mistake("reload", 0, 0, name, "needs a restart") for name in names]
        parts = self.house.parts
        parts.book = replace(settings.book, generation=parts.book.generation + 1)
        parts.forwarding = forwarding_of(settings)
        self.house.schedule.use(settings.scheduled)
        self.house.ranking.zone = settings.zone
        self.house.warming.use(settings.warmers)
        parts.options = pipeline_options(settings)
        self.house.logs.use(settings.log)
        self._take_secrets(settings)
        self.settings, self.reload_ok = settings, True
        return ()

    def _take_secrets(self, settings: Settings) -> None:
        """Use a rotated token from now on, a rotated password from the next connection to the store on."""
        assert self._admin is not None
        self._admin.use_token(settings.admin.token)
        if self.house.backplane is not None and settings.backplane is not None and self._embedded is None:
            self.house.backplane.use_credentials(settings.backplane.url)


def refused(status: int, peer: str) -> RequestServed:
    """Return what is told of bytes that were no request: there is no method and no path to name."""
    return RequestServed(
        route="none",
        outcome=Outcome.REFUSED,
        method="",
        path="",
        status=status,
        seconds=0.0,
        sent_bytes=0,
        request_id="",
        client=peer,
        detail="not-understood",
    )


TASKS_MAY_TAKE = 5.0
"""Seconds for refreshes and purges beside requests to end, once every request has: a purge is worth waiting for."""
