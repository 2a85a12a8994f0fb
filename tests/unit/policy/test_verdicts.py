"""What may come of the question whether a response is stored."""

import pytest

from proxy.policy.verdicts import Discard, DiscardReason

MARKED = {"private", "no-store", "vary", "set-cookie", "event-stream", "too-large", "tags"}


@pytest.mark.parametrize("reason", list(DiscardReason), ids=str)
def test_a_mark_is_left_only_where_the_next_answer_cannot_be_shared_either(reason):
    assert Discard(reason).mark is (reason.value in MARKED)
