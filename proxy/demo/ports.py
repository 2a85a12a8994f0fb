"""Which ports the demo uses, and whether they are free."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Final

from proxy.message.errors import SapwoodError

DEFAULT_BASE: Final = 8800
HOST: Final = "127.0.0.1"


class DemoError(SapwoodError):
    """The demo cannot run; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Seven neighbours on loopback: the backend, then for sidecar A and B traffic, admin and probes."""

    base: int = DEFAULT_BASE

    @property
    def backend(self) -> int:
        """The backend's own port."""
        return self.base

    def traffic(self, index: int) -> int:
        """Return the port that clients of sidecar 0 (A) or 1 (B) use."""
        return self.base + 1 + index

    def admin(self, index: int) -> int:
        """Return its admin port."""
        return self.base + 3 + index

    def probes(self, index: int) -> int:
        """Return its probe port."""
        return self.base + 5 + index

    def check(self) -> None:
        """Raise DemoError naming every port that somebody else listens on."""
        wanted = range(self.base, self.base + 7)
        if self.base < 1 or wanted[-1] > 65535:  # noqa: PLR2004  the last port there is
            raise DemoError(f"--port-base {self.base} leaves no room for {len(wanted)} ports between 1 and 65535")
        taken = [str(port) for port in wanted if not _is_free(port)]
        if taken:
            few = "port" if len(taken) == 1 else "ports"
            raise DemoError(f"{few} {', '.join(taken)} on {HOST} taken: choose seven others with --port-base N")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as the listeners do: not refused by old connections
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
