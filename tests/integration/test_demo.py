"""The demo as a newcomer meets it: a program, seven ports, lines to copy into a shell."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from proxy.demo.tour import CHAPTERS

STEPS = [step for chapter in CHAPTERS for step in chapter.steps]

pytestmark = pytest.mark.xdist_group("demo")  # two at once would look for the same free neighbours


@pytest.fixture
def base():
    """The first of seven free neighbours, away from the default and from the ports the kernel hands out."""
    for first in range(20000 + os.getpid() % 1000 * 10, 32000, 10):
        sockets = [socket.socket() for _ in range(7)]
        try:
            for offset, one in enumerate(sockets):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                one.bind(("127.0.0.1", first + offset))
        except OSError:
            continue
        finally:
            for one in sockets:
                one.close()
        return first
    pytest.fail("no seven free neighbours")


@pytest.fixture
def demo(base, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "proxy", "demo", "--port-base", str(base)]
    with out.open("wb") as writing:
        process = subprocess.Popen(command, stdout=writing, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        until(lambda: "Ctrl-C ends all" in out.read_text() or process.poll() is not None)
        assert process.poll() is None, out.read_text()
        yield process, out
    finally:
        process.terminate()
        process.wait(60)
    assert not children_of(base)


def until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not within the time"
        time.sleep(0.02)


def children_of(base):
    """Sidecars of the demo on these ports, and what listens there, whoever started it."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"127.0.0.1:%d" % (base + 1) in words or b"127.0.0.1:%d" % (base + 2) in words:
            found.append(folder.name)
    return found


def store_of(base):
    """The process id of the demo's own Valkey, found by the socket that its sidecars were told."""
    (sidecar, *_) = children_of(base)
    words = Path("/proc", sidecar, "cmdline").read_bytes().split(b"\0")
    path = words[words.index(b"--store") + 1].removeprefix(b"unix://")
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"unixsocket:" + path in (folder / "cmdline").read_bytes():
                return int(folder.name)
        except OSError:
            continue
    raise AssertionError("the demo's Valkey does not run")


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_tour_finds_that_all_it_claims_is_true(base):
    command = [sys.executable, "-m", "proxy", "demo", "--tour", "--port-base", str(base)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("  true ") == len(STEPS)
    assert not children_of(base)


def test_the_printed_lines_do_what_stands_behind_them(demo):
    process, out = demo
    printed = [line for line in out.read_text().splitlines() if "curl -s" in line]
    assert len(printed) == len(STEPS)
    done = subprocess.run(
        ["bash", "-eu"], input="\n".join(printed), capture_output=True, text=True, timeout=60, check=True
    )
    answers = re.findall(
        r"^HTTP/1\.1 (\d+).*?^Cache-Status: sapwood; (hit|fwd=[a-z-]+)",
        done.stdout,
        re.DOTALL | re.MULTILINE | re.IGNORECASE,
    )
    times = [float(seconds) for seconds in re.findall(r"^([0-9.]+) s$", done.stdout, re.MULTILINE)]
    expected = [(line, step) for line, step in zip(printed, STEPS, strict=True) if not step.login]
    assert len(answers) == len(times) == len(expected)
    for (status, how), seconds, (line, step) in zip(answers, times, expected, strict=True):
        assert line.endswith(f"# {step.cached}")
        assert int(status) == step.status
        assert (how == "hit") == (step.cached == "hit"), line
        assert (seconds < 0.15) if how == "hit" else (seconds >= 0.3), line
    until(lambda: out.read_text().count("  GET /api/v1/plans/catalog") == 6)
    live = out.read_text().partition("What happens:")[2]
    assert re.search(r"^A  miss +[0-9.]+ ms  200  GET /api/v1/plans/catalog$", live, re.MULTILINE)
    assert re.search(r"^B  hit_redis +[0-9.]+ ms  200  GET /api/v1/plans/catalog$", live, re.MULTILINE)
    assert re.search(r"^A  purge +tag:plans", live, re.MULTILINE)
    assert "eyJ" not in live
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_it_ends_nothing_outlives_it(demo, base, number):
    process, out = demo
    store = store_of(base)
    assert len(children_of(base)) == 2
    process.send_signal(number)
    assert process.wait(60) == (0 if number != signal.SIGKILL else -signal.SIGKILL)
    until(lambda: not children_of(base) and not is_running(store))
    assert ("The backend answered 0 times" in out.read_text()) == (number != signal.SIGKILL)


def test_a_taken_port_is_named(base):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", base + 2))
        taken.listen()
        command = [sys.executable, "-m", "proxy", "demo", "--port-base", str(base)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr == f"sapwood demo: port {base + 2} on 127.0.0.1 taken: choose seven others with --port-base N\n"


def test_a_sidecar_that_dies_ends_the_demo_and_says_so(demo, base):
    process, out = demo
    os.kill(int(children_of(base)[0]), signal.SIGKILL)
    assert process.wait(60) == 1
    assert re.search(r"sapwood demo: sidecar [AB] ended with -9", out.read_text())
