"""Which token is taken while it is exchanged."""

from __future__ import annotations

import pytest
from clocks import Clock

from proxy.admin.tokens import OVERLAP, Tokens


def fields(token):
    return [f"Bearer {token}"]


def test_without_a_token_everybody_may_pass():
    assert Tokens(None).admit([])
    assert Tokens(None).admit(fields("any"))


def test_after_a_change_both_are_taken_and_then_only_the_new_one():
    clock = Clock(1000.0)
    tokens = Tokens("old", clock)
    assert [tokens.admit(fields(one)) for one in ("old", "new", "")] == [True, False, False]
    tokens.use("new")
    clock.now += OVERLAP - 1
    assert [tokens.admit(fields(one)) for one in ("old", "new", "other")] == [True, True, False]
    clock.now += 1
    assert [tokens.admit(fields(one)) for one in ("old", "new")] == [False, True]


def test_the_same_again_is_no_change():
    clock = Clock(1000.0)
    tokens = Tokens("old", clock)
    tokens.use("new")
    tokens.use("new")
    assert tokens.admit(fields("old")), "a reload for another reason does not end the overlap"
    clock.now += OVERLAP
    tokens.use("new")
    assert not tokens.admit(fields("old"))


def test_of_two_changes_in_a_row_only_the_last_before_is_taken():
    tokens = Tokens("first", Clock(1000.0))
    tokens.use("second")
    tokens.use("third")
    assert [tokens.admit(fields(one)) for one in ("first", "second", "third")] == [False, True, True]


@pytest.mark.parametrize(("before", "after"), [(None, "new"), ("old", None)])
def test_whether_a_token_is_needed_is_settled_at_the_start(before, after):
    tokens = Tokens(before)
    with pytest.raises(ValueError, match="settled at the start"):
        tokens.use(after)
    assert tokens.admit(fields("old"))
