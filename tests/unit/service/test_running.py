"""A service's life: its listeners, its end, and the rules that are swapped at once or not at all."""

from __future__ import annotations

import asyncio
import socket

import pytest
from backends import Client
from servers import free_port

from proxy.admin.options import ListenError
from proxy.message.errors import StoreError
from proxy.service import Service
from proxy.service.control import Steering
from proxy.settings import load_settings

RULES = """
version: 1
service: unit
upstream: {url: http://127.0.0.1:1}
log: {level: error, hits: 0%, waiting: 50}
limits: {tags: 7}
routes:
  - {name: plan, match: "GET /plans/{id}", authorization: ignore, cookies: ignore, ttl: 1h}
"""


class File:
    """What the configuration file says now."""

    def __init__(self, text: str = RULES) -> None:
        self.text = text

    def __call__(self) -> str:
        return self.text


async def test_the_rules_and_the_bounds_are_taken_anew(play):
    file = File()
    service = (await play(RULES, load=file)).service
    before, parts = service.settings.fingerprint, service.house.parts
    assert service.house.writer.most_waiting == 50
    generation = parts.book.generation
    file.text = (
        RULES.replace("tags: 7", "tags: 9").replace("name: plan", "name: other").replace("waiting: 50", "waiting: 60")
    )
    assert list(await service.reload()) == []
    assert service.settings.fingerprint != before
    assert parts.book.route_for(b"GET", b"/plans/1").route.name == "other"
    assert parts.book.generation == generation + 1
    assert parts.options.tags == 9
    assert service.house.writer.most_waiting == 60
    assert Steering(service).explain("GET", "/plans/1", [])["route"] == "other"


async def test_a_visit_under_way_keeps_the_rules_it_came_under(play):
    """Its answer is stored where the old rules look, and the new ones do not find it."""
    file, gate, came = File(), asyncio.Event(), asyncio.Event()
    played = await play(RULES, load=file)
    send = played.service.house.origin.send

    async def held(*what):
        came.set()
        await gate.wait()
        return await send(*what)

    played.service.house.parts.origin = Held(played.service.house.origin, held)
    asking = asyncio.create_task(played.ask("/plans/1"))
    await came.wait()
    file.text = RULES.replace("ttl: 1h", "ttl: 2h")
    assert list(await played.service.reload()) == []
    gate.set()
    assert await asking == "MISS"
    assert await played.ask("/plans/1") == "MISS"
    assert await played.ask("/plans/1") == "HIT"


class Held:
    """An origin whose requests wait."""

    def __init__(self, origin, send) -> None:
        self._origin, self.send = origin, send

    def __getattr__(self, name):
        return getattr(self._origin, name)


async def test_mistakes_leave_everything_as_it_was(play):
    file = File()
    played = await play(RULES, load=file)
    service = played.service
    await played.ask("/plans/1")
    before, book = service.settings, service.house.parts.book
    file.text = RULES.replace("ttl: 1h", "ttl: soon").replace("tags: 7", "tags: many")
    assert {mistake.path for mistake in await service.reload()} == {"routes[0].ttl", "limits.tags"}
    assert (service.settings, service.house.parts.book, service.reload_ok) == (before, book, False)
    assert not (await Steering(service).health()).config_reload_ok
    assert await played.ask("/plans/1") == "HIT"
    file.text = RULES
    assert list(await service.reload()) == []
    assert service.reload_ok


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        pytest.param("service: unit", "service: other", "service", id="the service's name"),
        pytest.param(
            "limits: {tags: 7}", "limits: {tags: 7, connections: 5}", "limits.connections", id="the listener's bounds"
        ),
    ],
)
async def test_what_needs_a_restart_is_said_and_nothing_changes(play, old, new, path):
    file = File()
    service = (await play(RULES, load=file)).service
    before = service.settings
    file.text = RULES.replace(old, new)
    mistakes = await service.reload()
    assert [(mistake.path, mistake.message) for mistake in mistakes] == [(path, "needs a restart")]
    assert (service.settings, service.reload_ok) == (before, False)


async def test_a_rotated_password_is_used_when_a_connection_comes_back(play, own_valkey):
    own_valkey.command("ACL", "SETUSER", "app", "on", ">first", "~*", "&*", "+@all")
    file = File(RULES + "store: {password: first}\n")
    store = own_valkey.url.replace("://", "://app@")
    played = await play(file(), store=store, load=file)
    backplane = played.service.house.backplane
    own_valkey.command("ACL", "SETUSER", "app", "resetpass", ">second")
    file.text = RULES + "store: {password: second}\n"
    assert list(await played.service.reload()) == []
    own_valkey.command("CLIENT", "KILL", "TYPE", "normal")

    async def answers():
        try:
            return await backplane.run("ping", b"PING") == b"PONG"
        except StoreError:
            return False

    async with asyncio.timeout(10):
        while not await answers():  # noqa: ASYNC110  the breaker's probe finds out
            await asyncio.sleep(0.005)


async def test_a_rotated_token_is_taken_by_the_listener_that_runs(play):
    file = File(RULES + "admin: {token: first, hosts: [a.example]}\n")
    service = (await play(file(), load=file)).service
    file.text = RULES + "admin: {token: second, hosts: [a.example]}\n"
    assert list(await service.reload()) == []
    async with Client(service.admin_port) as client:
        for token, status in (("second", 200), ("third", 401)):
            assert (await client.ask("/config", f"Authorization: Bearer {token}"))[0] == status


async def test_without_a_file_there_is_nothing_to_reload(play):
    service = (await play(RULES)).service
    (mistake,) = await service.reload()
    assert "no configuration file" in mistake.message
    assert service.reload_ok


@pytest.mark.parametrize("taken", ["listen", "admin.listen", "probes.listen"])
async def test_a_start_that_fails_leaves_nothing_behind(taken, valkey):
    flags = {name: f"127.0.0.1:{free_port()}" for name in ("listen", "admin.listen", "probes.listen")}
    host, _, port = flags[taken].rpartition(":")
    settings = load_settings(RULES, overrides={**flags, "upstream.url": "http://127.0.0.1:1", "store.url": valkey.url})
    service = Service(settings)
    with socket.create_server((host, int(port))), pytest.raises(ListenError, match=rf"cannot listen on {flags[taken]}"):
        await service.start()
    assert not service.is_ready
    assert len(asyncio.all_tasks()) == 1, "only this test's own"
    again = Service(settings)
    await again.start()
    assert (again.traffic_port, again.admin_port, again.probes_port) == tuple(
        int(flag.rpartition(":")[2]) for flag in flags.values()
    )
    await again.stop()
    assert len(asyncio.all_tasks()) == 1


async def test_it_stops_once_and_may_be_told_twice(play):
    service = (await play()).service
    assert service.is_ready
    await service.stop()
    await service.stop()
    assert not service.is_ready
