"""The commands that ask a running sidecar, against a listener of its kind."""

import asyncio
import json
from dataclasses import replace

import pytest
from admincontrol import HEALTHY, sapwood, serving

from proxy.cli import calling
from proxy.purge.replicas import Replicas

TOKEN = "s3cr3t-token"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in ("SAPWOOD_CONFIG", "SAPWOOD_ADMIN", "SAPWOOD_TOKEN", "SAPWOOD_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)


async def test_purge_sends_every_selector_and_prints_the_receipt(api, control, capsys):
    names = {
        "tag": "a",
        "key": "k",
        "url": "/plans/7",
        "path": "/p",
        "pattern": "n:*",
        "user": "u",
        "namespace": "n",
        "route": "r",
    }
    flags = ["--tag=b", *(f"--{name}={value}" for name, value in names.items()), "--soft", "--wait=2s"]
    assert await sapwood("purge", *flags, "--admin", api.url) == 0
    assert control.purges[0][:2] == (
        ("tag:b", "tag:a", "key:k", "user:u", "ns:n", "route:r", "url:/plans/7", "path:/p", "pattern:n:*"),
        True,
    )
    said = capsys.readouterr().out
    assert "k3f9:1001" in said
    assert "effective" in said
    assert "3 of 3 have confirmed it" in said


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        pytest.param(["--wait", "50ms"], 1, id="who waits in vain is told by the exit code too"),
        pytest.param([], 0, id="who does not wait wants only the acknowledgement"),
    ],
)
async def test_a_purge_that_does_not_hold_everywhere_yet(api, control, capsys, flags, code):
    control.seen = [Replicas(3, 1, 60.0, 0.0)]
    assert await sapwood("purge", "--all", *flags, "--admin", api.url, "--format", "json") == code
    receipt = json.loads(capsys.readouterr().out)
    assert (receipt["effective"], receipt["replicas"]) == (False, {"live": 3, "confirmed": 1})


async def test_the_commands_patience_is_longer_than_the_wait_it_asked_for(api, control, monkeypatch):
    monkeypatch.setattr(calling, "PATIENCE", 0.05)
    control.seen = [Replicas(3, 1, 0.2, 0.0)]
    assert await sapwood("purge", "--all", "--wait", "10s", "--admin", api.url) == 0


async def test_receipts_for_programs(api, control, capsys):
    assert await sapwood("purge", "--all", "--admin", api.url, "--format", "json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "seq": "k3f9:1001",
        "mode": "hard",
        "selectors": 1,
        "replicas": {"live": 3, "confirmed": 3},
        "effective": True,
    }


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--pattern", "*"], "patterns[0]: too wide"),
        (["--tag", "a", "--wait", "2 s"], "wait: expected a duration"),
        (["--url", "/elsewhere"], "no route serves"),
    ],
)
async def test_what_the_api_refuses_is_exit_1_and_said(api, control, capsys, flags, said):
    assert await sapwood("purge", *flags, "--admin", api.url) == 1
    written = capsys.readouterr()
    assert written.out == ""
    assert said in written.err
    assert control.purges == []


async def test_a_store_that_is_down_is_exit_1(api, control, capsys):
    control.store_is_down = True
    assert await sapwood("purge", "--all", "--admin", api.url) == 1
    assert "nothing was purged" in capsys.readouterr().err


async def test_stats_as_tables_and_for_programs(api, control, capsys):
    assert await sapwood("stats", "--admin", api.url) == 0
    said = capsys.readouterr().out
    assert "total_requests" in said
    assert "catalog" in said
    assert "plans[red]" in said
    assert "88.89" in said
    assert await sapwood("stats", "--reset", "--format", "json", "--admin", api.url) == 0
    assert json.loads(capsys.readouterr().out)["resets"] == control.resets == 1


@pytest.mark.parametrize(
    ("facts", "code", "word"),
    [
        (HEALTHY, 0, "healthy"),
        (replace(HEALTHY, breaker_open=True), 0, "degraded"),
        (replace(HEALTHY, ready=False), 1, "unhealthy"),
    ],
)
async def test_health_is_exit_1_when_clients_see_errors(api, control, capsys, facts, code, word):
    control.facts = facts
    assert await sapwood("health", "--admin", api.url) == code
    assert word in capsys.readouterr().out
    assert await sapwood("health", "--admin", api.url, "--format", "json") == code
    assert json.loads(capsys.readouterr().out)["status"] == word


async def test_explain_live_adds_what_is_stored(api, control, capsys):
    assert await sapwood("explain", "--live", api.url, "-H", "Accept: x", "/plans/7", "--format", "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["route"], document["fields"]) == ("catalog", ["Accept"])
    assert document["stored"] == [{"status": 200, "stored_bytes": 12}]
    assert await sapwood("explain", "--live", api.url, "/plans/7") == 0
    assert "stored[0].status" in capsys.readouterr().out
    control.store_is_down = True
    assert await sapwood("explain", "--live", api.url, "/plans/7") == 1


async def test_explain_live_by_the_rules_of_a_file(api, capsys, tmp_path):
    rules = tmp_path / "f.yaml"
    rules.write_text("version: 1\nupstream: {url: 'http://h'}\n")
    command = ("explain", "--config", str(rules), "--live", api.url, "--format", "json")
    assert await sapwood(*command, "/plans/7") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["outcome"], document["reason"]) == ("pass", "no-route")
    assert len(document["stored"]) == 1
    with pytest.raises(SystemExit):
        await sapwood(*command, "nonsense")
    rules.write_text("routes: 5")
    assert await sapwood(*command, "/plans/7") == 1
    assert "routes: expected" in capsys.readouterr().err


async def test_the_environment_says_whom_to_ask_and_with_which_token(control, monkeypatch, capsys, tmp_path):
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    async with serving(control, token=TOKEN) as api:
        monkeypatch.setenv("SAPWOOD_ADMIN", f"{api.url}/")
        assert await sapwood("stats") == 1
        assert "a bearer token is needed" in capsys.readouterr().err
        monkeypatch.setenv("SAPWOOD_TOKEN", TOKEN)
        assert await sapwood("stats") == 0
        monkeypatch.setenv("SAPWOOD_TOKEN", "wrong")
        assert await sapwood("stats") == 1
        monkeypatch.setenv("SAPWOOD_TOKEN_FILE", str(tmp_path / "token"))
        assert await sapwood("stats") == 0
        assert await sapwood("health", "--token-file", str(tmp_path / "token")) == 0
    written = capsys.readouterr()
    assert TOKEN not in written.out + written.err


async def test_over_a_unix_socket(control, tmp_path, capsys):
    async with serving(control, listen=f"unix:{tmp_path}/s.sock"):
        assert await sapwood("stats", "--admin", f"unix:{tmp_path}/s.sock") == 0
    assert await sapwood("stats", "--admin", f"unix:{tmp_path}/s.sock") == 1
    assert "cannot ask unix:" in capsys.readouterr().err


async def answering(answer):
    """Serve one fixed answer, whatever is asked."""

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
            "not that of a sidecar's admin API",
        ),
        (b"HTTP/1.1 302 Found\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n", "status 302"),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\n[]", "status 500"),
        (b"nonsense\r\n\r\n", "cannot ask http://127.0.0.1"),
        (b"", "cannot ask http://127.0.0.1"),
    ],
    ids=["no JSON", "a redirect is not followed", "no problem document", "no HTTP", "hangs up"],
)
async def test_who_answers_otherwise_is_exit_1_and_one_line(answer, said, capsys):
    async with await answering(answer) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert await sapwood("stats", "--admin", url) == 1
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


async def test_nobody_there_is_exit_1(capsys):
    assert await sapwood("stats", "--admin", "http://127.0.0.1:9") == 1
    assert capsys.readouterr().err.startswith("sapwood stats: cannot ask http://127.0.0.1:9: ")


async def test_who_never_answers_is_not_waited_for_for_ever(capsys, monkeypatch):
    async def listen_only(reader, writer):
        await reader.read()
        writer.close()

    monkeypatch.setattr(calling, "PATIENCE", 0.05)
    async with await asyncio.start_server(listen_only, "127.0.0.1", 0) as server:
        assert await sapwood("stats", "--admin", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") == 1
    assert "no answer from" in capsys.readouterr().err
