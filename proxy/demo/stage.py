"""Everything started, in order, and ended in the opposite one."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from proxy.backplane.embedded import Embedded
from proxy.demo.backend import Backend
from proxy.demo.ports import HOST, Ports
from proxy.demo.sidecars import Sidecar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


@dataclass(frozen=True, slots=True)
class Stage:
    """What runs. ``failure`` ends with DemoError when a sidecar does what nobody told it."""

    ports: Ports
    backend: Backend
    failure: asyncio.Future[None]

    def url(self, sidecar: str) -> str:
        """Return the base URL of sidecar ``A`` or ``B``."""
        return f"http://{HOST}:{self.ports.traffic('AB'.index(sidecar))}"


@asynccontextmanager
async def everything(ports: Ports, show: Callable[[str, str], None]) -> AsyncIterator[Stage]:
    """Run backend, Valkey and both sidecars; ``show`` gets the sidecars' log lines. Raises DemoError, EmbeddedError."""
    ports.check()
    async with AsyncExitStack() as ending:
        backend = Backend()
        runner = web.AppRunner(backend.application(), access_log=None)
        await runner.setup()
        ending.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, HOST, ports.backend).start()

        valkey = Embedded()
        store = await valkey.start()
        ending.push_async_callback(valkey.stop)

        sidecars = [Sidecar(name, index, ports, store) for index, name in enumerate("AB")]
        failure = await _start(sidecars, show, ending)
        await _ready(sidecars, failure)
        yield Stage(ports, backend, failure)


async def _start(
    sidecars: list[Sidecar], show: Callable[[str, str], None], ending: AsyncExitStack
) -> asyncio.Future[None]:
    """Start the sidecars; the future returned fails once one of them ends by itself."""
    following: list[asyncio.Task[None]] = []
    failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None and not failure.done():
            failure.set_exception(error)

    async def stop() -> None:
        failure.cancel()  # from here on their end is no failure
        await asyncio.gather(*(sidecar.stop() for sidecar in sidecars))
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)

    ending.push_async_callback(stop)
    for sidecar in sidecars:
        await sidecar.start()
        following.append(asyncio.create_task(sidecar.follow(show)))
        following[-1].add_done_callback(ended)
    return failure


async def _ready(sidecars: list[Sidecar], failure: asyncio.Future[None]) -> None:
    """Wait for all, or raise what failed before."""
    ready = [asyncio.create_task(sidecar.is_ready()) for sidecar in sidecars]
    try:
        while not all(task.done() for task in ready):
            pending = [task for task in ready if not task.done()]
            await asyncio.wait((*pending, failure), return_when=asyncio.FIRST_COMPLETED)
            if failure.done():
                failure.result()
        for task in ready:
            task.result()
    finally:
        for task in ready:
            task.cancel()
        await asyncio.gather(*ready, return_exceptions=True)
