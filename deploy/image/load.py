"""Clients as a load balancer has them: connections that are kept, and another replica where one is leaving."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass(slots=True)
class Told:
    """``elsewhere`` counts what was asked again of the other replica because a connection had been closed before a byte."""

    answered: int = 0
    elsewhere: int = 0
    lost: list[str] = field(default_factory=list)


async def client(ports: list[int], told: Told, stop: asyncio.Event, number: int) -> None:
    """Ask on one connection after the other until told to stop; a half answer, or none anywhere, is a loss."""
    turn = 0
    while not stop.is_set():
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", ports[0])
        except OSError:
            if len(ports) == 1:
                told.lost.append("refused, and nobody else to ask")
                return
            ports = ports[1:]
            continue
        while not stop.is_set():
            turn += 1
            target = f"/api/v1/plans/catalog?page=1&client={number}" if turn % 3 else f"/api/v1/other/{number}/{turn}"
            writer.write(f"GET {target} HTTP/1.1\r\nHost: shop.example\r\n\r\n".encode())
            began = False
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                began = True
                length = next(
                    int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
                )
                await reader.readexactly(length)
            except (OSError, asyncio.IncompleteReadError) as error:
                if began or (isinstance(error, asyncio.IncompleteReadError) and error.partial):
                    told.lost.append(f"{target}: {error!r}")
                else:
                    told.elsewhere += 1
                break
            told.answered += 1
            if b"connection: close" in head.lower():
                break
        writer.close()
