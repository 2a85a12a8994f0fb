"""Builds the image and tries it as Kubernetes would run it: no rights, little memory, half a core, a real store.

    make image

Needs root, and what ``bench/tools.sh image`` installs. What was found goes to bench/results/image.json.
"""

from __future__ import annotations

import asyncio
import http.client
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2] / "bench"), str(Path(__file__).parent)]

from containers import BASE, BOUNDS, IMAGE, PODMAN, RIGHTS, ROOT, build, build_base, container, run, size, workshop
from load import Told, client
from pod import CATALOG, played
from record import Record

from servers import Valkey, free_port  # isort: skip - after record, which makes tests/ importable

READY_WITHIN = 1.5
PATIENCE = 60.0
RULES = ROOT / "config" / "treebeard.yaml"
BACKEND = """
from aiohttp import web
from proxy.demo.backend import Backend
web.run_app(Backend(0.1).application(), host="127.0.0.1", port=%d, print=None)
"""


def serve(ports: tuple[int, int, int], backend: int, store: str) -> tuple[str, ...]:
    """Return the arguments of a sidecar before that backend."""
    traffic, admin, probes = (f"127.0.0.1:{port}" for port in ports)
    listeners = ("--listen", traffic, "--admin", admin, "--probes", probes)
    return (
        "serve",
        "--config",
        "/etc/sapwood/sapwood.yaml",
        "--upstream",
        f"http://127.0.0.1:{backend}",
        "--store",
        store,
        *listeners,
    )


MOUNTED = ("--volume", f"{RULES}:/etc/sapwood/sapwood.yaml:ro")


def is_ready(port: int) -> bool:
    """Ask a probe port."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def until_ready(port: int, began: float) -> float:
    """Wait for a probe port and return the seconds since then."""
    while not is_ready(port):
        if time.monotonic() - began > PATIENCE:
            raise SystemExit("not ready within a minute")
        time.sleep(0.01)
    return time.monotonic() - began


def resident(name: str) -> float:
    """Return the resident MiB of a container's process."""
    pid = run(*PODMAN, "inspect", name, "--format", "{{.State.Pid}}")
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


def told_by(port: int, target: str) -> str:
    """Ask the sidecar; return X-Cache-Status."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", target, headers={"Host": "shop.example"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return str(answer.headers["X-Cache-Status"])


def try_container(record: Record, store: str) -> None:
    """Start one alone, without its backend, and look at what it takes and how it fares."""
    times = []
    for _ in range(3):
        ports, backend = (free_port(), free_port(), free_port()), free_port()
        began = time.monotonic()
        with container("sapwood-try-start", *serve(ports, backend, store), options=MOUNTED):
            times.append(until_ready(ports[2], began))
    ready = sorted(times)[1]
    record.ask(
        "start to ready without a backend, s (median of 3)", f"{ready:.2f}", f"< {READY_WITHIN}", ready < READY_WITHIN
    )


def try_check(record: Record, folder: Path) -> None:
    """Check a good and a broken configuration, as the init container does."""
    broken = folder / "broken.yaml"
    broken.write_text(RULES.read_text().replace("ttl: 1h", "ttl: 1hr", 1))
    codes = []
    for file in (RULES, broken):
        mounted = ("--volume", f"{file}:/etc/sapwood/sapwood.yaml:ro")
        command = (
            *PODMAN,
            "run",
            "--rm",
            "--network",
            "none",
            *RIGHTS,
            *BOUNDS,
            *mounted,
            IMAGE,
            "check",
            "/etc/sapwood/sapwood.yaml",
        )
        codes.append(subprocess.run(command, capture_output=True, check=False).returncode)
    record.ask("check of a good and of a broken configuration: exit codes", codes, "[0, 1]", codes == [0, 1])


async def try_drain(record: Record, store: str) -> None:
    """End one of two under load: nobody may notice."""
    backend = free_port()
    replicas = [(free_port(), free_port(), free_port()) for _ in range(2)]
    slow = ("--entrypoint", "/opt/sapwood/bin/python3")
    started = (
        *PODMAN,
        "run",
        "--detach",
        "--name",
        "sapwood-try-backend",
        "--network",
        "host",
        *slow,
        IMAGE,
        "-c",
        BACKEND % backend,
    )
    run(*started)
    try:
        with (
            container("sapwood-try-a", *serve(replicas[0], backend, store), options=MOUNTED) as one,
            container("sapwood-try-b", *serve(replicas[1], backend, store), options=MOUNTED),
        ):
            for ports in replicas:
                until_ready(ports[2], time.monotonic())
            idle = resident(one)
            target = "/api/v1/plans/catalog?page=1"
            outcomes = [told_by(replicas[0][0], target), told_by(replicas[0][0], target)]
            admin = ("--admin", f"http://127.0.0.1:{replicas[0][1]}")
            purged = run(sys.executable, "-m", "proxy", "purge", "--tag", "plans", "--wait", "2s", *admin)
            outcomes += [told_by(replicas[0][0], target), told_by(replicas[1][0], target)]
            record.ask(
                "served through a real store: miss, hit, purged, hit at the other",
                " ".join(outcomes),
                "MISS HIT MISS HIT",
                outcomes == ["MISS", "HIT", "MISS", "HIT"] and bool(purged),
            )
            told, stop = Told(), asyncio.Event()
            clients = [
                asyncio.create_task(client([replicas[0][0], replicas[1][0]], told, stop, number))
                for number in range(32)
            ]
            await asyncio.sleep(3)
            before = told.answered
            at_work = resident(one)
            began = time.monotonic()
            await asyncio.to_thread(run, *PODMAN, "kill", "--signal", "TERM", one)
            code = await asyncio.to_thread(run, *PODMAN, "wait", one)
            seconds = time.monotonic() - began
            await asyncio.sleep(1)
            stop.set()
            await asyncio.gather(*clients)
        record.note("resident memory, MiB: idle; at work", f"{idle:.0f}; {at_work:.0f}")
        record.note("requests of 32 clients before SIGTERM; all", f"{before}; {told.answered}")
        record.note("asked again elsewhere, since the connection was closed before a byte", told.elsewhere)
        record.ask("SIGTERM under load: requests lost", len(told.lost), "0", not told.lost)
        record.ask("its exit code, after s", f"{code}, {seconds:.1f}", "0", code == "0")
        record.details["lost"] = told.lost[:20]
    finally:
        run(*PODMAN, "rm", "--force", "--time", "0", "sapwood-try-backend", check=False)


def try_pod(record: Record, folder: Path, sockets: Path) -> None:
    """Let podman play what the chart renders."""
    with played(folder, sockets) as pod:
        pod.wait_until_ready(30)
        time.sleep(1)  # the backend has no probe of its own
        outcomes = [pod.ask(CATALOG)[1], pod.ask(CATALOG)[1]]
        pod.purge("plans")
        outcomes += [pod.ask(CATALOG)[1]]
        record.ask(
            "the chart's pod: miss, hit, purged",
            " ".join(outcomes),
            "MISS HIT MISS",
            outcomes == ["MISS", "HIT", "MISS"],
        )
        said, code = pod.drain_while_asked()
        record.ask(
            "the chart's pod: SIGTERM during a fetch: answer, exit code",
            f"{' '.join(said)}; {code}",
            "200; 0",
            said[:1] == ["200"] and code == "0",
        )


def main() -> int:
    """Build, try, record; return an exit code."""
    settings = {"bounds": " ".join(BOUNDS), "base": "Debian trixie, Python 3.13, in place of the official image"}
    record = Record(
        "image",
        "The image without rights, with 256 MiB and half a core: starts soon, serves, ends without loss.",
        settings,
    )
    with workshop() as folder, closing(Valkey(port=True)) as valkey:
        valkey.start()
        Path(valkey.path).parent.chmod(0o755)
        Path(valkey.path).chmod(0o777)  # the pod's user is nobody here
        build_base(folder)
        build(folder)
        record.note(
            "size, MiB; of that over its base", f"{size(IMAGE) / 2**20:.0f}; {(size(IMAGE) - size(BASE)) / 2**20:.0f}"
        )
        try_container(record, valkey.url)
        try_check(record, folder)
        asyncio.run(try_drain(record, valkey.url))
        subprocess.run([sys.executable, ROOT / "bench" / "charttools.py"], check=True, stdout=subprocess.DEVNULL)
        try_pod(record, folder, Path(valkey.path).parent)
    return record.keep()


if __name__ == "__main__":
    sys.exit(main())
