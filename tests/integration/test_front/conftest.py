"""A traffic listener on a real socket, under both loops, with a handler that does as told and a raw client."""

import asyncio
import socket
import sys
from pathlib import Path

import pytest
import uvloop

sys.path.insert(0, str(Path(__file__).parent))  # test folders are no packages; `playfront` is imported from here

from playfront import Client, Script

from proxy.front import Front, FrontOptions


def pytest_asyncio_loop_factories(config, item):
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
async def start():
    """Start a front; returns it, its script and a function that connects."""
    fronts, clients = [], []

    async def begin(**options):
        script = Script()
        extra = {name: options.pop(name) for name in ("decorate", "on_refused") if name in options}
        options.setdefault("listen", "127.0.0.1:0")
        front = Front(
            FrontOptions(**options),
            script,
            on_failure=lambda name, error: script.failures.append((name, error)),
            **extra,
        )
        await front.start()
        fronts.append(front)

        async def connect(limit=1 << 20, receive_buffer=None):
            sock = socket.socket()
            if receive_buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            sock.setblocking(False)
            try:
                await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", front.port))
            except OSError:
                sock.close()
                raise
            client = Client(*await asyncio.open_connection(sock=sock, limit=limit))
            clients.append(client)
            return client

        return front, script, connect

    yield begin
    for client in clients:
        await client.aclose()
    for front in fronts:
        await front.drain(0)
        assert front.connections == 0
        assert len(front.background) == 0
        assert front.tunnels == 0
