"""The address that all workers listen on: taken once, by the leader, so that nobody else can have it between two workers.

A TCP port: each worker binds it for itself with SO_REUSEPORT, and the kernel deals out the connections. The leader
holds it bound without listening, which gets no connection. It binds it *without* SO_REUSEPORT first, so that a port
on which another service listens is refused even if that one shares its own, and allows sharing only then. A unix socket has
no such thing: the leader listens, and all workers accept from the one socket.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import stat
from pathlib import Path
from typing import Final

from proxy.admin.options import UnixAddress, parse_listen

_BACKLOG: Final = 4096  # as the front's own
_TRIES: Final = 8  # a port that is free on one address is hardly ever taken on the next


class Port:
    """An address held for others. ``listen`` says where they shall listen, ``inherited`` what they get of it."""

    def __init__(self, listen: str) -> None:
        self.listen = listen
        self.port = 0
        self.inherited: socket.socket | None = None
        self._held: list[socket.socket] = []

    def take(self) -> None:
        """Hold it. Raises OSError; then nothing is held."""
        address = parse_listen(self.listen)
        try:
            if isinstance(address, UnixAddress):
                self.inherited = _listening(Path(address.path))
            else:
                self._bind_anywhere(address.host, address.port)
        except BaseException:
            self.release()
            raise
        if self._held:
            self.port = self._held[0].getsockname()[1]
            self.listen = f"{self.listen.rpartition(':')[0]}:{self.port}"

    def release(self) -> None:
        """Let go. Idempotent."""
        for held in self._held:
            held.close()
        self._held.clear()
        if self.inherited is not None:
            with contextlib.suppress(OSError):  # it was never bound
                Path(self.inherited.getsockname()).unlink(missing_ok=True)
            self.inherited.close()
            self.inherited = None

    def _bind_anywhere(self, host: str, port: int) -> None:
        """Bind all addresses; where the kernel may choose the port, one that is free on all of them."""
        for left in reversed(range(_TRIES)):
            try:
                self._bind_all(host, port)
            except OSError as error:
                if port or error.errno != errno.EADDRINUSE or not left:
                    raise
                self.release()  # free on the first address, taken on another
            else:
                return

    def _bind_all(self, host: str, port: int) -> None:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in dict.fromkeys(found):
            # A name with several addresses has one port on all of them, also where the kernel chose it.
            port = port or (self._held[0].getsockname()[1] if self._held else 0)
            try:
                held = socket.socket(family, kind, protocol)
            except OSError as error:
                if error.errno == errno.EAFNOSUPPORT and len(found) > 1:
                    continue  # a name that is also an IPv6 address, on a machine without IPv6
                raise
            self._held.append(held)
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                held.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            held.bind((address[0], port, *address[2:]))
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            # It was for the connections of a process before us. Two that do not listen would else both have the port.
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)


def _listening(path: Path) -> socket.socket:
    # The file of a process that was killed; nothing that is no socket is removed.
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISSOCK(path.stat().st_mode):
            path.unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(str(path))
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening
