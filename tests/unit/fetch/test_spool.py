"""A body collected once, read by many."""

import asyncio

import pytest

from proxy.fetch.spool import FLOW_WINDOW, Budget, Spool
from proxy.message.errors import MessageError, OriginError
from proxy.message.headers import EMPTY, Headers


async def everything(reader):
    body = b""
    while data := await reader.read():
        body += data
    return body


async def settled():
    """Let every task that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


def spool_of(budget=None, *, length=None, max_body=1000):
    budget = budget or Budget(10_000)
    reserved = length if length is not None and budget.take(length) else 0
    return Spool(budget, length=length, max_body=max_body, reserved=reserved)


async def test_readers_follow_at_their_own_pace():
    spool = spool_of()
    early = spool.reader()
    await spool.append(b"one ")
    assert await early.read() == b"one "
    waiting = asyncio.create_task(early.read())
    await settled()
    assert not waiting.done()
    await spool.append(b"two")
    assert await waiting == b"two"
    spool.finish(Headers([(b"X-Sum", b"7")]))
    late = spool.reader()
    assert await everything(late) == b"one two"
    assert await early.read() == b""
    assert late.trailers.get(b"x-sum") == b"7"


async def test_a_complete_spool_has_its_body():
    spool = spool_of()
    await spool.append(b"ab")
    await spool.append(b"c")
    spool.finish(EMPTY)
    assert await spool.collected() is True
    assert spool.body() == b"abc"


async def test_a_failure_reaches_readers_where_the_bytes_end():
    spool = spool_of()
    reader = spool.reader()
    await spool.append(b"half")
    spool.fail(OriginError("it broke off"))
    assert await reader.read() == b"half"
    with pytest.raises(MessageError, match="it broke off"):
        await reader.read()
    assert await spool.collected() is False


async def test_the_budget_is_given_back_when_writer_and_readers_have_gone():
    budget = Budget(100)
    spool = spool_of(budget, length=60)
    assert budget.taken == 60
    first, second = spool.reader(), spool.reader()
    await spool.append(b"x" * 60)
    spool.finish(EMPTY)
    await first.aclose()
    spool.release()
    assert budget.taken == 60, "a reader still holds the chunks"
    await second.aclose()
    assert budget.taken == 0
    await second.aclose()
    assert budget.taken == 0, "closing twice gives nothing back twice"


async def test_a_budget_refuses_what_does_not_fit():
    budget = Budget(10)
    assert budget.take(10)
    assert not budget.take(1)
    budget.give_back(10)
    assert budget.take(1)


@pytest.mark.parametrize(
    ("max_body", "limit"),
    [pytest.param(100, 10_000_000, id="beyond max_body"), pytest.param(10_000_000, 100, id="beyond the shared budget")],
)
async def test_a_body_that_outgrows_its_bound_flows_at_its_readers_pace(max_body, limit):
    spool = spool_of(Budget(limit), max_body=max_body)
    reader = spool.reader()
    await spool.append(b"a" * 60)
    piece = b"b" * FLOW_WINDOW
    writing = asyncio.create_task(spool.append(piece))
    await settled()
    assert await spool.collected() is False, "those who wait for the whole go alone"
    assert not writing.done(), "the writer waits for the reader"
    assert await reader.read() == b"a" * 60
    assert await reader.read() == piece
    await writing
    assert not spool.is_abandoned
    spool.finish(EMPTY)
    assert await reader.read() == b""
    assert spool.outgrew_max_body is (max_body == 100)


async def test_chunks_that_were_read_are_let_go_in_flow():
    spool = spool_of(max_body=1)
    reader = spool.reader()
    for _ in range(50):
        await spool.append(b"x" * 100_000)
        await reader.read()
    assert len(spool._chunks) <= 4


async def test_a_flowing_spool_without_a_reader_is_abandoned():
    spool = spool_of(max_body=1)
    reader = spool.reader()
    await spool.append(b"xx")
    writing = asyncio.create_task(spool.append(b"y" * 2 * FLOW_WINDOW))
    await settled()
    assert not writing.done()
    await reader.aclose()
    await writing
    assert spool.is_abandoned
