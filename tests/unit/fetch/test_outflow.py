import asyncio

import pytest

from proxy.fetch import outflow
from proxy.fetch.outflow import Outflow
from proxy.message.errors import ClientGoneError, MessageError
from proxy.message.headers import Headers
from tests.rawbackend import Chunks
from tests.transports import connected


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        pytest.param(lambda: Chunks(b"ab", b"c", length=3), b"abc", id="a stated length goes as it is"),
        pytest.param(lambda: Chunks(length=0), b"", id="nothing is nothing"),
        pytest.param(lambda: Chunks(b"ab", b"c"), b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", id="an unknown one in chunks"),
        pytest.param(
            lambda: Chunks(b"a", trailers=Headers([(b"Digest", b"q")])),
            b"1\r\na\r\n0\r\nDigest: q\r\n\r\n",
            id="trailers follow",
        ),
    ],
)
async def test_a_body_is_sent_whole(body, sent):
    connection, wire = connected()
    flow = Outflow(connection, body(), expect_continue=False)
    await flow.send()
    assert wire.sent == sent
    assert flow.complete


@pytest.mark.parametrize(
    ("body", "error"),
    [
        pytest.param(lambda: Chunks(b"ab", length=3), MessageError, id="short of its length"),
        pytest.param(lambda: Chunks(b"abcd", length=3), MessageError, id="beyond its length"),
        pytest.param(
            lambda: Chunks(b"a", length=3, failure=ClientGoneError("gone")), ClientGoneError, id="its owner's"
        ),
    ],
)
async def test_a_body_that_breaks_is_not_complete(body, error):
    flow = Outflow(connected()[0], body(), expect_continue=False)
    with pytest.raises(error):
        await flow.send()
    assert flow.begun
    assert not flow.complete


async def test_with_an_expectation_nothing_is_pulled_before_the_permission():
    body = Chunks(b"ab", length=2)
    flow = Outflow(connected()[0], body, expect_continue=True)
    sending = asyncio.create_task(flow.send())
    await asyncio.sleep(0)
    assert flow.is_waiting
    assert not flow.begun
    flow.permit()
    await sending
    assert flow.complete
    assert not flow.is_waiting


async def test_without_a_permission_it_goes_on_after_a_while(monkeypatch):
    monkeypatch.setattr(outflow, "CONTINUE_PATIENCE", 0.0)
    flow = Outflow(connected()[0], Chunks(b"ab", length=2), expect_continue=True)
    await flow.send()
    assert flow.complete


async def test_a_permission_nobody_waits_for_changes_nothing():
    flow = Outflow(connected()[0], Chunks(length=0), expect_continue=False)
    flow.permit()
    assert not flow.is_waiting


async def test_it_pulls_no_faster_than_the_backend_takes():
    connection, _ = connected()
    body = Chunks(b"a", b"b", b"c", length=3)
    connection.pause_writing()
    sending = asyncio.create_task(Outflow(connection, body, expect_continue=False).send())
    for _ in range(5):
        await asyncio.sleep(0)
    assert body.pulled == 1
    connection.resume_writing()
    await sending
    assert body.pulled == 3
