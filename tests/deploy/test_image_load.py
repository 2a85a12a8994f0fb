"""The clients that judge a drain: a half answer is a loss, a connection closed before a byte is asked again elsewhere."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "deploy" / "image"))

from load import Told, client

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Says the same to every request, closes after ``most`` of them, and listens until told not to."""

    def __init__(self, says, most):
        self.says = says
        self.most = most
        self.asked = asyncio.Event()

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.met, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()
        await self.server.wait_closed()

    async def met(self, reader, writer):
        try:
            for _ in range(self.most):
                await reader.readuntil(b"\r\n\r\n")
                self.asked.set()
                writer.write(self.says)
        except asyncio.IncompleteReadError:
            pass
        finally:
            self.server.close()
            writer.close()


async def judged(says, *, most, other=True):
    """Return what is told of one client before a server that leaves, and another that stays."""
    told, stop = Told(), asyncio.Event()
    async with Server(says, most) as leaving, Server(WHOLE, 10**6) as staying:
        ports = [leaving.port, staying.port] if other else [leaving.port]
        asking = asyncio.create_task(client(ports, told, stop, 1))
        await asyncio.wait_for(
            asyncio.wait([asking, asyncio.create_task(staying.asked.wait())], return_when="FIRST_COMPLETED"), 10
        )
        stop.set()
        await asyncio.wait_for(asking, 10)
        staying.asked.set()
    return told


@pytest.mark.parametrize(
    ("says", "most", "lost", "elsewhere"),
    [
        pytest.param(WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), 1, 0, 0, id="says that it leaves"),
        pytest.param(WHOLE, 3, 0, 1, id="closes between two requests"),
        pytest.param(WHOLE[:-1], 1, 1, 0, id="half a body"),
        pytest.param(WHOLE[:20], 1, 1, 0, id="half a head"),
    ],
)
async def test_a_client_beside_another_replica(says, most, lost, elsewhere):
    told = await judged(says, most=most)
    assert (len(told.lost), told.elsewhere) == (lost, elsewhere)


async def test_nobody_else_to_ask_is_a_loss():
    assert len((await judged(WHOLE, most=1, other=False)).lost) == 1
