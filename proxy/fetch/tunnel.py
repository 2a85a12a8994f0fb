"""A connection to the backend that is no longer HTTP: bytes both ways, each direction with its own end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.fetch.inflow import Inflow

if TYPE_CHECKING:
    from proxy.fetch.connection import Connection


class BackendTunnel:
    """The backend's end of a tunnel; ``first`` are the bytes that came with the head that switched.

    Silence in both directions for ``idle_timeout`` ends it.
    """

    def __init__(self, connection: Connection, first: bytes, idle_timeout: float) -> None:
        self._connection = connection
        self._inflow = Inflow(connection)
        self._far_ended = False
        self._near_ended = False
        connection.begin(self)
        connection.patience.allow(idle_timeout)
        self._inflow.put(first)

    async def read(self) -> bytes:
        """Return what has come, ``b""`` once the backend has ended its direction or is gone."""
        return await self._inflow.take()

    async def write(self, data: bytes) -> None:
        """Send bytes and return when more may be sent. Raises OriginError once the backend is gone."""
        self._connection.patience.touch()
        self._connection.write(data)
        await self._connection.drained()

    async def write_eof(self) -> None:
        """End our direction; with both ended the connection closes."""
        self._near_ended = True
        if self._far_ended:
            self._connection.finish()
        else:
            self._connection.end_writing()

    async def aclose(self) -> None:
        """End both directions; what was written is still sent. Idempotent, never waits."""
        self._connection.finish()
        self._inflow.end()

    # The connection's receiver.

    def received(self, data: bytes) -> None:
        """Keep what came for the reader."""
        self._connection.patience.touch()
        self._inflow.put(data)

    def ended(self) -> bool:
        """End the backend's direction; ours may go on."""
        self._far_ended = True
        self._inflow.end()
        return not self._near_ended

    def lost(self) -> None:
        """End both directions."""
        self._inflow.end()

    def expired(self) -> None:
        """End both directions at once."""
        self._connection.close()
        self._inflow.end()
