"""What is said on one connection, by redis-py's own reading and writing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hiredis import pack_command
from redis.exceptions import ResponseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis.asyncio.connection import AbstractConnection

    Command = Sequence[bytes | str | float]


async def ready(connection: AbstractConnection) -> bool:
    """Connect, again if the server has closed this connection since it was last used: say whether it had."""
    broken = connection.is_connected and await connection.can_read()
    if broken:
        await connection.disconnect(nowait=True)
    await connection.connect()  # type: ignore[no-untyped-call]  # redis-py types most of itself, not this
    return broken


def packed(command: Command) -> bytes:
    """Return a command as RESP."""
    words: tuple[Any, ...] = tuple(command)  # of any number, which hiredis's own types do not say
    octets: bytes = pack_command(words)
    return octets


async def exchange(connection: AbstractConnection, commands: Sequence[Command]) -> list[Any]:
    """Write all commands, read all replies; error replies are returned, so that none is left unread."""
    await connection.send_packed_command(list(map(packed, commands)))
    replies: list[Any] = []
    for _ in commands:
        try:
            replies.append(await connection.read_response())
        except ResponseError as error:
            replies.append(error)
    return replies
