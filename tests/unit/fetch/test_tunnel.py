import pytest

from proxy.fetch.tunnel import BackendTunnel
from proxy.message.errors import OriginError
from tests.transports import connected


@pytest.fixture
async def ends():
    connection, wire = connected()
    return BackendTunnel(connection, b"first", 60), connection, wire


async def test_bytes_go_both_ways(ends):
    tunnel, connection, wire = ends
    assert await tunnel.read() == b"first"
    connection.data_received(b"second")
    assert await tunnel.read() == b"second"
    await tunnel.write(b"back")
    assert wire.sent == b"back"


async def test_each_direction_has_its_own_end(ends):
    tunnel, connection, wire = ends
    await tunnel.write_eof()
    assert wire.calls == ["eof"]
    assert not connection.eof_received()  # both have ended: the transport closes
    assert [await tunnel.read(), await tunnel.read()] == [b"first", b""]


async def test_ours_goes_on_after_the_backends(ends):
    tunnel, connection, wire = ends
    assert connection.eof_received()
    await tunnel.write(b"more")
    await tunnel.write_eof()
    assert (wire.sent, wire.calls) == (b"more", ["close"])


@pytest.mark.parametrize("how", ["lost", "silent", "closed"])
async def test_its_end_is_the_end_of_reading_and_an_error_to_write(ends, how):
    tunnel, connection, wire = ends
    assert await tunnel.read() == b"first"
    if how == "lost":
        wire.closing = True
        connection.connection_lost(None)
    elif how == "silent":
        tunnel.expired()
    else:
        await tunnel.aclose()
        await tunnel.aclose()
    assert await tunnel.read() == b""
    with pytest.raises(OriginError):
        await tunnel.write(b"x")
