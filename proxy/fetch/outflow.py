"""A request's body on its way to the backend: pulled from its owner as fast as the backend takes it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from proxy.message.errors import MessageError
from proxy.wire.writing import chunk, last_chunk

if TYPE_CHECKING:
    from proxy.fetch.connection import Connection
    from proxy.message.body import Body

CONTINUE_PATIENCE: Final = 1.0
"""Seconds to wait for 100 (Continue): RFC 9110 section 10.1.1 forbids to wait for ever; what curl waits."""


class Outflow:
    """Sends one body. ``begun``: something was pulled from its owner; ``complete``: all of it was written.

    ``sent_trailers``: fields followed it. Some servers take them for the first of the next request's, which may be
    anybody's, so their connection must not carry another (aiohttp does, up to 3.14 at least).
    """

    __slots__ = ("_body", "_connection", "_permit", "begun", "complete", "sent_trailers")

    def __init__(self, connection: Connection, body: Body, *, expect_continue: bool) -> None:
        self._connection = connection
        self._body = body
        self._permit = asyncio.Event() if expect_continue else None
        self.begun = False
        self.complete = False
        self.sent_trailers = False

    @property
    def is_waiting(self) -> bool:
        """Say whether it still waits for 100 (Continue)."""
        return self._permit is not None and not self.begun

    def permit(self) -> None:
        """Go on: the backend has said 100 (Continue)."""
        if self._permit is not None:
            self._permit.set()

    async def send(self) -> None:
        """Send it all. Raises what the body's owner raises, MessageError where it does not keep its stated length."""
        await self._permitted()
        if self._body.length is None:
            await self._send_chunks()
        else:
            await self._send_counted(self._body.length)

    async def _permitted(self) -> None:
        """Wait for 100 (Continue), but not for ever (RFC 9110 section 10.1.1)."""
        if self._permit is None:
            return
        try:
            async with asyncio.timeout(CONTINUE_PATIENCE):
                await self._permit.wait()
        except TimeoutError:
            return

    async def _send_chunks(self) -> None:
        while data := await self._pull():
            self._connection.write_all(chunk(data))
            await self._connection.drained()
        self._connection.write(last_chunk(self._body.trailers))
        self.sent_trailers = bool(self._body.trailers)
        self.complete = True

    async def _send_counted(self, length: int) -> None:
        left = length
        while left:
            data = await self._pull()
            if not data or len(data) > left:
                raise MessageError("the request body does not have its stated length")
            left -= len(data)
            self._connection.write(data)
            if left:
                await self._connection.drained()
        self.complete = True

    async def _pull(self) -> bytes:
        """Read from the owner; meanwhile the backend's patience is not ours to spend."""
        self.begun = True
        self._connection.patience.hold()
        try:
            return await self._body.read()
        finally:
            self._connection.patience.let_go()
