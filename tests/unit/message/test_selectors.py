"""The names by which stored responses are purged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.message import selectors
from proxy.message.selectors import IN_FORCE, PURGED, Seq, Standing


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (selectors.tag, "tag:x"),
        (selectors.logical_key, "key:x"),
        (selectors.url, "url:x"),
        (selectors.path, "path:x"),
        (selectors.user, "user:x"),
        (selectors.namespace, "ns:x"),
        (selectors.route, "route:x"),
    ],
)
def test_each_kind_has_its_prefix(make, text):
    assert make("x") == text


def test_no_kind_is_everything():
    assert selectors.EVERYTHING == "all"


@given(st.binary())
def test_any_octets_survive_as_text(octets):
    assert selectors.octets_of(selectors.text_of(octets)) == octets


@given(st.text(min_size=1), st.integers(min_value=0))
def test_a_seq_is_read_back(epoch, n):
    assert Seq.parse(str(Seq(epoch, n))) == Seq(epoch, n)


@pytest.mark.parametrize("text", ["", "5", ":5", "a:", "a:x", "a:-1", "a:\u0665"])
def test_what_is_no_seq(text):
    with pytest.raises(ValueError, match="expected a sequence"):
        Seq.parse(text)


def test_order_within_an_epoch():
    assert Seq("a", 9) < Seq("a", 10)


def test_standings():
    assert Standing() == IN_FORCE
    assert PURGED.purged
    assert not IN_FORCE.purged
    assert IN_FORCE.soft_since is None
