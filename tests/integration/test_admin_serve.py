"""``sapwood serve`` as a process: what a supervisor sees of it."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import time

import pytest

from proxy.cli import main

RULES = """\
version: 1
routes:
  - {name: all, match: "GET /**", authorization: ignore, cookies: ignore, ttl: 1h}
"""


@contextlib.contextmanager
def sapwood_serve(*flags):
    command = [
        sys.executable,
        "-m",
        "proxy",
        "serve",
        "--upstream",
        "http://127.0.0.1:9",
        "--listen",
        "127.0.0.1:0",
        *flags,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(path, process):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket(socket.AF_UNIX) as knock, contextlib.suppress(OSError):
            knock.connect(str(path))
            return
        time.sleep(0.02)
    pytest.fail(f"not listening: {process.poll()}")


def test_it_starts_answers_keeps_its_rules_on_a_bad_reload_and_drains(tmp_path, capsys):
    rules, admin = tmp_path / "f.yaml", tmp_path / "s.sock"
    rules.write_text(RULES)
    with sapwood_serve("--config", str(rules), "--admin", f"unix:{admin}") as process:
        wait_for(admin, process)
        assert main(["health", "--admin", f"unix:{admin}", "--format", "json"]) == 0
        assert json.loads(capsys.readouterr().out)["status"] == "healthy"
        rules.write_text(f"{RULES}nonsense: 1\n")
        process.send_signal(signal.SIGHUP)
        assert process.stderr.readline().startswith(f"{rules}:4:1: nonsense: unknown key")
        assert "not reloaded" in process.stderr.readline()
        assert main(["purge", "--all", "--admin", f"unix:{admin}"]) == 0
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert err == ""
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["event"] for line in lines if line["event"] == "purge"] == ["purge"]
    assert not admin.exists()


def test_an_address_in_use_is_exit_1_and_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with sapwood_serve("--admin", address) as process:
            out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert err.startswith(f"sapwood serve: cannot listen on {address}: ")
    assert err.count("\n") == 1


def test_the_demo_runs_as_the_program_that_it_is(monkeypatch):
    from proxy.cli import serving

    asked = []
    monkeypatch.setattr(serving.os, "execv", lambda *call: asked.append(call))
    main(["demo"])
    assert asked == [(sys.executable, [sys.executable, "-m", "proxy.demo"])]
