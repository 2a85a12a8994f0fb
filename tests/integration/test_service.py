"""One sidecar from its start to its end: what a supervisor, an operator and its clients see of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from backends import Backend, Client
from rawbackend import RawBackend
from servers import free_port, until
from sidecar import Sidecar

RULES = """
version: 1
service: life
upstream: {url: http://127.0.0.1:1, connect_timeout: 2s, timeout: 30s}
drain_timeout: 20s
routes:
  - {name: stored, match: GET /stored/**, authorization: ignore, cookies: ignore, ttl: 1h}
  - {name: other, match: GET /other/**, authorization: ignore, cookies: ignore, ttl: 1h}
invalidate:
  - after: POST /stored/**
    routes: [stored]
"""
NOWHERE = "http://127.0.0.1:1"


class Origin:
    """Answers with a number that grows; ``lines`` go into each head."""

    def __init__(self, *lines: str) -> None:
        self.asked = 0
        self._lines = "".join(f"{line}\r\n" for line in lines).encode()

    async def __call__(self, head: bytes) -> bytes:
        self.asked += 1
        body = b"%d %s" % (self.asked, head.split()[1])
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), self._lines, body)


async def asked(sidecar: Sidecar, target: str, **how: str):
    async with Client(sidecar.port) as client:
        status, fields, body = await client.ask(target, **how)
    return status, fields[b"x-cache-status"].decode(), body


async def config_hash(sidecar: Sidecar) -> str:
    return (await asyncio.to_thread(sidecar.admin, "GET", "/config"))[1]["hash"]


async def ended(sidecar: Sidecar) -> int:
    return await asyncio.to_thread(sidecar.process.wait, 30)


# The end.


async def test_a_drain_completes_what_was_begun():
    """Slow heads, a body half-way, an upload half-way, followers of one flight: all are answered, nobody new is let in."""
    gate = asyncio.Event()
    heads = 0

    async def talk(peer):
        nonlocal heads
        while True:
            first, headers = await peer.head()
            heads += 1
            if b"/half" in first:
                await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"a" * 50_000)
                await gate.wait()
                await peer.say(b"b" * 50_000)
                continue
            await gate.wait()
            got = await peer.body(headers)
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(got) + 4), b"done", got)

    async with RawBackend(talk) as backend:
        with Sidecar(RULES, upstream=backend.url) as sidecar:
            async with contextlib.AsyncExitStack() as stack:
                targets = [*(f"/passed/{n}" for n in range(10)), *(["/stored/one"] * 10), "/half", "/stored/half"]
                clients = [await stack.enter_async_context(Client(sidecar.port)) for _ in targets]
                idle = await stack.enter_async_context(Client(sidecar.port))
                answers = [
                    asyncio.create_task(client.ask(target)) for client, target in zip(clients, targets, strict=True)
                ]
                reader, writer = await asyncio.open_connection("127.0.0.1", sidecar.port)
                stack.callback(writer.close)
                writer.write(b"PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + b"0" * 70_000)
                await until(lambda: heads == 14)  # ten, one flight, two halves, one upload
                sidecar.process.send_signal(signal.SIGTERM)
                async with asyncio.timeout(20):
                    while True:
                        try:
                            _, late = await asyncio.open_connection("127.0.0.1", sidecar.port)
                        except ConnectionRefusedError:
                            break
                        except ConnectionResetError:
                            continue  # it was in the queue when the listener closed
                        late.close()
                assert await idle._reader.read() == b"", "an idle connection is closed"
                status, ready = await asyncio.to_thread(sidecar.admin, "GET", "/readyz")
                assert status == 503, ready
                assert sidecar.process.poll() is None
                writer.write(b"1" * 30_000)
                gate.set()
                for target, answer in zip(targets, await asyncio.gather(*answers), strict=True):
                    assert answer[0] == 200
                    assert answer[1].get(b"connection") == b"close" or b"half" in target.encode()
                    assert answer[2] == (b"a" * 50_000 + b"b" * 50_000 if "half" in target else b"done")
                assert (await reader.read()).endswith(b"done" + b"0" * 70_000 + b"1" * 30_000)
            assert await ended(sidecar) == 0


async def test_a_drain_does_not_wait_for_ever():
    never = asyncio.Event()
    came = asyncio.Event()

    async def talk(peer):
        await peer.head()
        came.set()
        await never.wait()

    async with RawBackend(talk) as backend:
        rules = RULES.replace("drain_timeout: 20s", "drain_timeout: 200ms")
        with Sidecar(rules, upstream=backend.url) as sidecar:
            asking = asyncio.create_task(asked(sidecar, "/passed"))
            await came.wait()
            sidecar.process.send_signal(signal.SIGTERM)
            assert await ended(sidecar) == 0
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await asking
        assert not [line for line in sidecar.lines if b"Traceback" in line]


# The start.


def serve(*flags: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``serve`` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "proxy", "serve", *flags],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("SAPWOOD_")} | (environ or {}),
    )


@pytest.mark.parametrize("taken", ["--listen", "--admin", "--probes"])
def test_an_address_that_is_taken_is_one_line_and_leaves_nothing_behind(taken, tmp_path):
    flags = {name: f"127.0.0.1:{free_port()}" for name in ("--listen", "--admin", "--probes")}
    words = [word for flag in flags.items() for word in flag]
    host, _, port = flags[taken].rpartition(":")
    with socket.create_server((host, int(port))):
        ran = serve("--upstream", NOWHERE, "--store", "embedded://", *words, environ={"TMPDIR": str(tmp_path)})
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith(f"sapwood serve: cannot listen on {flags[taken]}: ")
    assert ran.stderr.count("\n") == 1
    assert processes_that_name(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def processes_that_name(folder: Path) -> list[str]:
    """Return the ids of the processes that were told of a folder: an embedded store, its socket."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it may be gone
            if bytes(folder) in (process / "cmdline").read_bytes():
                found.append(process.name)
    return found


def test_a_configuration_with_mistakes_starts_nothing_and_names_them_all(tmp_path):
    file = tmp_path / "rules.yaml"
    file.write_text(RULES.replace("ttl: 1h", "ttl: 1hr").replace("drain_timeout: 20s", "drain_timeuot: 20s"))
    ran = serve("--config", str(file), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
    assert (ran.returncode, ran.stdout) == (1, "")
    lines = ran.stderr.splitlines()
    for expected in ("drain_timeuot", "routes[0].ttl", "routes[1].ttl"):
        assert [line for line in lines if line.startswith(f"{file}:") and expected in line], (expected, lines)


def test_no_upstream_is_a_mistake():
    ran = serve("--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "upstream.url" in ran.stderr


# Without rules, and without a cache.


async def test_without_rules_the_backend_says_what_is_kept():
    async with Backend(Origin("Cache-Control: max-age=60")) as backend:
        with Sidecar(None, upstream=backend.url) as sidecar:
            seen = [(await asked(sidecar, "/any"))[1] for _ in range(2)]
    assert seen == ["MISS", "HIT"]


async def test_without_rules_a_silent_backend_is_asked_each_time():
    async with Backend(Origin()) as backend:
        with Sidecar(None, upstream=backend.url) as sidecar:
            assert [await asked(sidecar, "/any") for _ in range(2)] == [
                (200, "MISS", b"1 /any"),
                (200, "MISS", b"2 /any"),
            ]


@pytest.mark.parametrize("switch", [{"SAPWOOD_CACHE": "off"}, {"SAPWOOD_ENABLED": "false"}])
async def test_turned_off_it_only_passes_on(switch):
    async with Backend(Origin()) as backend:
        with Sidecar(RULES, upstream=backend.url, environ=switch) as sidecar:
            seen = [await asked(sidecar, "/stored/x") for _ in range(3)]
            written = await asked(sidecar, "/stored/x", method="POST")
            _, health = await asyncio.to_thread(sidecar.admin, "GET", "/health")
            status, _ = await asyncio.to_thread(sidecar.admin, "POST", "/purge", {"all": True})
            _, stats = await asyncio.to_thread(sidecar.admin, "GET", "/stats")
    assert seen == [(200, "BYPASS", b"%d /stored/x" % number) for number in (1, 2, 3)]
    assert written == (200, "BYPASS", b"4 /stored/x")
    assert (health["enabled"], stats["enabled"], stats["bypass"], status) == (False, False, 4, 200)


# A reload.


async def test_a_reload_swaps_the_rules_and_keeps_what_they_did_not_touch():
    async with Backend(Origin()) as backend:
        with Sidecar(RULES, upstream=backend.url) as sidecar:
            for target in ("/stored/x", "/other/x"):
                assert [(await asked(sidecar, target))[1] for _ in range(2)] == ["MISS", "HIT"]
            before = await config_hash(sidecar)
            new = RULES.replace("ignore, ttl: 1h}", "ignore, ttl: 1h, key: {headers: [X-Tenant]}}", 1)
            sidecar.rules.write_text(new)
            sidecar.process.send_signal(signal.SIGHUP)
            async with asyncio.timeout(20):
                while await config_hash(sidecar) == before:
                    pass
            assert (await asked(sidecar, "/stored/x"))[1:] == ("MISS", b"3 /stored/x")
            assert (await asked(sidecar, "/other/x"))[1:] == ("HIT", b"2 /other/x")
            sidecar.rules.write_text(RULES)
            status, document = await asyncio.to_thread(sidecar.admin, "POST", "/reload")
            assert (status, document) == (200, {"reloaded": True, "hash": before})


async def test_requests_go_on_while_rules_are_swapped():
    """Each answer is of one set of rules: the field that a route adds and its route's name go together."""
    done, answers = False, []

    async def client_of(sidecar):
        async with Client(sidecar.port) as client:
            while not done:
                answers.append(await client.ask(f"/stored/{len(answers) % 7}"))

    async with Backend(Origin()) as backend:
        with Sidecar(RULES, upstream=backend.url) as sidecar:
            clients = [asyncio.create_task(client_of(sidecar)) for _ in range(4)]
            for number in range(20):
                browser = f"ignore, ttl: 1h, browser: {{max_age: {number + 1}m}}}}"
                sidecar.rules.write_text(RULES.replace("ignore, ttl: 1h}", browser, 1))
                status, _ = await asyncio.to_thread(sidecar.admin, "POST", "/reload")
                assert status == 200
                reloaded = len(answers)
                await until(lambda reloaded=reloaded: len(answers) > reloaded + 8)
                assert b"max-age=%d" % ((number + 1) * 60) in answers[-1][1][b"cache-control"]
            done = True
            await asyncio.gather(*clients)
    assert {answer[0] for answer in answers} == {200}


async def test_a_reload_with_mistakes_changes_nothing_and_says_them_all():
    async with Backend(Origin()) as backend:
        with Sidecar(RULES, upstream=backend.url) as sidecar:
            await asked(sidecar, "/stored/x")
            before = await config_hash(sidecar)
            sidecar.rules.write_text(RULES.replace("ttl: 1h", "ttl: soon").replace("service: life", "sarvice: life"))
            sidecar.process.send_signal(signal.SIGHUP)
            await until(lambda: any(b"not reloaded" in line for line in sidecar.lines))
            said = b"".join(sidecar.lines)
            for expected in (b"sarvice", b"routes[0].ttl", b"routes[1].ttl"):
                assert expected in said
            status, refused = await asyncio.to_thread(sidecar.admin, "POST", "/reload")
            assert (status, refused["status"]) == (422, 422)
            assert {mistake["path"] for mistake in refused["mistakes"]} >= {"sarvice", "routes[0].ttl", "routes[1].ttl"}
            assert (await asked(sidecar, "/stored/x"))[1] == "HIT"
            assert await config_hash(sidecar) == before
            _, health = await asyncio.to_thread(sidecar.admin, "GET", "/health")
            assert (health["status"], health["healthy"]) == ("degraded", True)
            sidecar.rules.write_text(RULES)
            assert (await asyncio.to_thread(sidecar.admin, "POST", "/reload"))[0] == 200
            _, health = await asyncio.to_thread(sidecar.admin, "GET", "/health")
            assert health["status"] == "healthy"
            sidecar.rules.unlink()
            status, refused = await asyncio.to_thread(sidecar.admin, "POST", "/reload")
            assert status == 422
            assert "cannot be read" in json.dumps(refused["mistakes"])
            assert (await asked(sidecar, "/stored/x"))[1] == "HIT"


async def test_what_a_reload_cannot_change_needs_a_restart():
    async with Backend(Origin()) as backend:
        with Sidecar(RULES, upstream=backend.url) as sidecar:
            await asked(sidecar, "/stored/x")
            sidecar.rules.write_text(RULES.replace("service: life", "service: another"))
            status, refused = await asyncio.to_thread(sidecar.admin, "POST", "/reload")
            assert status == 422
            assert [(mistake["path"], mistake["message"]) for mistake in refused["mistakes"]] == [
                ("service", "needs a restart")
            ]
            assert (await asked(sidecar, "/stored/x"))[1] == "HIT"


# Where it listens, and what it stands in front of.


async def test_unix_sockets_on_both_sides(tmp_path):
    async def talk(reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(head.split()[1]), head.split()[1])
                )
        writer.close()

    server = await asyncio.start_unix_server(talk, tmp_path / "app.sock")
    front = tmp_path / "front.sock"
    with Sidecar(RULES, upstream=f"unix:{tmp_path / 'app.sock'}", listen=f"unix:{front}") as sidecar:
        for outcome in (b"X-Cache-Status: MISS", b"X-Cache-Status: HIT"):
            reader, writer = await asyncio.open_unix_connection(front)
            writer.write(b"GET /stored/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
            assert outcome in answer
            assert answer.endswith(b"\r\n\r\n/stored/x")
            writer.close()
            await writer.wait_closed()
        sidecar.process.send_signal(signal.SIGTERM)
        assert await ended(sidecar) == 0
    assert not front.exists()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("target", ["/passed", "/stored/x"])
async def test_a_backend_that_is_down_is_a_502(target):
    with Sidecar(RULES, upstream=f"http://127.0.0.1:{free_port()}") as sidecar:
        await is_a_problem(sidecar, target, 502)


@pytest.mark.parametrize("target", ["/passed", "/stored/x"])
async def test_a_backend_that_says_nothing_is_a_504(target):
    never = asyncio.Event()

    async def talk(peer):
        await peer.head()
        await never.wait()

    async with RawBackend(talk) as backend:
        with Sidecar(RULES.replace("timeout: 30s", "timeout: 200ms"), upstream=backend.url) as sidecar:
            await is_a_problem(sidecar, target, 504)
            _, health = await asyncio.to_thread(sidecar.admin, "GET", "/health")
            assert (health["status"], health["upstream"]) == ("degraded", {"status": "down"})


async def is_a_problem(sidecar: Sidecar, target: str, expected: int) -> None:
    async with Client(sidecar.port) as client:
        for _ in range(2):  # on one connection: it survives
            status, fields, body = await client.ask(target)
            problem = json.loads(body)
            assert status == problem["status"] == expected
            assert fields[b"content-type"] == b"application/problem+json"
            assert fields[b"cache-status"].startswith(b"sapwood")
            assert fields[b"x-request-id"]
            assert set(problem) == {"type", "title", "status", "detail"}
