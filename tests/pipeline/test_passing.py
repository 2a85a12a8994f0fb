"""Requests that pass through: what the backend is troubled with, and when."""

import pytest

from proxy.message.errors import ClientGoneError
from proxy.pipeline.passing import SMALL_BODY
from tests.pipeline.rules import PLANS
from tests.pipeline.stage import Chunks, Stage


@pytest.fixture
def stage():
    return Stage(PLANS)


async def sent(stage, body, **headers):
    """Send a body through; return what the origin was handed."""
    stage.says(200, b"done")
    request = stage.request("/elsewhere", method="POST", body=b"x", **headers)
    await stage.read(await stage.pipeline.answer(request, body, None))
    return stage.origin.heard[-1]


@pytest.mark.parametrize(
    ("length", "is_upload"),
    [
        pytest.param(5, False, id="small"),
        pytest.param(SMALL_BODY, False, id="just small"),
        pytest.param(SMALL_BODY + 1, True, id="large"),
        pytest.param(None, True, id="of unknown length"),
    ],
)
async def test_a_small_body_is_all_here_before_the_backend_hears_of_it(stage, length, is_upload):
    outgoing = await sent(stage, Chunks([b"x" * (length or 5)], length))
    assert outgoing.is_upload is is_upload
    assert outgoing.body.length == length


async def test_a_client_that_waits_for_100_is_not_made_to_send(stage):
    assert (await sent(stage, Chunks([b"x"], 1), expect="100-continue")).is_upload


async def test_a_small_body_that_breaks_off_never_reaches_the_backend(stage):
    body = Chunks([b"half", ClientGoneError("left")], 8)
    with pytest.raises(ClientGoneError):
        await stage.pipeline.answer(stage.request("/elsewhere", method="POST", body=b"x"), body, None)
    assert stage.origin.heard == []
