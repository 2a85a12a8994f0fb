"""A body that is still on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from proxy.message.headers import Headers


class Body(Protocol):
    """Chunks of a message's content, pulled by whoever needs them next: not pulling is back-pressure.

    ``length`` is the stated length in bytes, None where the framing does not say. After the last chunk,
    ``trailers`` holds the trailer fields, kept apart from the header fields (RFC 9110 section 6.5).
    """

    @property
    def length(self) -> int | None:
        """Stated length in bytes, None if unknown."""
        ...

    @property
    def trailers(self) -> Headers:
        """Trailer fields; complete only after the last chunk."""
        ...

    async def read(self) -> bytes:
        """Return the next chunk, never empty but at the end, where it is ``b""`` for ever.

        Raises MessageError (of the side that sends) when the body ends short of its length or breaks.
        """
        ...

    async def aclose(self) -> None:
        """Give up the rest. Idempotent; after a complete read it does nothing."""
        ...


class Tunnel(Protocol):
    """Both directions of a connection that is no longer HTTP (101, or 200 to CONNECT)."""

    async def read(self) -> bytes:
        """Return the next bytes from the far side, ``b""`` once it has ended its direction."""
        ...

    async def write(self, data: bytes) -> None:
        """Send bytes to the far side; returns when more may be sent."""
        ...

    async def write_eof(self) -> None:
        """End our direction."""
        ...

    async def aclose(self) -> None:
        """End both directions. Idempotent."""
        ...
