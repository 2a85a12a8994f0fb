"""What the operator says about the connection to Redis."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class BackplaneOptions:
    """Times in seconds. ``url`` is ``embedded://``, ``redis://``, ``rediss://`` or ``unix://``, perhaps with a password."""

    url: str = field(repr=False)
    max_connections: int = 50  # the application's own pool, which its Redis is sized for
    connect_timeout: float = 2.0  # likewise
    timeout: float = 2.0  # likewise: of one whole exchange
    health_check_interval: float = 30.0  # likewise: an idle connection older than that is asked before it is used
