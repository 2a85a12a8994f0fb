"""What is said on one connection, by redis-py's own reading and writing."""

import pytest
from redis.exceptions import ResponseError

from proxy.backplane import talk
from proxy.backplane.pool import Pool


@pytest.fixture
async def connection(valkey):
    pool = Pool(valkey.url, 1, 1.0, 30.0, lambda: None)
    connection = pool.make()
    yield connection
    await connection.disconnect()


@pytest.mark.parametrize(
    ("command", "octets"),
    [
        pytest.param((b"GET", b"a"), b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n", id="octets"),
        pytest.param(
            ["SET", "\u00e9", b"\x00", 7], b"*4\r\n$3\r\nSET\r\n$2\r\n\xc3\xa9\r\n$1\r\n\x00\r\n$1\r\n7\r\n", id="text"
        ),
        pytest.param((b"A", 0.5, b""), b"*3\r\n$1\r\nA\r\n$3\r\n0.5\r\n$0\r\n\r\n", id="numbers"),
    ],
)
def test_a_command_is_packed_by_lengths(command, octets):
    assert talk.packed(command) == octets


async def test_an_error_reply_is_one_of_the_replies_and_none_is_left_unread(connection):
    assert not await talk.ready(connection)
    said = await talk.exchange(connection, [(b"PING",), (b"NONSENSE",), (b"ECHO", b"a")])
    assert (said[0], type(said[1]), said[2]) == (b"PONG", ResponseError, b"a")
    assert await talk.exchange(connection, [(b"ECHO", b"b")]) == [b"b"]


async def test_what_the_server_has_closed_is_opened_again_and_said(connection):
    await talk.ready(connection)
    await connection.send_command("QUIT")
    await connection._reader.read()
    assert await talk.ready(connection)
    assert await talk.exchange(connection, [(b"PING",)]) == [b"PONG"]
