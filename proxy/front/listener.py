"""The listening socket, who may come in, and how all leave."""

from __future__ import annotations

import asyncio
import contextlib
import stat
from contextvars import Context
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.background import Background
from proxy.front.connection import Connection
from proxy.front.framing import Clock
from proxy.front.incoming import hosts_by_scheme
from proxy.front.lane import Lane
from proxy.wire.plain import FieldLines

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from proxy.front.handler import Handler
    from proxy.front.options import FrontOptions
    from proxy.front.problems import Decorate
    from proxy.message.request import Request
    from proxy.message.response import Response
    from proxy.pipeline.probe import Probe

_BACKLOG = 4096  # a burst of new connections waits here for a turn of the loop; the kernel caps it by somaxconn
_UNIX = "unix:"
_LAST_TURNS = 1.0  # seconds for what was aborted and cancelled to let go


def undecorated(request: Request | None, response: Response) -> Response:
    """Leave our own error answers as they are."""
    del request
    return response


class Front:
    """One traffic listener.

    ``decorate`` dresses the front's own error answers. With a ``probe`` answers that hold are given again at once, on
    the hit lane. ``on_refused(status, detail, peer)`` is told of what was no request.
    ``listening`` is a unix socket that listens already, which several processes share.
    """

    def __init__(  # noqa: PLR0913 - what the house hands in
        self,
        options: FrontOptions,
        handler: Handler,
        *,
        on_failure: Callable[[str, BaseException], None],
        decorate: Decorate = undecorated,
        probe: Probe | None = None,
        on_refused: Callable[[int, str, str], None] | None = None,
        listening: socket.socket | None = None,
    ) -> None:
        self.options = options
        self.handler = handler
        self.on_failure = on_failure
        self.decorate = decorate
        self.background = Background(on_failure)
        self.clock = Clock()
        self.hosts = hosts_by_scheme(options.hosts)
        self.tunnels = 0
        self.is_draining = False
        self.port = 0
        self.loop: asyncio.AbstractEventLoop
        self.context = Context()  # of every request's task: what one turn carries is not the next request's
        self.lines = FieldLines()
        self.lane = None if probe is None else Lane(probe, options, self.clock, self.lines, on_failure)
        self._on_refused = on_refused
        self._listening = listening
        self._open: set[Connection] = set()
        self._all_gone: asyncio.Event = asyncio.Event()
        self._server: asyncio.Server | None = None

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._open)

    async def start(self) -> None:
        """Listen. Raises OSError; ``port`` is set afterwards, 0 on a unix socket."""
        self.loop = asyncio.get_running_loop()
        listen = self.options.listen
        if self._listening is not None:
            self._server = await self.loop.create_unix_server(self._connection, sock=self._listening, backlog=_BACKLOG)
            return
        if listen.startswith(_UNIX):
            path = listen.removeprefix(_UNIX)
            _remove_socket(path)
            self._server = await self.loop.create_unix_server(self._connection, path, backlog=_BACKLOG)
            return
        host, _, port = listen.rpartition(":")
        self._server = await self.loop.create_server(
            self._connection,
            host.strip("[]") or None,
            int(port),
            backlog=_BACKLOG,
            reuse_port=self.options.reuse_port or None,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def drain(self, seconds: float) -> None:
        """Stop listening, let every accepted request be answered, and end what is not done by then."""
        self.is_draining = True
        if self._server is not None:
            self._server.close()
            if self.options.listen.startswith(_UNIX) and self._listening is None:
                _remove_socket(self.options.listen.removeprefix(_UNIX))
        for connection in tuple(self._open):
            connection.drain()
        await self._empty(seconds)
        for connection in tuple(self._open):
            connection.abort()
        await self._empty(_LAST_TURNS)
        await self.background.drain(_LAST_TURNS)

    async def _empty(self, seconds: float) -> None:
        """Wait that long for the last connection to go."""
        if self._open:
            self._all_gone.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_gone.wait(), seconds)

    # What the connections ask.

    def _connection(self) -> Connection:
        return Connection(self)

    def admit(self, connection: Connection) -> bool:
        """Count a connection, unless there are too many."""
        if len(self._open) >= self.options.connections:
            return False
        self._open.add(connection)
        return True

    def forget(self, connection: Connection) -> None:
        """Count it no more."""
        self._open.discard(connection)
        if not self._open:
            self._all_gone.set()

    def on_refused(self, status: int, detail: str, peer: str) -> None:
        """Tell of what was no request."""
        if self._on_refused is not None:
            self._on_refused(status, detail, peer)


def _remove_socket(path: str) -> None:
    """Remove the socket that an earlier process left, and nothing that is no socket."""
    place = Path(path)
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISSOCK(place.stat().st_mode):
            place.unlink()
