"""wrk: a closed loop of requests with nine fields as a browser behind a gateway sends them, each with an id of its own."""

from __future__ import annotations

import re
import subprocess
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.peers.machine import find_tool

if TYPE_CHECKING:
    from pathlib import Path

CONNECTIONS: Final = 64
#: What a browser behind a gateway sends, besides ``Host`` and a request id of its own.
FIELDS: Final = {
    "Accept": "application/json, text/plain, */*",
    "Accept-Encoding": "gzip, deflate, br",
    "Accept-Language": "en-GB,en;q=0.9",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
    "X-Forwarded-For": "192.0.2.7",
    "X-Forwarded-Proto": "http",
    "Referer": "http://app.example/plans",
    "Authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.c2ln",
}

# One concatenation per request: whatever wrk spends, the backend beside it on its core lacks.
SCRIPT: Final = """
local turn = 0
local rest = " HTTP/1.1\\r\\nHost: api.example\\r\\n{fields}X-Request-ID: {salt}-"
{prelude}
request = function()
  turn = turn + 1
  return "GET " .. {target} .. rest .. turn .. "\\r\\n\\r\\n"
end
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("RESULT requests=%d micros=%d failed=%d p50=%d p99=%d\\n", summary.requests, summary.duration,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True, slots=True)
class Ask:
    """What to ask: a Lua expression for the target, such a target, what must come before it, and fields beyond the usual.

    In ``target`` and ``prelude``, ``turn`` counts the requests of a run, ``SALT`` is a word and ``SEED`` a number
    of that run alone.
    """

    target: str
    sample: str
    prelude: str = ""
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """What wrk said: requests done and failed, seconds taken, latencies in milliseconds."""

    requests: int
    failed: int
    seconds: float
    p50: float
    p99: float


def script_for(ask: Ask, salt: str) -> str:
    """Write the Lua that asks so."""
    fields = "".join(f"{name}: {value}\\r\\n" for name, value in [*FIELDS.items(), *ask.fields])
    fields = fields.replace('"', '\\"')
    seed = str(zlib.crc32(salt.encode()))
    words = {"target": ask.target.replace("SALT", salt)}
    words["prelude"] = ask.prelude.replace("SALT", salt).replace("SEED", seed)
    return SCRIPT.format(fields=fields, salt=salt, **words)


def understood(output: str) -> Said:
    """Read the line that our script writes at the end; anything else is a failure with wrk's own words."""
    found = re.search(r"^RESULT requests=(\d+) micros=(\d+) failed=(\d+) p50=(\d+) p99=(\d+)$", output, re.MULTILINE)
    if found is None:
        raise ValueError(f"wrk said nothing of its result: {output[-500:]!r}")
    requests, micros, failed, half, late = map(int, found.groups())
    return Said(requests, failed, micros / 1e6, half / 1000, late / 1000)


def run(ask: Ask, port: int, seconds: float, salt: str, folder: Path, cores: frozenset[int]) -> Said:  # noqa: PLR0913, PLR0917 - all that makes up a run
    """Ask one server for so many seconds."""
    script = folder / "ask.lua"
    script.write_text(script_for(ask, salt))
    placed = ["taskset", "-c", ",".join(map(str, sorted(cores)))]
    words = [find_tool("wrk", "wrk"), "-t", "1", "-c", str(CONNECTIONS), "-d", f"{max(1, round(seconds))}s"]
    done = subprocess.run(
        [*placed, *words, "--timeout", "10s", "-s", str(script), f"http://127.0.0.1:{port}"],
        check=False,
        capture_output=True,
        text=True,
        timeout=seconds + 60,
    )
    return understood(done.stdout + done.stderr)
