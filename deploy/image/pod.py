"""The pod that the chart makes of a backend, started by podman: asked for a hit, a purge, a drain."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml
from containers import IMAGE, PODMAN, ROOT, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ASK = """
import sys, urllib.error, urllib.request
try:
    answer = urllib.request.urlopen(sys.argv[1], timeout=20)
except urllib.error.HTTPError as refused:
    answer = refused
print(answer.status, answer.headers.get("X-Cache-Status"), len(answer.read()))
"""
CATALOG = "http://127.0.0.1:8080/api/v1/plans/catalog?page=1"


def rendered(folder: Path, sockets: Path) -> str:
    """Render the example's Deployment and ConfigMap as podman takes them: a plain sidecar, no ports, one pod."""
    for chart in ("sapwood", "example"):
        shutil.copytree(ROOT / "helm" / chart, folder / chart)
    helm = str(ROOT / ".tools" / "helm4")
    run(helm, "dependency", "update", str(folder / "example"))
    (folder / "values.yaml").write_text(
        yaml.safe_dump(
            {
                "image": IMAGE,
                "replicas": 1,
                "sapwood": {
                    "image": {
                        "repository": IMAGE.partition(":")[0],
                        "tag": IMAGE.partition(":")[2],
                        "pullPolicy": "Never",
                    },
                    # This podman loses a race with an init container that is done; check runs on its own (try.py).
                    "check": {"init": False},
                    "store": {"url": "unix:///run/valkey/valkey.sock"},
                    "extraVolumes": [{"name": "valkey", "hostPath": {"path": str(sockets), "type": "Directory"}}],
                    "extraVolumeMounts": [{"name": "valkey", "mountPath": "/run/valkey"}],
                },
            }
        )
    )
    # As for a cluster without native sidecars: this podman would wait for one to end.
    flags = ("--values", str(folder / "values.yaml"), "--kube-version", "1.28.0")
    objects = [one for one in yaml.safe_load_all(run(helm, "template", "shop", str(folder / "example"), *flags)) if one]
    wanted = [one for one in objects if one["kind"] in {"Deployment", "ConfigMap"} and not _is_hook(one)]
    for one in wanted:
        if one["kind"] == "Deployment":
            one["spec"]["template"]["spec"]["restartPolicy"] = "Never"  # what has drained is to stay away
            for container in one["spec"]["template"]["spec"]["containers"]:
                container.pop("ports", None)
    return yaml.safe_dump_all(sorted(wanted, key=lambda one: str(one["kind"])))


def _is_hook(one: dict[str, Any]) -> bool:
    return "helm.sh/hook" in one["metadata"].get("annotations", {})


@contextmanager
def played(folder: Path, sockets: Path) -> Iterator[Pod]:
    """Start the pod, and end it at the end of the block."""
    file = folder / "pod.yaml"
    file.write_text(rendered(folder, sockets))
    run(*PODMAN, "play", "kube", "--network", "none", str(file))
    try:
        names = run(*PODMAN, "ps", "--all", "--format", "{{.Names}}").split()
        (sidecar,) = [name for name in names if name.startswith("shop-") and name.endswith("-sapwood")]
        yield Pod(sidecar, run(*PODMAN, "inspect", sidecar, "--format", "{{.State.Pid}}"))
    finally:
        run(*PODMAN, "play", "kube", "--down", str(file), check=False)


@dataclass(frozen=True, slots=True)
class Pod:
    """The sidecar's name and process. Whoever asks does so from here, in the pod's network: no other process in it."""

    sidecar: str
    pid: str

    def _inside(self, *command: str) -> tuple[str, ...]:
        return ("nsenter", "--target", self.pid, "--net", *command)

    def ask(self, url: str) -> list[str]:
        """Return status, X-Cache-Status and the number of bytes."""
        return run(*self._inside(sys.executable, "-c", ASK, url), within=60).split()

    def purge(self, tag: str) -> None:
        """Purge as an operator does."""
        run(*self._inside(sys.executable, "-m", "proxy", "purge", "--tag", tag), within=60)

    def wait_until_ready(self, within: float) -> None:
        """Wait for the probes."""
        deadline = time.monotonic() + within
        while not run(*self._inside(sys.executable, "-c", ASK, "http://127.0.0.1:9092/readyz"), check=False):
            if time.monotonic() > deadline:
                raise SystemExit(run(*PODMAN, "logs", self.sidecar))

    def drain_while_asked(self) -> tuple[list[str], str]:
        """Send SIGTERM while a request is on its way to the slow backend; return its answer and the exit code."""
        slow = "http://127.0.0.1:8080/api/v1/plans/catalog?page=2"
        command = self._inside(sys.executable, "-c", ASK_SLOWLY, slow)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as asking:
            assert asking.stdout is not None
            assert asking.stdout.readline() == "sent\n"
            run(*PODMAN, "kill", "--signal", "TERM", self.sidecar)
            said = asking.stdout.read().split()
        return said, run(*PODMAN, "wait", self.sidecar, within=60)


ASK_SLOWLY = """
import http.client, sys, urllib.parse
url = urllib.parse.urlsplit(sys.argv[1])
asked = http.client.HTTPConnection(url.hostname, url.port, timeout=20)
asked.request("GET", url.path + "?" + url.query)
print("sent", flush=True)
answer = asked.getresponse()
print(answer.status, answer.headers.get("X-Cache-Status"), len(answer.read()))
"""
