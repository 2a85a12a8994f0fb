"""Building and running containers without a daemon: buildah and podman as they work for root in a bare machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
BASE = "localhost/sapwood-base:trixie"
IMAGE = "localhost/sapwood:try"
PYTHON = "3.13"  # of the base
BUILDAH = ("buildah", "--storage-driver", "overlay")
PODMAN = ("podman", "--storage-driver", "overlay", "--runtime", "runc", "--cgroup-manager", "cgroupfs")
RIGHTS = ("--read-only", "--read-only-tmpfs=false", "--cap-drop", "all", "--security-opt", "no-new-privileges")
BOUNDS = ("--memory", "256m", "--memory-swap", "256m", "--cpus", "0.5")
# Limits on files and processes above the machine's own cannot be set without more rights than a build has.
CONFIGURED = '[containers]\ndefault_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]\n'


@contextmanager
def workshop() -> Iterator[Path]:
    """Give a folder for as long as it lasts, and podman its configuration."""
    with tempfile.TemporaryDirectory(prefix="sapwood-image-") as name:
        folder = Path(name)
        (folder / "containers.conf").write_text(CONFIGURED)
        os.environ["CONTAINERS_CONF"] = str(folder / "containers.conf")
        yield folder


def run(*command: str | Path, check: bool = True, within: float = 300) -> str:
    """Run a command and return its standard output; what it says besides is shown when it fails."""
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=within)
    except subprocess.TimeoutExpired as late:
        raise SystemExit(f"{' '.join(map(str, command))}: not done within {within:.0f} s\n{late.stderr}") from late
    if check and said.returncode:
        sys.stderr.write(said.stdout + said.stderr)
        raise SystemExit(f"{' '.join(map(str, command[:8]))} ...: exit code {said.returncode}")
    return said.stdout.strip()


def build_base(folder: Path) -> None:
    """Make a small Debian with Python from the machine's own package sources, unless it is there."""
    if run(*BUILDAH, "images", "--quiet", BASE, check=False):
        return
    fields = run("apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages")
    mirrors = [line.split()[1] for line in fields.splitlines() if line.startswith("Debian ")]
    tree = folder / "base.tar"
    wanted = "--include=python3,python3-venv,ca-certificates,tzdata"
    run("mmdebstrap", "--quiet", "--variant=minbase", wanted, "trixie", tree, f"deb {mirrors[0]} trixie main")
    container = run(*BUILDAH, "from", "scratch")
    run(*BUILDAH, "add", container, tree, "/")
    run(*BUILDAH, "commit", "--rm", "--quiet", container, BASE)


def build(folder: Path) -> None:
    """Build the Dockerfile over that base, out of wheels that were fetched before, by their hashes."""
    wheels = folder / "wheels"
    for lock in ("requirements.lock", "requirements-build.lock"):
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes")
        run(*pip, "--only-binary=:all:", "--python-version", PYTHON, "--dest", wheels, "--requirement", ROOT / lock)
    run(
        *(*BUILDAH, "bud", "--isolation=chroot", "--format", "docker", "--quiet", "--tag", IMAGE),
        *(
            "--build-arg",
            f"BASE_IMAGE={BASE}",
            "--build-arg",
            "PIP_NO_INDEX=1",
            "--build-arg",
            "PIP_FIND_LINKS=/wheels",
        ),
        *("--volume", f"{wheels}:/wheels:ro", "."),
    )


def size(image: str) -> int:
    """Return an image's bytes."""
    found: list[dict[str, Any]] = json.loads(run(*PODMAN, "image", "inspect", image))
    return int(found[0]["Size"])


@contextmanager
def container(name: str, *arguments: str, options: tuple[str, ...] = ()) -> Iterator[str]:
    """Run the image in the host's network without any right until the end of the block."""
    started = (
        *PODMAN,
        "run",
        "--detach",
        "--name",
        name,
        "--network",
        "host",
        *RIGHTS,
        *BOUNDS,
        *options,
        IMAGE,
        *arguments,
    )
    run(*started)
    try:
        yield name
    finally:
        run(*PODMAN, "rm", "--force", "--time", "0", name, check=False)
