"""``/livez``, ``/readyz``, ``/metrics``: what a kubelet and a Prometheus ask, on either listener."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from proxy.admin.bodies import json_answer

if TYPE_CHECKING:
    from proxy.admin.control import Control


class ProbeCalls:
    """Handlers that depend neither on Redis nor on the backend: a cluster must be able to start from zero."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def routes(self) -> list[web.RouteDef]:
        """Return what this class serves."""
        return [
            web.get("/livez", self.livez),
            web.get("/readyz", self.readyz),
            web.get("/metrics", self.metrics),
        ]

    async def livez(self, request: web.Request) -> web.Response:
        """Alive: the loop turns."""
        del request
        alive = self._control.alive()
        return json_answer({"alive": alive}, 200 if alive else 503)

    async def readyz(self, request: web.Request) -> web.Response:
        """Ready: listening with a valid configuration."""
        del request
        ready = self._control.ready()
        return json_answer({"ready": ready}, 200 if ready else 503)

    async def metrics(self, request: web.Request) -> web.Response:
        """Prometheus text exposition."""
        del request
        body, content_type = await self._control.metrics()
        return web.Response(body=body, headers={"Content-Type": content_type, "Cache-Control": "no-store"})
