"""For orientation: requests a second and CPU per request beside nginx, in interleaved pairs (not the final benchmark)."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from record import Record
from servers import Valkey, _die_with_parent, free_port
from sidecar import Sidecar

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

RULES = """
version: 1
service: speed
upstream: {{url: http://127.0.0.1:1, max_concurrent: 64}}
memory: {{max_size: {memory}}}
log: {{hits: 0%, level: warning}}
routes:
  - {{name: items, match: GET /items/**, authorization: ignore, cookies: ignore, ttl: 1h}}
"""
URLS = 500
BODY = 2048
CONNECTIONS = 64
TICKS = os.sysconf("SC_CLK_TCK")
ORIGIN = """
worker_processes 1; daemon off; pid {folder}/origin.pid; error_log stderr error;
events {{ worker_connections 2048; }}
http {{
  access_log off; keepalive_requests 1000000000;
  server {{
    listen 127.0.0.1:{port} backlog=2048; root {folder}/www; default_type application/json; etag off;
    location / {{ rewrite ^ /body break; }}
  }}
}}
"""
PEER = """
worker_processes 1; daemon off; pid {folder}/peer.pid; error_log stderr error;
events {{ worker_connections 2048; }}
http {{
  access_log off; keepalive_requests 1000000000;
  proxy_temp_path {folder}/temp; client_body_temp_path {folder}/temp;
  proxy_cache_path {folder}/cache keys_zone=hot:16m max_size=512m use_temp_path=off;
  upstream origin {{ server 127.0.0.1:{origin}; keepalive 64; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
    location /items/ {{ proxy_cache hot; proxy_cache_valid 200 1h; proxy_cache_lock on; proxy_pass http://origin;
                        add_header X-Cache-Status $upstream_cache_status; }}
    location / {{ proxy_pass http://origin; }}
  }}
}}
"""
# Headers as a browser and a gateway in front of us send them; a fresh request id each time.
SCRIPT = """
local fields = {{
  ["Accept"] = "application/json, text/plain, */*", ["Accept-Encoding"] = "gzip, deflate, br",
  ["Accept-Language"] = "en-GB,en;q=0.9", ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
  ["X-Forwarded-For"] = "192.0.2.7", ["X-Forwarded-Proto"] = "http", ["Referer"] = "http://app.example/plans",
  ["Authorization"] = "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.c2ln"
}}
local turn = 0
request = function()
  turn = turn + 1
  fields["X-Request-ID"] = string.format("%08x-{salt}", turn)
  return wrk.format("GET", string.format("{path}", {number}), fields)
end
done = function(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %d\\n", summary.requests, summary.duration,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(99)))
end
"""


def tool(name: str, package: str) -> str:
    """Where it is; a missing one ends the proof by its name."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if path is None:
        sys.exit(f"missing: {name} (Debian package {package}): bench/tools.sh prove installs it")
    return path


class Nginx:
    """One nginx with one worker on loopback, all of its files in a folder on tmpfs."""

    def __init__(self, folder: Path, name: str, configuration: str) -> None:
        self._path = folder / f"{name}.conf"
        self._path.write_text(configuration)
        self._folder = folder

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [tool("nginx", "nginx-light"), "-p", str(self._folder), "-c", str(self._path), "-e", "stderr"],
            stdin=subprocess.DEVNULL,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - no thread of ours holds a lock that prctl needs
        )
        time.sleep(0.5)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=10)

    @property
    def pids(self) -> list[int]:
        """Who serves: master and worker."""
        text = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [self.process.pid, *map(int, text.split())]


def cpu(pids: list[int]) -> float:
    """Return the CPU seconds that these processes have used."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


@dataclass(frozen=True, slots=True)
class Run:
    """One run of wrk: requests a second, µs of CPU of the serving process per request, errors, 99 % in ms."""

    rate: float
    cost: float
    errors: int
    late: float


@dataclass(frozen=True, slots=True)
class Way:
    """A way to be asked: path and number as Lua has them."""

    name: str
    path: str
    number: str


HIT = Way("hit", "/items/%d", f"turn % {URLS}")
MISS = Way("miss", "/items/fresh-{salt}-%d", "turn")
PASS = Way("pass-through", "/else/%d", f"turn % {URLS}")


def load(  # noqa: PLR0913 - all that makes up a run
    folder: Path, port: int, pids: list[int], way: Way, *, seconds: float, salt: str
) -> Run:
    """Let wrk ask, and measure."""
    script = folder / "ask.lua"
    script.write_text(SCRIPT.format(path=way.path.replace("{salt}", salt), number=way.number, salt=salt))
    before = cpu(pids)
    words = [tool("wrk", "wrk"), "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds:.0f}s", "-s", str(script)]
    said = subprocess.run(
        [*words, f"http://127.0.0.1:{port}"], check=True, capture_output=True, text=True, timeout=seconds + 30
    )
    used = cpu(pids) - before
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+)", said.stdout)
    assert found is not None, said.stdout + said.stderr
    requests, micros, errors, late = map(int, found.groups())
    return Run(requests / micros * 1e6, used / max(1, requests) * 1e6, errors, late / 1000)


def compare(record: Record, name: str, ours: Callable[[int], Run], theirs: Callable[[int], Run], pairs: int) -> None:
    """Run both in turn, and take down the medians."""
    runs: dict[str, list[Run]] = {"sapwood": [], "nginx": []}
    for pair in range(pairs):
        for who, run in (("sapwood", ours), ("nginx", theirs)) if pair % 2 else (("nginx", theirs), ("sapwood", ours)):
            runs[who].append(run(pair))
    for who, measured in runs.items():
        rate = statistics.median(run.rate for run in measured)
        cost = statistics.median(run.cost for run in measured)
        late = statistics.median(run.late for run in measured)
        record.note(f"{name}, {who}: requests/s; µs CPU each; 99 % in ms", f"{rate:,.0f}; {cost:.1f}; {late:.1f}")
        record.ask(
            f"{name}, {who}: errors", sum(run.errors for run in measured), "0", not any(r.errors for r in measured)
        )
    pairs_of = zip(runs["sapwood"], runs["nginx"], strict=True)
    ratio = statistics.median(ours.cost / theirs.cost for ours, theirs in pairs_of if theirs.cost)
    record.note(f"{name}: CPU of sapwood to that of nginx", f"{ratio:.2f}")
    record.details[name] = {
        who: [[round(r.rate), round(r.cost, 1)] for r in measured] for who, measured in runs.items()
    }


def prove(seconds: float, pairs: int) -> Record:
    """Run it and return what was found."""
    settings = {"seconds a run": seconds, "pairs": pairs, "connections": CONNECTIONS, "URLs": URLS, "body": BODY}
    record = Record("speed", __doc__ or "", dict(settings))
    valkey = Valkey().start()
    try:
        with tempfile.TemporaryDirectory(prefix="sapwood-speed-", dir="/dev/shm") as name:
            folder = Path(name)
            folder.chmod(0o755)  # nginx's workers are nobody
            (folder / "www").mkdir()
            (folder / "www" / "body").write_bytes((b'{"plan": "solar"}, ' * BODY)[:BODY])
            port, peer_port = free_port(), free_port()
            origin = Nginx(folder, "origin", ORIGIN.format(folder=folder, port=port))
            peer = Nginx(folder, "peer", PEER.format(folder=folder, port=peer_port, origin=port))
            upstream = f"http://127.0.0.1:{port}"
            hot = Sidecar(RULES.format(memory="64MiB"), upstream=upstream, store="memory://")
            shared = Sidecar(RULES.format(memory="0"), upstream=upstream, store=valkey.url)
            with origin, peer, hot, shared:

                def of(sidecar: Sidecar, way: Way) -> Callable[[int], Run]:
                    assert sidecar.process is not None
                    pids = [sidecar.process.pid]
                    return lambda pair: load(folder, sidecar.port, pids, way, seconds=seconds, salt=f"s{pair}")

                def of_peer(way: Way) -> Callable[[int], Run]:
                    return lambda pair: load(folder, peer_port, peer.pids, way, seconds=seconds, salt=f"p{pair}")

                for asked in (hot, shared):  # warm
                    of(asked, HIT)(0)
                of_peer(HIT)(0)
                compare(record, "hit from memory", of(hot, HIT), of_peer(HIT), pairs)
                compare(record, "hit from Redis (nginx: its tmpfs)", of(shared, HIT), of_peer(HIT), pairs)
                compare(record, "miss, kept in Redis", of(shared, MISS), of_peer(MISS), pairs)
                compare(record, "pass-through", of(shared, PASS), of_peer(PASS), pairs)
    finally:
        valkey.close()
    return record


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, prog=Path(__file__).name)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--pairs", type=int, default=5)
    given = parser.parse_args()
    sys.exit(prove(given.seconds, given.pairs).keep())
