"""How the backend is reached: what the operator wrote under ``upstream``, checked and frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from proxy.wire.limits import WireLimits


@dataclass(frozen=True, slots=True)
class OriginOptions:
    """The backend's address and the bounds that protect it; times in seconds.

    ``url`` is ``http://host:port``, ``https://host:port`` or ``unix:/path``. ``timeout`` runs to the end of the
    response head while the backend holds the ball, ``idle_timeout`` between bytes after it. ``host`` replaces the
    client's authority in ``Host``; None keeps it.
    """

    url: str
    connect_timeout: float = 2.0
    timeout: float = 30.0
    idle_timeout: float = 300.0
    host: bytes | None = None
    max_connections: int = 100
    max_concurrent: int = 64
    queue_timeout: float = 5.0
    wire: WireLimits = field(default_factory=WireLimits)

    @property
    def address(self) -> Address:
        """Where to connect. Raises ValueError, as ``parse_address``."""
        return parse_address(self.url)


@dataclass(frozen=True, slots=True)
class Address:
    """A place to connect to: a TCP host and port, or the path of a unix socket."""

    host: str = ""
    port: int = 0
    path: str = ""
    tls: bool = False


def parse_address(url: str) -> Address:
    """Read ``http://host:port``, ``https://host:port`` or ``unix:/path``. Raises ValueError saying what is wrong."""
    if url.startswith("unix:"):
        path = url.removeprefix("unix:")
        if not path.startswith("/"):
            raise ValueError(f'expected an absolute socket path like "unix:/run/app.sock", got "{url}"')
        return Address(path=path)
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f'expected "http://host:port", "https://host:port" or "unix:/path", got "{url}"')
    if parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f'expected no more than scheme, host and port, got "{url}"')
    port = parts.port if parts.port is not None else 443 if parts.scheme == "https" else 80
    return Address(host=parts.hostname, port=port, tls=parts.scheme == "https")


@dataclass(frozen=True, slots=True)
class FlightOptions:
    """What fetches for several readers may take; sizes in bytes."""

    waiters: int = 1000  # per flight; more go alone, within max_concurrent
    collecting: int = 64 * 1024 * 1024  # all spools together: eight of the largest bodies at once
    max_body: int = 8 * 1024 * 1024  # as store.max_body: what is larger is not collected
