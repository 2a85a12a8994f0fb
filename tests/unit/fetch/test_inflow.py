import asyncio

import pytest

from proxy.fetch.connection import HIGH_WATER
from proxy.fetch.inflow import Inflow
from proxy.message.errors import OriginError
from tests.transports import connected


async def test_what_has_come_is_taken_together_in_its_order():
    inflow = Inflow(connected()[0])
    inflow.put(b"a")
    inflow.put(b"")
    inflow.put(b"b")
    assert await inflow.take() == b"ab"
    inflow.end()
    assert await inflow.take() == b""
    assert await inflow.take() == b""


async def test_the_reader_waits_for_the_first_bytes():
    inflow = Inflow(connected()[0])
    reading = asyncio.create_task(inflow.take())
    await asyncio.sleep(0)
    inflow.put(b"a")
    assert await reading == b"a"


async def test_a_reader_that_left_costs_nothing():
    inflow = Inflow(connected()[0])
    reading = asyncio.create_task(inflow.take())
    await asyncio.sleep(0)
    reading.cancel()
    inflow.put(b"a")
    await asyncio.wait([reading])
    assert await inflow.take() == b"a"


async def test_bytes_come_before_the_failure_that_ended_them():
    inflow = Inflow(connected()[0])
    inflow.put(b"a")
    inflow.fail(OriginError("gone"))
    assert await inflow.take() == b"a"
    for _ in range(2):
        with pytest.raises(OriginError, match="gone"):
            await inflow.take()


async def test_dropped_bytes_are_never_read():
    inflow = Inflow(connected()[0])
    inflow.put(b"a")
    inflow.drop(OriginError("closed"))
    with pytest.raises(OriginError, match="closed"):
        await inflow.take()


async def test_beyond_the_mark_the_connection_pauses_until_the_reader_has_come():
    connection, wire = connected()
    inflow = Inflow(connection)
    inflow.put(bytes(HIGH_WATER))
    assert wire.calls == []
    inflow.put(b"x")
    inflow.put(b"y")
    assert wire.calls == ["pause"]
    assert len(await inflow.take()) == HIGH_WATER + 2
    assert wire.calls == ["pause", "resume"]


async def test_at_the_end_the_connection_is_free_whether_or_not_it_was_read():
    connection, wire = connected()
    inflow = Inflow(connection)
    inflow.put(bytes(HIGH_WATER + 1))
    inflow.end()
    assert wire.calls == ["pause", "resume"]
    assert len(await inflow.take()) == HIGH_WATER + 1
    assert wire.calls == ["pause", "resume"]
