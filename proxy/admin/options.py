"""What the operator says about the admin and probe listeners, and how an address is written."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from proxy.message.errors import SapwoodError


class ListenError(SapwoodError):
    """An address could not be listened on: the operator's to mend."""


@dataclass(frozen=True, slots=True)
class AdminOptions:
    """The ``admin`` and ``probes`` sections.

    ``listen`` and ``probes_listen`` are ``host:port``, ``[v6]:port`` or ``unix:/path``; port 0 is any free one.
    ``hosts`` are further names under which the admin port may be addressed, for example a Kubernetes service's.
    ``streams``: dashboards that may be open at once.
    """

    listen: str = "127.0.0.1:9091"
    token: str | None = field(default=None, repr=False)
    probes_listen: str | None = None
    hosts: tuple[str, ...] = ()
    streams: int = 16  # a connection and some kilobytes a second each; nothing more is asked of the service


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A TCP listener; ``host`` is a name or an address without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A unix socket's path."""

    path: str

    def __str__(self) -> str:
        return f"unix:{self.path}"


Address = TcpAddress | UnixAddress


def parse_listen(text: str) -> Address:
    """Read ``host:port``, ``[v6]:port`` or ``unix:/path``. Raises ValueError that says what was expected."""
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        if not path.startswith("/"):
            raise ValueError(f'expected an absolute path like "unix:/run/sapwood.sock", got "{text}"')
        return UnixAddress(path)
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    plain = host[1:-1] if bracketed else host
    if not colon or not plain or (":" in plain) != bracketed:
        raise ValueError(f'expected an address like "127.0.0.1:9091" or "[::1]:9091", got "{text}"')
    if not (port.isascii() and port.isdigit()) or int(port) > 65535:  # noqa: PLR2004 - the last port there is
        raise ValueError(f'expected a port from 0 to 65535, got "{port}"')
    return TcpAddress(plain, int(port))


def is_loopback(host: str) -> bool:
    """Say whether a host name or address, without brackets, can only mean this machine."""
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def may_go_without_token(address: Address) -> bool:
    """Say whether only this machine can reach that address, so that a token is not required."""
    return isinstance(address, UnixAddress) or is_loopback(address.host)
