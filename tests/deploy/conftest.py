"""Helm, both majors, and the chart rendered by them."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".tools"


@pytest.fixture(scope="session")
def tools():
    """The folder of helm3, helm4 and kubectl, brought there by whoever comes first."""
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run([sys.executable, ROOT / "bench" / "charttools.py"], check=True, capture_output=True)
    return TOOLS


@pytest.fixture(scope="session")
def helm(tools, tmp_path_factory):
    """Run one major of Helm; everything that it keeps is in a folder of the test run."""
    home = tmp_path_factory.mktemp("helm")
    environ = os.environ | {f"HELM_{name}_HOME": str(home) for name in ("CACHE", "CONFIG", "DATA")}

    def run(major, *arguments, cwd=ROOT):
        command = [tools / f"helm{major}", *arguments]
        return subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False, timeout=60)

    return run


@pytest.fixture(scope="session", params=[3, 4], ids=["helm 3", "helm 4"])
def major(request):
    return request.param


@pytest.fixture(scope="session")
def example(helm, major, tmp_path_factory):
    """The backend's own chart, with the dependency that its Chart.yaml names."""
    folder = tmp_path_factory.mktemp("charts")
    for chart in ("sapwood", "example"):
        shutil.copytree(ROOT / "helm" / chart, folder / chart)
    brought = helm(major, "dependency", "update", "example", cwd=folder)
    assert brought.returncode == 0, brought.stderr
    return folder / "example"
