"""Whose fault it was."""

import pytest

from proxy.message.errors import ClientGoneError, MessageError, OriginError, SapwoodError, StoreError


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(MessageError("bare line feed"), 400, id="a message, by default the client's fault"),
        pytest.param(MessageError("two lengths", 502), 502, id="a message of the backend"),
        pytest.param(OriginError("refused"), 502, id="the backend"),
        pytest.param(OriginError("too slow", 504), 504, id="the backend's time"),
    ],
)
def test_an_error_carries_the_answer(error, status):
    assert isinstance(error, SapwoodError)
    assert error.status == status
    assert str(error) == error.detail


def test_a_queue_says_when_to_come_back():
    assert OriginError("queue", 503, retry_after=5).retry_after == 5
    assert OriginError("refused").retry_after is None


@pytest.mark.parametrize("kind", [ClientGoneError, StoreError])
def test_the_others_are_of_the_house(kind):
    assert issubclass(kind, SapwoodError)
