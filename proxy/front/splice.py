"""Both directions of a tunnel, each with its own end; who ends one may go on with the other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from proxy.message.errors import SapwoodError

if TYPE_CHECKING:
    from proxy.front.connection import Connection
    from proxy.front.inbound import Inbound
    from proxy.message.body import Tunnel


async def splice(connection: Connection, tunnel: Tunnel) -> int:
    """Carry bytes both ways until both have ended or one broke; return how many went to the client.

    How long a silent tunnel lives is the backend side's business, but for a client that does not end its own
    direction after the backend has.
    """
    inbound = connection.switch()
    sent = 0

    async def down() -> None:
        nonlocal sent
        while data := await tunnel.read():
            sent += len(data)
            connection.write(data)
            if not connection.is_writable:
                await connection.writable()
        connection.end_writing()

    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(_up(inbound, tunnel), name="tunnel up")
            both.create_task(down(), name="tunnel down")
    except* (SapwoodError, OSError):
        pass  # one side broke, so both are over; nobody is left to be told
    return sent


async def _up(inbound: Inbound, tunnel: Tunnel) -> None:
    while data := await inbound.read():
        await tunnel.write(data)
    await tunnel.write_eof()
