"""What is all here: nobody waits for it, and nobody can break it off."""

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


class Content:
    """What a spool comes to, for content that was here from the start: any number may read it, and it weighs nothing."""

    __slots__ = ("_content", "length")

    trailers: Headers = EMPTY
    is_whole = True

    def __init__(self, content: bytes) -> None:
        self.length = len(content)
        self._content = content

    def body(self) -> bytes:
        """Return all of it."""
        return self._content

    def reader(self) -> Whole:
        """Read it from the first byte."""
        return Whole(self._content)

    async def collected(self) -> bool:
        """Say, without a wait, that all of it is here."""
        return True
