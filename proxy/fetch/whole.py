"""A body that is all here: nobody waits for it, and nobody can break it off."""

from __future__ import annotations

from proxy.message.headers import EMPTY, Headers


class Whole:
    """A Body without waiting: a reply's, or a small one of a request."""

    __slots__ = ("_left", "length", "trailers")

    overrun = False

    def __init__(self, content: bytes, trailers: Headers = EMPTY) -> None:
        self.length: int | None = len(content)
        self.trailers = trailers
        self._left = content

    async def read(self) -> bytes:
        """Return all of it, then nothing."""
        content, self._left = self._left, b""
        return content

    async def aclose(self) -> None:
        """Let go of it."""
        self._left = b""
