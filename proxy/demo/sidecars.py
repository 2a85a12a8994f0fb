"""The children: ``sapwood serve``, as anybody would run it, with its log lines read here."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from proxy.backplane.embedded import die_with
from proxy.demo.ports import HOST, DemoError

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.demo.ports import Ports

_READY_WITHIN: Final = 60.0
_ENDS_WITHIN: Final = 10.0
_LOOK_EVERY: Final = 0.05
_SAID: Final = {
    "SAPWOOD_LOG__FORMAT": "json",
    "SAPWOOD_LOG__HITS": "100%",
    # The tour writes through A and reads at B in the next breath; a hot tier may take 250 ms to hear of it.
    "SAPWOOD_MEMORY__MAX_LAG": "0s",
    # A and B differ in their ports, which are part of the authority that clients say, and thus of the key; the
    # replicas of a service are asked under one name.
    "SAPWOOD_UPSTREAM__HOST": "api.treebeard.example",
}
_LINE_LIMIT: Final = 2**20


def rules() -> Path:
    """Return ``config/treebeard.yaml``: beside this module in a wheel, at the top of a checkout. Raises DemoError."""
    here = Path(__file__).resolve().parent
    for folder in (here / "config", here.parents[1] / "config"):
        if (folder / "treebeard.yaml").is_file():
            return folder / "treebeard.yaml"
    raise DemoError("config/treebeard.yaml is neither beside the demo nor at the top of the checkout")


class Sidecar:
    """One child. It dies with us, whatever happens to us (Linux); Ctrl-C on the terminal is for us alone."""

    def __init__(self, name: str, index: int, ports: Ports, store: str) -> None:
        self.name = name
        self._arguments = [
            *("--config", str(rules()), "--upstream", f"http://{HOST}:{ports.backend}", "--store", store),
            *("--listen", f"{HOST}:{ports.traffic(index)}", "--admin", f"{HOST}:{ports.admin(index)}"),
            *("--probes", f"{HOST}:{ports.probes(index)}"),
        ]
        self._probes = ports.probes(index)
        self._process: asyncio.subprocess.Process | None = None
        self._last_words: list[str] = []

    async def start(self) -> None:
        """Start it."""
        mine = {name: value for name, value in os.environ.items() if not name.startswith("SAPWOOD_")}
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "proxy", "serve", *self._arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=_LINE_LIMIT,
            env={**mine, **_SAID},
            preexec_fn=die_with(os.getpid()),
            start_new_session=True,
        )

    async def follow(self, show: Callable[[str, str], None]) -> None:
        """Hand each of its lines to ``show`` with its name, until it ends. Raises DemoError if that was its own idea."""
        assert self._process is not None
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            text = line.decode("utf-8", "replace").rstrip("\n")
            self._last_words = [*self._last_words[-9:], text]
            show(self.name, text)
        code = await self._process.wait()
        said = "\n  ".join(self._last_words)
        raise DemoError(f"sidecar {self.name} ended with {code}; its last lines:\n  {said}")

    async def is_ready(self) -> None:
        """Wait until its ``/readyz`` says so. Raises DemoError."""
        try:
            async with asyncio.timeout(_READY_WITHIN):
                while not await self._says_ready():  # noqa: ASYNC110  another process cannot set our events
                    await asyncio.sleep(_LOOK_EVERY)
        except TimeoutError:
            raise DemoError(f"sidecar {self.name} was not ready within {_READY_WITHIN:.0f} s") from None

    async def stop(self) -> None:
        """Let it drain, then end it. Idempotent."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_ENDS_WITHIN):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _says_ready(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection(HOST, self._probes)
        except OSError:
            return False
        try:
            writer.write(b"GET /readyz HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % HOST.encode())
            return (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        finally:
            writer.close()
