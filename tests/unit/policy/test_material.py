import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.policy.material import TAGS, cache_key, constant_parts, digested, encoded, material, parts_of

PARTS = st.lists(st.tuples(st.sampled_from(sorted(TAGS)), st.binary(max_size=8)), max_size=5)


@given(PARTS, PARTS)
def test_different_parts_have_different_material(one, other):
    assert (encoded(one) == encoded(other)) == (one == other)


@given(PARTS, PARTS, PARTS)
def test_no_material_is_another_s_with_something_after_it(one, rest, other):
    if rest:
        assert encoded(one) + encoded(rest) != encoded(other)


@given(PARTS)
def test_constant_parts_and_a_request_s_are_one_list(parts):
    constant = constant_parts("svc", "f00", "ns", "v1")
    shared = [(b"f", b"1"), (b"r", b"f00"), (b"s", b"svc"), (b"n", b"ns"), (b"v", b"v1")]
    assert material(constant, parts) == encoded([*shared, *parts])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("a", "b", None, None), ("ab", "", None, None), id="where one part ends"),
        pytest.param(("a", "b", "n", None), ("a", "b", None, "n"), id="which part it is"),
        pytest.param(("a", "b", "", ""), ("a", "b", None, None), id="empty or absent"),
    ],
)
def test_what_all_keys_of_a_route_share_is_kept_apart(one, other):
    assert constant_parts(*one) != constant_parts(*other)


@given(st.lists(st.none() | st.binary(max_size=4), max_size=4), st.lists(st.none() | st.binary(max_size=4), max_size=4))
def test_different_values_have_different_digests(one, other):
    assert (digested(b"x", one) == digested(b"x", other)) == (one == other)


def test_a_digest_does_not_hold_what_it_is_of():
    assert b"secret" not in digested(b"authorization", [b"Bearer secret"])
    assert digested(b"authorization", []).endswith(b"authorization")


def test_a_place_is_the_md5_of_its_material_and_the_material():
    key = cache_key(b"abc")
    assert key.material == b"abc"
    assert key.digest == hashlib.md5(b"abc", usedforsecurity=False).hexdigest()


def test_people_can_read_the_parts():
    octets = material(constant_parts("svc", "f00", None, None), [(b"p", b"/a\xff"), (b"h", digested(b"x", [b"1"]))])
    octets += encoded([(b"V", digested(b"accept", [None]))])
    read = dict(parts_of(octets))
    assert read["service"] == "svc"
    assert read["path"] == "/a\\xff"
    assert read["header"].startswith("x sha256:")
    assert read["vary"].startswith("accept sha256:")
    assert "namespace" not in read


def test_a_part_that_is_only_a_digest_is_shown_as_one():
    assert parts_of(encoded([(b"C", digested(b"", [b"1"]))]))[0][1].startswith("sha256:")


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"\x00", id="no count"),
        pytest.param(b"\x00\x00\x00\x01p", id="no length"),
        pytest.param(b"\x00\x00\x00\x01p\x00\x00\x00\x05abc", id="too short"),
        pytest.param(b"\x00\x00\x00\x01?\x00\x00\x00\x01a", id="an unknown part"),
    ],
)
def test_what_is_no_material_is_refused(octets):
    with pytest.raises(ValueError, match="not key material"):
        parts_of(octets)
