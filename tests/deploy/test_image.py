"""The image's recipe, without building it: what it is made of is pinned, and it asks for no right at run time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from sidecar import Sidecar

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
LOCKS = {
    "requirements.lock": PROJECT["project"]["dependencies"],
    "requirements-build.lock": PROJECT["build-system"]["requires"],
}


def pins(lock):
    """Return each locked distribution with its version and the number of its hashes."""
    found = {}
    for entry in re.split(r"\n(?=[a-z0-9])", (ROOT / lock).read_text()):
        if pinned := re.match(r"([a-z0-9._-]+)==(\S+)", entry):
            found[pinned[1]] = (pinned[2], entry.count("--hash=sha256:"))
    return found


def closure(requirements):
    """Yield every requirement that these lead to, as what is installed here has them."""
    waiting, seen = [Requirement(one) for one in requirements], set()
    while waiting:
        one = waiting.pop()
        key = (canonicalize_name(one.name), frozenset(one.extras))
        yield one
        if key in seen:
            continue
        seen.add(key)
        for line in requires(one.name) or ():
            further = Requirement(line)
            if further.marker is None or any(
                further.marker.evaluate({**default_environment(), "extra": extra}) for extra in (*one.extras, "")
            ):
                waiting.append(further)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_the_hashes_of_several_machines(lock):
    found = pins(lock)
    assert found
    assert {name for name, (_, hashes) in found.items() if hashes < 2} == set()


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_is_in_step_with_the_project(lock):
    found = pins(lock)
    wanted = [Requirement(one) for one in LOCKS[lock]]
    outdated = [
        str(one) for one in wanted if not one.specifier.contains(found.get(canonicalize_name(one.name), "0")[0])
    ]
    assert outdated == [], "run: make lock"


def test_the_lock_has_all_that_its_pins_need():
    found = pins("requirements.lock")
    try:
        needed = {canonicalize_name(one.name) for one in closure(LOCKS["requirements.lock"])}
    except PackageNotFoundError as absent:
        pytest.fail(f"not installed here: {absent}")
    assert needed - set(found) == set(), "run: make lock"


def test_the_building_group_is_the_building_system():
    assert PROJECT["dependency-groups"]["build"] == PROJECT["build-system"]["requires"]


def test_hadolint_finds_nothing():
    hadolint = Path(sys.executable).with_name("hadolint")
    said = subprocess.run([hadolint, ROOT / "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout) == (0, "")


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(r"ARG BASE_IMAGE=python:3\.\d+-slim-\w+", id="an official slim base that can be exchanged"),
        pytest.param(r"USER ([1-9]\d*):([1-9]\d*)", id="a number that is not root's"),
        pytest.param(r"STOPSIGNAL SIGTERM", id="the signal that drains"),
        pytest.param(r"HEALTHCHECK .* CMD \[\"/opt/sapwood/bin/sapwood\", \"health\"\]", id="health without a shell"),
        pytest.param(r"ENTRYPOINT \[\"/opt/sapwood/bin/sapwood\"\]", id="no shell before it"),
        pytest.param(r"ARG VERSION=" + re.escape(PROJECT["project"]["version"]), id="the project's version"),
    ],
)
def test_the_recipe_says(line):
    assert re.search(rf"^{line}$", DOCKERFILE, re.MULTILINE)


def test_the_versions_of_python_are_those_the_project_is_for():
    (minor,) = re.findall(r"python:3\.(\d+)-slim", DOCKERFILE)
    assert int(minor) >= int(PROJECT["project"]["requires-python"].removeprefix(">=3."))


def test_only_what_the_image_is_made_of_is_sent_to_the_builder():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        word for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE) for word in line.split()[:-1]
    }
    assert "*" in lines
    assert allowed == copied
    assert all((ROOT / name).exists() for name in allowed)


IMPORTED = re.compile(rb"^import time:[^|]*\|[^|]*\| +([\w.]+)\s*$", re.MULTILINE)


def imported(lines):
    """Return the modules of the standard library that have a source, of what ``-X importtime`` tells."""
    names = {name.decode() for name in IMPORTED.findall(lines)}
    own = {name for name in names if name.partition(".")[0] in sys.stdlib_module_names}
    return {name for name in own if (spec := find_spec(name)) is not None and str(spec.origin).endswith(".py")}


def test_what_a_start_imports_is_compiled_when_the_image_is_built(valkey, tmp_path):
    """The base has the standard library without its bytecode, and nothing can be written when it runs."""
    (line,) = re.findall(r'^RUN /opt/sapwood/bin/python3 -c "([^"]*)"$', DOCKERFILE, re.MULTILINE)
    program = line.replace("\\\n", "")
    whole = set(re.findall(r"compile_dir\((\w+)\.__path__\[0\]", program))
    built = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path)},
        capture_output=True,
        timeout=60,
        check=True,
    )
    rules = "version: 1\nlog: {hits: 0%}\n"
    environ = {"PYTHONPROFILEIMPORTTIME": "1"}
    with Sidecar(rules, upstream="http://127.0.0.1:1", store=valkey.url, environ=environ) as sidecar:
        while b"prometheus_client" not in (told := b"".join(sidecar.lines)):  # another process's last imports
            time.sleep(0.01)
    assert "socket" in imported(told)
    late = imported(told) - imported(built.stderr)
    assert {name for name in late if name.partition(".")[0] not in whole} == set()
