"""``GET /events``: what the dashboard shows, as it happens."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aiohttp import web

from proxy.admin.problems import Problem
from proxy.admin.watching import Watch
from proxy.background import Background
from proxy.observe.events import TaskFailed

if TYPE_CHECKING:
    from proxy.admin.control import Control
    from proxy.observe.events import Observer

SLOWEST: Final = 10.0
"""Seconds that a reader may take for one event."""


class StreamCalls:
    """The event streams, ``most`` of them at once, and the one watch behind all of them."""

    def __init__(self, control: Control, observer: Observer, most: int) -> None:
        self._control = control
        self._most = most
        self._watch = Watch(control)
        self._tasks = Background(lambda name, error: observer.tell(TaskFailed(name, error)))
        self._running: asyncio.Task[None] | None = None

    def routes(self) -> list[web.RouteDef]:
        """Return what this class serves."""
        return [web.get("/events", self.events, allow_head=False)]

    async def start(self, app: web.Application) -> None:
        """Begin to look."""
        del app
        self._begin()

    async def stop(self, app: web.Application) -> None:
        """End every stream: a listener that closes waits for its answers."""
        del app
        await self._tasks.drain(0)

    def _begin(self) -> None:
        if self._running is None or self._running.done():
            if self._running is not None:
                self._watch = Watch(self._control)  # the one before met a bug of ours, which was told
            self._running = self._tasks.start(self._watch.run(), "dashboard")

    async def events(self, request: web.Request) -> web.StreamResponse:
        """``GET /events``: one ``history``, then a ``snapshot`` each second."""
        self._begin()
        watch = self._watch
        if watch.watchers >= self._most:
            detail = f"{self._most} dashboards are open already (admin.streams); close one"
            raise Problem(503, detail, headers={"Retry-After": "5"})
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
        watch.watchers += 1
        try:
            await response.prepare(request)
            await response.write(watch.history())
            while (event := await watch.next()) is not None:
                async with asyncio.timeout(SLOWEST):
                    await response.write(event)
        except (ConnectionError, TimeoutError):
            # Its reader left, or reads no more: nobody is there to be told.
            response.force_close()
        finally:
            watch.watchers -= 1
        return response
