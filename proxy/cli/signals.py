"""A service from its start to its end, under the signals that a supervisor sends."""

from __future__ import annotations

import asyncio
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Protocol

from proxy.background import Background
from proxy.cli import screen
from proxy.service.watching import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_ENDING: Final = (signal.SIGTERM, signal.SIGINT)
_RELOAD_MAY_TAKE: Final = 1.0  # seconds once told to end: whoever ends needs no other rules


class Running(Protocol):
    """What runs until it is told to stop."""

    async def start(self) -> None:
        """Open everything. Raises SapwoodError or OSError, then nothing is open."""
        ...

    async def stop(self) -> None:
        """Drain and close everything."""
        ...

    async def reload(self) -> Sequence[object]:
        """Take the configuration anew; return its mistakes, none when it was taken."""
        ...


async def run_until_told(
    service: Running,
    watched: Callable[[], Iterable[str]] | None = None,
    when_ready: Callable[[], None] = lambda: None,
) -> None:
    """Start; reload at each SIGHUP; drain and return at SIGTERM or SIGINT, of which a second one ends at once.

    ``watched`` names the files whose change is a reason to reload too.
    """
    loop = asyncio.get_running_loop()
    told = asyncio.Event()

    def end() -> None:
        told.set()
        # From here on both do what they do to any program: nobody has to wait for a drain that hangs.
        for number in _ENDING:
            loop.remove_signal_handler(number)

    with ExitStack() as handlers:
        for number in _ENDING:
            loop.add_signal_handler(number, end)
            handlers.callback(loop.remove_signal_handler, number)
        # Until there is something to reload: a hangup must not end a process that is starting.
        loop.add_signal_handler(signal.SIGHUP, lambda: None)
        handlers.callback(loop.remove_signal_handler, signal.SIGHUP)
        await service.start()
        when_ready()
        reloads = Background(lambda name, error: screen.complain(f"sapwood serve: {name}: {type(error).__name__}"))

        def begin_reload() -> None:
            reloads.start(_reload(service), "reload")

        loop.add_signal_handler(signal.SIGHUP, begin_reload)
        watch = Watch(watched, begin_reload) if watched is not None else None
        if watch is not None:
            watch.start()
        try:
            await told.wait()
        finally:
            if watch is not None:
                watch.stop()
            await reloads.drain(_RELOAD_MAY_TAKE)
            await service.stop()


async def _reload(service: Running) -> None:
    mistakes = await service.reload()
    for mistake in mistakes:
        screen.complain(str(mistake))
    if mistakes:
        screen.complain("sapwood serve: not reloaded, the running configuration stays")
