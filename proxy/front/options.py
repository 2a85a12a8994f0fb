"""What the operator may set of the traffic listener."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proxy.wire.limits import WireLimits

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network


@dataclass(frozen=True, slots=True)
class FrontOptions:
    """``listen`` is ``host:port``, ``[v6]:port`` or ``unix:/path``; ``hosts`` are the accepted authorities, None for any.

    Times are in seconds. ``head_timeout`` runs from the first byte of a head to its last (and from accepting to the first head);
    ``body_timeout`` and ``write_timeout`` run between bytes; ``keep_alive`` between requests. ``unsent`` is in bytes: over
    it nothing more is produced for a client.
    """

    listen: str
    hosts: frozenset[bytes] | None = None
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    wire: WireLimits = field(default_factory=WireLimits)
    connections: int = 15000
    pipelined: int = 64
    tunnels: int = 1000
    unsent: int = 256 * 1024  # what a path of 20 Mbit/s and 100 ms holds; slow readers cost as much each
    head_timeout: float = 10.0
    body_timeout: float = 30.0
    write_timeout: float = 30.0
    keep_alive: float = 75.0  # nginx's; longer than most load balancers' 60, so that they are first to close
    reuse_port: bool = False  # several worker processes on one port
