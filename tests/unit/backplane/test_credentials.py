"""A password that changes while connections come and go, on a real server."""

from __future__ import annotations

import asyncio

import pytest

from proxy.backplane.client import Backplane
from proxy.backplane.credentials import Credentials
from proxy.backplane.options import BackplaneOptions
from proxy.message.errors import StoreError


@pytest.fixture
def locked(own_valkey):
    own_valkey.command("ACL", "SETUSER", "app", "on", ">first", "~*", "+@all")
    own_valkey.command("CONFIG", "SET", "requirepass", "first")
    return own_valkey


def url(server, user, password):
    return server.url.replace("://", f"://{user}:{password}@")


@pytest.mark.parametrize("user", ["", "app"])
async def test_a_new_password_is_used_by_every_connection_from_then_on(locked, told, user):
    backplane = Backplane(BackplaneOptions(url(locked, user, "first"), max_connections=1), told)
    late = Backplane(BackplaneOptions(url(locked, user, "first")), told)
    try:
        assert await backplane.run("ping", b"PING") == b"PONG"
        await rotated(backplane, user)
        assert await backplane.run("ping", b"PING") == b"PONG", "the open connection stays logged in"
        with pytest.raises(StoreError):
            await late.run("ping", b"PING")
        backplane.use_credentials(url(locked, user, "second"))
        assert await backplane.run("kill", b"CLIENT", b"KILL", b"TYPE", b"normal", b"SKIPME", b"no") >= 1
        async with asyncio.timeout(5):
            while not await answers(backplane):  # noqa: ASYNC110  the breaker's probe finds out
                await asyncio.sleep(0.005)
    finally:
        await backplane.close()
        await late.close()


async def answers(backplane):
    try:
        return await backplane.run("ping", b"PING") == b"PONG"
    except StoreError:
        return False


async def rotated(backplane, user):
    name = user.encode() or b"default"
    await backplane.run("acl", b"ACL", b"SETUSER", name, b"resetpass", b">second")


def test_without_a_password_redis_py_is_left_as_it_is():
    options = {"host": "h", "username": None, "password": None}
    assert Credentials.taken_from(options) is None
    assert options == {"host": "h"}


@pytest.mark.parametrize(
    ("given", "said"),
    [("redis://:p%40ss@h/0", ("p@ss",)), ("redis://u:p@h", ("u", "p")), ("unix://u:p@/run/s.sock", ("u", "p"))],
)
def test_what_a_url_says(given, said):
    credentials = Credentials(None, "old")
    assert credentials.get_credentials() == ("old",)
    credentials.use(given)
    assert credentials.get_credentials() == said
