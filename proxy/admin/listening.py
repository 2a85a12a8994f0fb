"""One socket with one application behind it."""

from __future__ import annotations

import logging
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiohttp import web

from proxy.admin.options import ListenError, UnixAddress

if TYPE_CHECKING:
    from proxy.admin.options import Address

_PATIENCE: Final = 5.0  # seconds for answers on their way when the listener closes
_MOST_IN_HEAD: Final = 16 * 1024

# aiohttp reports broken requests to a stdlib logger, with their bytes; problems.py reports our own failures.
# Made by hand, it is in nobody's tree: no handler of the process, no other service's setting reaches it.
_SILENT: Final = logging.Logger("sapwood.admin", level=logging.CRITICAL + 1)  # noqa: LOG001 - see above


class Listener:
    """``port`` is the one that was bound, None on a unix socket and before ``start``."""

    def __init__(self, app: web.Application, address: Address) -> None:
        self._address = address
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=_SILENT,
            handle_signals=False,
            shutdown_timeout=_PATIENCE,
            max_line_size=_MOST_IN_HEAD,
            max_field_size=_MOST_IN_HEAD,
        )
        self.port: int | None = None

    async def start(self) -> None:
        """Bind and listen. Raises ListenError."""
        await self._runner.setup()
        try:
            await self._site().start()
        except OSError as error:
            await self._runner.cleanup()
            raise ListenError(f"cannot listen on {self._address}: {error.strerror or error}") from error
        if not isinstance(self._address, UnixAddress):
            self.port = self._runner.addresses[0][1]

    def _site(self) -> web.BaseSite:
        if isinstance(self._address, UnixAddress):
            return web.SockSite(self._runner, _bound_unix_socket(Path(self._address.path)))
        return web.TCPSite(self._runner, self._address.host, self._address.port)

    async def stop(self) -> None:
        """Close the socket and finish what is on its way. Idempotent."""
        was_open = bool(self._runner.sites)
        await self._runner.cleanup()
        if was_open and isinstance(self._address, UnixAddress):
            _remove(self._address.path)


def _bound_unix_socket(path: Path) -> socket.socket:
    """Return a socket bound to ``path``, for this user and group only."""
    # The file of a process that was killed; asyncio's own servers take it over in the same way.
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        path.unlink()
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        bound.bind(str(path))
        # Nobody can connect before listen(), so the file is never open to others.
        path.chmod(0o660)
    except OSError:
        bound.close()
        raise
    return bound


def _remove(path: str) -> None:
    Path(path).unlink(missing_ok=True)
