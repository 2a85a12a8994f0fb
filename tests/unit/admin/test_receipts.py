"""Waiting for a purge to hold; over the API in ``integration/test_admin_api``."""

import asyncio

import pytest

from proxy.admin.receipts import receipt_for, replicas_shown
from proxy.message.errors import StoreError
from proxy.message.selectors import Seq
from proxy.purge.replicas import Replicas

SEQ = Seq("k3f9", 1)


class Asked:
    """Answers one after the other, the last for ever; an exception is raised."""

    def __init__(self, *answers):
        self.answers, self.times = answers, 0

    async def __call__(self, seq):
        assert seq == SEQ
        answer = self.answers[min(self.times, len(self.answers) - 1)]
        self.times += 1
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize(
    ("answers", "wait", "effective", "live"),
    [
        pytest.param([Replicas(2, 2, 9.0, 0)], 0.0, True, 2, id="confirmed at once"),
        pytest.param([Replicas(2, 1, 9.0, 0), Replicas(2, 2, 9.0, 0)], 60.0, True, 2, id="confirmed meanwhile"),
        pytest.param([Replicas(2, 1, 9.0, 0)], 0.0, False, 2, id="not waited for"),
        pytest.param([Replicas(2, 1, 0.05, 0)], 60.0, True, 2, id="by time"),
        pytest.param([Replicas(2, 1, 0.05, 0), StoreError("gone")], 60.0, True, 2, id="by time, though Redis left"),
        pytest.param([StoreError("gone"), Replicas(1, 1, 0.0, 0)], 60.0, True, 1, id="Redis came back"),
        pytest.param([StoreError("gone")], 0.05, False, None, id="never answered: for how long is not known"),
    ],
)
async def test_when_a_receipt_is_given(answers, wait, effective, live):
    ask = Asked(*answers)
    async with asyncio.timeout(30):
        receipt = await receipt_for(SEQ, ask, wait)
    assert receipt.effective is effective
    assert replicas_shown(receipt.replicas)["live"] == live
    assert ask.times >= len(answers)


def test_a_receipt_is_the_document_of_the_interface():
    from proxy.admin.receipts import Receipt

    assert Receipt(SEQ, Replicas(3, 3, 0.25, 0), effective=True).as_dict("hard", 3) == {
        "seq": "k3f9:1",
        "mode": "hard",
        "selectors": 3,
        "replicas": {"live": 3, "confirmed": 3},
        "effective": True,
    }
