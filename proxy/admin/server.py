"""Both listeners, started and stopped as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import web

from proxy.admin import assets
from proxy.admin.bodies import MOST_BYTES
from proxy.admin.guard import guarding
from proxy.admin.handovers import HandoverCalls
from proxy.admin.inspection import InspectionCalls
from proxy.admin.listening import Listener
from proxy.admin.loglines import LogCalls
from proxy.admin.options import ListenError, may_go_without_token, parse_listen
from proxy.admin.probes import ProbeCalls
from proxy.admin.problems import answering_problems
from proxy.admin.purging import PurgeCalls
from proxy.admin.streaming import StreamCalls
from proxy.admin.tokens import Tokens
from proxy.admin.warming import WarmCalls

if TYPE_CHECKING:
    from aiohttp.typedefs import Middleware

    from proxy.admin.control import Control
    from proxy.admin.options import AdminOptions
    from proxy.observe.events import Observer

_MOST_FOR_A_PROBE: Final = 1024  # bytes; a probe has no body


class Admin:
    """The admin listener and, where one is wanted, the probe listener of a service.

    Raises ListenError for an address that others could reach without a token, ValueError for none at all.
    """

    def __init__(self, options: AdminOptions, control: Control, observer: Observer) -> None:
        address = parse_listen(options.listen)
        if not options.token and not may_go_without_token(address):
            raise ListenError(
                f"without a token the admin API may only listen on loopback or a unix socket, not on {address}"
            )
        self._tokens = Tokens(options.token)
        self._admin = Listener(admin_application(options, control, observer, self._tokens), address)
        self._probes: Listener | None = None
        if options.probes_listen is not None:
            self._probes = Listener(probe_application(control, observer), parse_listen(options.probes_listen))

    async def start(self) -> None:
        """Open both. Raises ListenError, then neither is open."""
        await self._admin.start()
        if self._probes is not None:
            try:
                await self._probes.start()
            except ListenError:
                await self._admin.stop()
                raise

    async def stop(self) -> None:
        """Close both, the probes last: who drains is still alive. Idempotent."""
        await self._admin.stop()
        if self._probes is not None:
            await self._probes.stop()

    def use_token(self, token: str | None) -> None:
        """Take another token from now on. Raises ValueError where there was none, or would be none any more."""
        self._tokens.use(token)

    @property
    def port(self) -> int | None:
        """The admin port, None on a unix socket."""
        return self._admin.port

    @property
    def probes_port(self) -> int | None:
        """The probe port, None without one."""
        return self._probes.port if self._probes is not None else None


def admin_application(options: AdminOptions, control: Control, observer: Observer, tokens: Tokens) -> web.Application:
    """Return everything, behind the guard."""
    purging = PurgeCalls(control)
    guard = guarding(parse_listen(options.listen), tokens.admit, options.hosts, assets.FILES)
    app = _application(MOST_BYTES, answering_problems(observer), guard, purging.by_method())
    streaming = StreamCalls(control, observer, options.streams)
    others = (HandoverCalls, WarmCalls, InspectionCalls, LogCalls, ProbeCalls)
    everything = (purging, *(calls(control) for calls in others), streaming, assets.Assets())
    for calls in everything:
        app.router.add_routes(calls.routes())
    app.on_startup.append(streaming.start)
    app.on_shutdown.append(streaming.stop)
    return app


def probe_application(control: Control, observer: Observer) -> web.Application:
    """Return the three probes, open to whoever reaches the port: kubelets and scrapers come by any name."""
    app = _application(_MOST_FOR_A_PROBE, answering_problems(observer))
    app.router.add_routes(ProbeCalls(control).routes())
    return app


def _application(most_bytes: int, *middlewares: Middleware) -> web.Application:
    app = web.Application(middlewares=middlewares, client_max_size=most_bytes)
    app.on_response_prepare.append(_without_our_insides)
    return app


async def _without_our_insides(request: web.Request, response: web.StreamResponse) -> None:
    """Take out the field that tells everybody the versions of Python and aiohttp; let nobody guess at types."""
    del request
    response.headers.popall("Server", None)
    response.headers["X-Content-Type-Options"] = "nosniff"
