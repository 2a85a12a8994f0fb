"""A worker as the leader sees it: its process, the channel to it, and what it counted last.

Why a new interpreter and not a fork: a leader that has been running for weeks has threads, a libuv loop and sockets,
none of which survive a fork in good order, and a worker that died must be replaced just then. It costs the start of an
interpreter (0.4 s of CPU) and memory that is not shared (50 MB each), which is why one worker is the default. A process
kept aside to be forked, without loop and threads, would save both; but workers would be its children: how they ended is
told to it and not to the leader, they die with it, and somebody would have to look after it as well.
A worker must not outlive its leader, however that one ends: it asks the kernel to be killed when its parent dies
(PR_SET_PDEATHSIG) and looks whether the parent is gone already; elsewhere than on Linux it ends when its channel does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from typing import TYPE_CHECKING, Any, Final

from proxy.message.errors import SapwoodError
from proxy.observe.gauges import Gauges
from proxy.observe.snapshots import counters_of, empty
from proxy.service.channel import Channel

if TYPE_CHECKING:
    from proxy.background import Background
    from proxy.observe.counters import Counters

STARTS_WITHIN: Final = 60.0
"""Seconds from its process to its socket: a dozen of them on half a CPU take ten."""


class WorkerError(SapwoodError):
    """A worker could not be started; the text says why."""


class Member:
    """One process. ``silent_for`` counts the looks at it since it was last heard, ``failure`` says why it was ended."""

    def __init__(self, index: int, background: Background) -> None:
        self.index = index
        self.counters: Counters
        self.gauges: Gauges
        self.forget()
        self.is_up = False
        self.silent_for = 0
        self.failure = ""
        self.channel: Channel
        self._background = background
        self._began = asyncio.get_running_loop().time()
        self._process: asyncio.subprocess.Process | None = None
        self._serving: asyncio.Task[None]

    @property
    def pid(self) -> int:
        """Its process id; 0 before it has one."""
        return self._process.pid if self._process is not None else 0

    @property
    def lived(self) -> float:
        """Seconds since it was to be."""
        return asyncio.get_running_loop().time() - self._began

    async def launch(self, inherited: socket.socket | None) -> None:
        """Start the process; it waits for its orders then. Raises OSError."""
        ours, theirs = socket.socketpair()
        with theirs:
            passed = [theirs.fileno(), *([inherited.fileno()] if inherited is not None else [])]
            try:
                self._process = await asyncio.create_subprocess_exec(
                    # -P and the leader's own path: what happens to lie in the working directory is nobody's `proxy`.
                    *(sys.executable, "-P", "-m", "proxy.service", str(os.getpid()), *map(str, passed)),
                    stdin=asyncio.subprocess.DEVNULL,
                    pass_fds=passed,
                    env={**os.environ, "PYTHONPATH": os.pathsep.join(place or os.curdir for place in sys.path)},
                    start_new_session=True,  # Ctrl-C is for the leader, which drains
                )
            except BaseException:
                ours.close()
                raise
        self.channel = await Channel.over(ours, self._background)
        self._serving = self._background.start(self.channel.serve(self), name=f"worker {self.index}")

    async def begin(self, written: dict[str, Any], listen: str, store_url: str | None) -> None:
        """Let it build and listen; it is up when it knows what all others know. Raises WorkerError, ChannelError."""
        said = await self.channel.ask(
            "begin", STARTS_WITHIN, written=written, index=self.index, listen=listen, store_url=store_url
        )
        if said["failure"]:
            raise WorkerError(said["failure"])

    def hear(self, news: str, said: dict[str, Any]) -> None:
        """Take over what it has counted, and note that it lives."""
        del news  # there is one kind
        self.silent_for = 0
        self.counters, self.gauges = counters_of(said["counters"]), Gauges(**said["gauges"])

    def forget(self) -> None:
        """Count it no more: somebody else has taken over what it had counted."""
        self.counters, self.gauges = empty(), Gauges()

    async def obey(self, order: str, said: dict[str, Any]) -> dict[str, Any]:
        """Nobody gives the leader orders."""
        del said
        return {"failure": f"no order for a leader: {order}"}

    async def ended(self) -> int:
        """Wait for its end, and for the last that it had to say; return its exit code, negative for a signal."""
        if self._process is None:
            return 0
        code = await self._process.wait()
        self.is_up = False
        await asyncio.wait([self._serving])
        return code

    def kill(self) -> None:
        """End it at once, whatever it does. Idempotent."""
        self.is_up = False
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
