"""Cores, CPU and memory, of this very process and of others."""

import subprocess
import sys
import time

import pytest

from bench.peers import machine


def test_the_last_core_is_the_servers():
    assert machine.share_out({0, 1}) == machine.Cores(frozenset({1}), frozenset({0}))
    assert machine.share_out({2, 5, 3}) == machine.Cores(frozenset({5}), frozenset({2, 3}))


def test_one_core_is_too_few():
    with pytest.raises(SystemExit, match="two cores"):
        machine.share_out({0})


def test_a_tool_that_is_missing_is_named():
    with pytest.raises(SystemExit, match="missing: no-such-tool \\(package nothing\\)"):
        machine.find_tool("no-such-tool", "nothing")


def test_ticks_are_read_behind_a_name_that_may_hold_anything():
    fields = " ".join(str(number) for number in range(3, 53))
    assert machine.spent_ticks(f"1 (a) b (c) {fields}") == 14 + 15


def test_proportional_memory_is_in_bytes():
    assert machine.proportional("Rss:      100 kB\nPss:       42 kB\nPss_Dirty:   7 kB\n") == 42 * 1024


def test_a_child_on_its_core_is_found_measured_and_ended(tmp_path):
    core = max(machine.available())
    code = "import os, subprocess; print(os.sched_getaffinity(0), flush=True); subprocess.run(['sleep', '60'])"
    child = machine.start([sys.executable, "-c", code], frozenset({core}), tmp_path / "log")
    try:
        machine.wait_until(lambda: len(machine.family(child.pid)) == 2, child, tmp_path / "log")
        family = machine.family(child.pid)
        assert family[0] == child.pid
        assert machine.proportional_bytes(family) > 2**20
        assert machine.cpu_seconds(family) > 0
    finally:
        grandchild = machine.family(child.pid)[1:]
        machine.stop(child)
        for pid in grandchild:
            subprocess.run(["kill", str(pid)], check=False)
    assert (tmp_path / "log").read_text() == f"{{{core}}}\n"


def test_a_program_that_does_not_start_is_shown_with_its_last_words(tmp_path):
    log = tmp_path / "log"
    child = machine.start([sys.executable, "-c", "raise SystemExit('no such option')"], machine.available(), log)
    child.wait()
    with pytest.raises(SystemExit, match="no such option"):
        machine.wait_until(lambda: False, child, log)


def test_who_does_not_leave_is_made_to(tmp_path):
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    child = machine.start([sys.executable, "-c", code], machine.available(), tmp_path / "log")
    machine.wait_until(lambda: "deaf" in (tmp_path / "log").read_text(), child, tmp_path / "log")
    began = time.monotonic()
    machine.stop(child, patience=0.1)
    assert child.returncode == -9
    assert time.monotonic() - began < 10


def test_files_are_counted_as_what_they_take(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(b"x" * 100_000)
    assert 100_000 <= machine.held_files(tmp_path) < 200_000
