import asyncio

import pytest

from proxy.fetch.connection import HIGH_WATER, LOW_WATER, Connection
from proxy.message.errors import OriginError
from proxy.wire.limits import WireLimits
from proxy.wire.responses import ResponseReader
from tests.transports import connected


class Told:
    """A receiver that writes down what it was told."""

    def __init__(self):
        self.facts = []

    def received(self, data):
        self.facts.append(data)

    def ended(self):
        self.facts.append("ended")
        return True

    def lost(self):
        self.facts.append("lost")

    def expired(self):
        self.facts.append("expired")


async def test_the_receiver_is_told_everything():
    connection, wire = connected()
    told = Told()
    connection.begin(told)
    assert not connection.heard
    connection.data_received(b"ab")
    assert connection.heard
    assert connection.eof_received()
    connection.connection_lost(None)
    assert told.facts == [b"ab", "ended", "lost"]
    assert wire.limits == {"high": HIGH_WATER, "low": LOW_WATER}


@pytest.mark.parametrize("what", ["bytes", "silence"])
async def test_without_a_receiver_whatever_happens_ends_it(what):
    connection, wire = connected()
    connection.rest(60)
    if what == "bytes":
        connection.data_received(b"x")
    else:
        connection._expired()
    assert wire.calls == ["abort"]
    assert not connection.is_open
    assert not connection.eof_received()


async def test_silence_is_the_receivers_to_judge():
    connection, wire = connected()
    told = Told()
    connection.begin(told)
    connection._expired()
    assert told.facts == ["expired"]
    assert wire.calls == []


async def test_closed_by_us_the_receiver_is_not_told_but_the_pool_is():
    lost = []
    connection, _ = connected(lost.append)
    told = Told()
    connection.begin(told)
    connection.close()
    connection.connection_lost(None)
    assert told.facts == []
    assert lost == [connection]
    assert connection.gone.done()


async def test_cut_the_receiver_is_told():
    connection, _ = connected()
    told = Told()
    connection.begin(told)
    connection.cut()
    connection.connection_lost(ConnectionResetError())
    assert told.facts == ["lost"]


async def test_who_writes_waits_while_the_far_side_is_slow():
    connection, wire = connected()
    connection.pause_writing()
    writing = asyncio.create_task(connection.drained())
    await asyncio.sleep(0)
    assert not writing.done()
    connection.resume_writing()
    await writing
    connection.write(b"a")
    connection.write_all([b"b", b"c"])
    assert wire.sent == b"abc"


async def test_who_waits_to_write_learns_that_the_connection_is_gone():
    connection, wire = connected()
    connection.pause_writing()
    writing = asyncio.create_task(connection.drained())
    await asyncio.sleep(0)
    wire.closing = True
    connection.connection_lost(None)
    with pytest.raises(OriginError):
        await writing
    connection.write(b"a")
    connection.write_all([b"b"])
    connection.end_writing()
    connection.pause()
    connection.resume()
    assert (wire.sent, wire.calls) == (b"", [])


async def test_a_waiter_that_was_cancelled_is_not_woken():
    connection, _ = connected()
    connection.pause_writing()
    writing = asyncio.create_task(connection.drained())
    await asyncio.sleep(0)
    writing.cancel()
    connection.resume_writing()
    await asyncio.wait([writing])
    assert writing.cancelled()


@pytest.mark.parametrize("can", [True, False])
async def test_our_direction_ends_where_the_transport_can(can):
    connection, wire = connected()
    wire.can_eof = can
    connection.end_writing()
    assert wire.calls == (["eof"] if can else [])


async def test_reading_pauses_and_goes_on():
    connection, wire = connected()
    connection.pause()
    connection.resume()
    assert wire.calls == ["pause", "resume"]


async def test_finishing_sends_what_is_on_its_way():
    connection, wire = connected()
    connection.finish()
    assert wire.calls == ["close"]


async def test_before_it_is_made_nothing_can_be_done_with_it():
    connection = Connection(ResponseReader(WireLimits()), lambda _: None)
    assert not connection.is_open
    connection.write(b"x")
    connection.close()
    connection.cut()
    connection.finish()
