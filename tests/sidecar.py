"""A sidecar as its users run it: the installed command, in a process of its own, on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

from servers import _die_with_parent, free_port


class Sidecar:
    """``sapwood serve`` under the given rules; ``with`` starts it, waits until it is ready, and drains it at the end."""

    def __init__(
        self,
        rules: str | None,
        *,
        upstream: str,
        store: str | None = None,
        listen: str | None = None,
        environ: dict[str, str] | None = None,
        flags: tuple[str, ...] = (),
    ) -> None:
        self.port, self.admin_port, self.probes_port = free_port(), free_port(), free_port()
        self._directory = tempfile.TemporaryDirectory(prefix="sapwood-test-")
        arguments = [
            *("--upstream", upstream, "--listen", listen or f"127.0.0.1:{self.port}"),
            *("--admin", f"127.0.0.1:{self.admin_port}", "--probes", f"127.0.0.1:{self.probes_port}"),
        ]
        self.rules = Path(self._directory.name) / "rules.yaml"
        if rules is not None:
            self.rules.write_text(rules)
            arguments += ["--config", str(self.rules)]
        if store is not None:
            arguments += ["--store", store]
        self._arguments = [*arguments, *flags]
        self._environ = environ or {}
        self.process: subprocess.Popen[bytes] | None = None
        self.lines: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "proxy", "serve", *self._arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=_die_with_parent,  # noqa: PLW1509  no thread of a test holds a lock that prctl needs
            env={name: value for name, value in os.environ.items() if not name.startswith("SAPWOOD_")} | self._environ,
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        deadline = time.monotonic() + 60  # a loaded machine takes its time to import
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(b"the sidecar did not start:\n" + b"".join(self.lines))
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.end()
        finally:
            self._directory.cleanup()

    def end(self) -> None:
        """Drain it, and wait until it is gone; it may be started again, on the same ports. Idempotent."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self._listener.join()
            self.process.stdout.close()

    def _listen(self) -> None:
        self.lines.extend(self.process.stdout)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.probes_port}/readyz", timeout=1) as answer:
                return answer.status == 200
        except OSError:
            return False

    def admin(self, method: str, path: str, body: object = None) -> tuple[int, object]:
        """Call the admin API; return status and JSON."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.admin_port}{path}", data=data, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    def memory(self) -> int:
        """Resident bytes of the process now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) * 1024

    def peak_memory(self) -> int:
        """The most resident bytes the process ever had."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024
