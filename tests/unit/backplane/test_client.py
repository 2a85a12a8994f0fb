import asyncio

import pytest
from servers import Valkey, until

from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.backplane.scripts import Script
from proxy.message.errors import StoreError
from proxy.observe.events import BreakerMoved, StoreAnswered, TaskFailed

ECHO = Script(b"return {KEYS[1], ARGV[1]}")


@pytest.fixture
async def backplane(valkey, told):
    plane = Backplane(BackplaneOptions(valkey.url, max_connections=4), told)
    yield plane
    await plane.close()
    assert told.of(TaskFailed) == []


async def test_replies_are_octets(backplane):
    assert await backplane.run("save", b"SET", b"a", b"\x00\xff") == b"OK"
    assert await backplane.run("load", b"MGET", b"a", b"none") == [b"\x00\xff", None]


async def test_a_pipeline_answers_in_order(backplane):
    assert await backplane.pipeline("save", [(b"SET", b"a", 1), (b"INCR", b"a"), (b"GET", b"a")]) == [b"OK", 2, b"2"]


async def test_a_script_travels_once_and_again_after_the_server_has_forgotten_it(backplane, valkey):
    for _ in range(2):
        assert await backplane.script("purge", ECHO, [b"k"], ["v"]) == [b"k", b"v"]
        valkey.command("SCRIPT", "FLUSH")


async def test_each_exchange_is_told(backplane, told):
    await backplane.run("load", b"GET", b"a")

    (event,) = told.of(StoreAnswered)
    assert (event.operation, event.failure) == ("load", "")
    assert 0 < event.seconds < 2
    assert backplane.latency == pytest.approx(event.seconds, rel=0.5)


@pytest.mark.parametrize(
    "commands",
    [
        pytest.param([(b"LPUSH", b"text", b"x")], id="wrong type"),
        pytest.param([(b"NONSENSE",)], id="unknown command"),
        pytest.param(
            [(b"GET", b"text"), (b"LPUSH", b"text", b"x"), (b"GET", b"text")], id="in the middle of a pipeline"
        ),
    ],
)
async def test_an_error_reply_fails_its_caller_and_nobody_else(backplane, told, commands):
    await backplane.run("save", b"SET", b"text", b"1")

    with pytest.raises(StoreError, match="the store refused"):
        await backplane.pipeline("save", commands)

    assert told.of(StoreAnswered)[-1].failure == "reply"
    assert not backplane.is_open
    assert await backplane.run("load", b"GET", b"text") == b"1"


async def test_more_callers_than_connections_all_get_their_own_answer(backplane, valkey):
    async def ask(number):
        return await backplane.run("load", b"ECHO", number)

    assert await asyncio.gather(*map(ask, range(500))) == [b"%d" % number for number in range(500)]
    assert int(valkey.command("INFO", "clients").partition(b"connected_clients:")[2].split()[0]) <= 4 + 1


async def test_nobody_reads_the_reply_of_somebody_who_left(backplane, told):
    leaving = asyncio.create_task(backplane.run("load", b"BLPOP", b"nothing", 1))
    await until(lambda: backplane._pool._in_use)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving

    assert await asyncio.gather(*(backplane.run("load", b"ECHO", b"%d" % n) for n in range(8))) == [
        b"%d" % n for n in range(8)
    ]
    assert told.of(StoreAnswered)[0].failure == "cancelled"
    assert not backplane.is_open


async def test_a_reply_that_was_not_read_is_nobodys(backplane):
    async def leave_unread(connection):
        await connection.send_command("ECHO", "not yours")
        raise OSError("left in between")

    with pytest.raises(OSError, match="left in between"):
        await backplane._on_a_connection(leave_unread)

    assert await backplane.run("load", b"ECHO", b"mine") == b"mine"


async def test_a_connection_that_the_server_has_closed_is_replaced_unseen(backplane, valkey, told):
    await backplane.run("load", b"PING")
    valkey.command("CLIENT", "KILL", "TYPE", "normal")
    await asyncio.sleep(0.01)  # let the loop read the end of the stream

    assert await backplane.run("load", b"PING") == b"PONG"
    assert told.of(BreakerMoved) == []


async def test_info_is_what_health_shows(backplane):
    info = await backplane.info()

    assert info["latency_ms"] > 0
    assert info["connected_clients"] >= 1
    assert info["used_memory_human"].endswith("M")


async def test_after_closing_calls_fail_and_closing_again_does_nothing(backplane):
    await backplane.run("load", b"PING")
    await backplane.close()
    await backplane.close()

    with pytest.raises(StoreError, match="closed"):
        await backplane.run("load", b"PING")


@pytest.mark.parametrize(
    ("options", "url"),
    [
        pytest.param(("--requirepass", "let me in"), "redis://:let%20me%20in@127.0.0.1:{port}/0", id="password"),
        pytest.param((), "redis://127.0.0.1:{port}/3", id="database"),
    ],
)
async def test_the_url_carries_password_and_database(options, url, told):
    server = Valkey(port=True)
    server.start()
    for name, value in zip(options[::2], options[1::2], strict=True):
        server.command("CONFIG", "SET", name.removeprefix("--"), value)
    plane = Backplane(BackplaneOptions(url.format(port=server.port)), told)
    try:
        assert await plane.run("load", b"PING") == b"PONG"
    finally:
        await plane.close()
        server.close()


async def test_a_wrong_password_is_a_store_that_cannot_be_reached(told):
    server = Valkey(port=True)
    server.start()
    server.command("CONFIG", "SET", "requirepass", "right")
    plane = Backplane(BackplaneOptions(f"redis://:wrong-secret@127.0.0.1:{server.port}/0"), told)
    try:
        with pytest.raises(StoreError, match="cannot be reached") as caught:
            await plane.run("load", b"PING")
        assert "wrong-secret" not in str(caught.value)
        assert plane.is_open
    finally:
        await plane.close()
        server.close()
