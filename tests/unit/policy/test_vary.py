"""Which variant a request selects."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from proxy.message.headers import Headers
from proxy.message.request import Request
from proxy.policy.vary import fields_named, fits, normalised, selecting


def asking(*lines):
    return Request(b"GET", b"/", Headers(lines), b"api.example")


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        pytest.param([], (), id="absent"),
        pytest.param([b""], (), id="empty"),
        pytest.param([b"Foo, bar,FOO"], (b"bar", b"foo"), id="lower case, sorted, once"),
        pytest.param([b"foo", b"bar"], (b"bar", b"foo"), id="two lines"),
        pytest.param([b"a,b,c,d,e,f,g,h"], tuple(b"%c" % octet for octet in b"abcdefgh"), id="eight"),
        pytest.param([b"a,b,c,d,e,f,g,h,i"], None, id="nine"),
        pytest.param([b"*"], None, id="everything"),
        pytest.param([b"*, *"], None, id="everything twice"),
        pytest.param([b"*", b"*"], None, id="everything on two lines"),
        pytest.param([b", *"], None, id="after an empty element"),
        pytest.param([b"", b"*"], None, id="after an empty line"),
        pytest.param([b"*, Foo"], None, id="before a name"),
        pytest.param([b"Foo, *"], None, id="after a name"),
    ],
)
def test_fields_named(lines, names):
    assert fields_named(Headers([(b"Vary", line) for line in lines])) == names


@pytest.mark.parametrize(
    ("name", "one", "other", "same"),
    [
        pytest.param(b"foo", [b"1, 2"], [b"1", b"2"], True, id="lines are one list"),
        pytest.param(b"foo", [b"1,2"], [b" 1,\t2 "], True, id="white space around commas"),
        pytest.param(b"foo", [b"1, 2"], [b"2, 1"], False, id="order may mean something"),
        pytest.param(b"foo", [b"A"], [b"a"], False, id="letter case may mean something"),
        pytest.param(b"foo", [b"1,,2"], [b"1,2"], False, id="an empty element may mean something"),
        pytest.param(b"foo", [b'"a,  b"'], [b'"a, b"'], False, id="white space in a quoted string means something"),
        pytest.param(b"foo", [b'"a,b" , c'], [b'"a,b",c'], True, id="white space beside a quoted string"),
        pytest.param(b"foo", [b""], [], False, id="empty is not absent"),
        pytest.param(b"accept-language", [b"en, de"], [b"de, en"], True, id="languages: order"),
        pytest.param(b"accept-language", [b"en, de"], [b"eN, De"], True, id="languages: letter case"),
        pytest.param(b"accept-language", [b"en, de"], [b" en ,   de"], True, id="languages: white space"),
        pytest.param(b"accept-language", [b"en; q=0.5"], [b"en;q=0.5"], True, id="languages: white space in a weight"),
        pytest.param(b"accept-language", [b"en;q=0.5"], [b"en"], False, id="languages: a weight"),
        pytest.param(b"accept-language", [b"en"], [b"en, de"], False, id="languages: one more"),
        pytest.param(b"accept-encoding", [b"gzip, br"], [b"br,gzip"], True, id="codings: order"),
        pytest.param(b"accept-encoding", [b"GZIP"], [b"gzip"], True, id="codings: letter case"),
        pytest.param(b"accept-encoding", [b"x-gzip"], [b"gzip"], True, id="codings: an old name"),
        pytest.param(b"accept-encoding", [b"gzip;q=0.5, br"], [b"gzip, br;q=0.9"], True, id="codings: weights"),
        pytest.param(b"accept-encoding", [b"gzip, br;q=0"], [b"gzip"], True, id="codings: one refused"),
        pytest.param(b"accept-encoding", [b"br; q=0.000"], [b"identity"], True, id="codings: refused with digits"),
        pytest.param(b"accept-encoding", [b"identity"], [b""], True, id="codings: identity is always there"),
        pytest.param(b"accept-encoding", [b"gzip, identity;q=0"], [b"gzip"], False, id="codings: no identity"),
        pytest.param(b"accept-encoding", [b"gzip, *;q=0"], [b"gzip, identity;q=0"], True, id="codings: no other"),
        pytest.param(b"accept-encoding", [b"identity, *;q=0"], [b""], True, id="codings: only identity"),
        pytest.param(b"accept-encoding", [b"gzip, *"], [b"gzip"], False, id="codings: any other"),
        pytest.param(b"accept-encoding", [b"*, br;q=0"], [b"*"], False, id="codings: any but one"),
        pytest.param(b"accept-encoding", [b"gzip"], [b"br"], False, id="codings: another one"),
        pytest.param(b"accept-encoding", [b""], [], False, id="codings: empty is not absent"),
    ],
)
def test_normalised(name, one, other, same):
    values = [normalised(name, Headers([(name, line) for line in lines])) for lines in (one, other)]
    assert (values[0] == values[1]) is same


def test_an_absent_field_is_none():
    assert normalised(b"foo", Headers()) is None


@pytest.mark.parametrize(
    ("names", "stored", "asked", "match"),
    [
        pytest.param([b"foo"], [(b"Foo", b"1")], [(b"foo", b"1")], True, id="the same value"),
        pytest.param([b"foo"], [(b"Foo", b"1")], [(b"Foo", b"2")], False, id="another value"),
        pytest.param([b"foo"], [], [(b"Foo", b"1")], False, id="the stored request had none"),
        pytest.param([b"foo"], [(b"Foo", b"1")], [], False, id="this request has none"),
        pytest.param([b"foo"], [], [], True, id="neither has one"),
        pytest.param([b"foo"], [(b"Foo", b"1"), (b"Bar", b"2")], [(b"Foo", b"1")], True, id="others do not count"),
        pytest.param([b"a", b"b"], [(b"A", b"1")], [(b"A", b"1")], True, id="one of two absent in both"),
        pytest.param([b"a", b"b"], [(b"A", b"1"), (b"B", b"2")], [(b"A", b"1"), (b"B", b"3")], False, id="one differs"),
        pytest.param([], [(b"Foo", b"1")], [(b"Foo", b"2")], True, id="no Vary"),
    ],
)
def test_fits(names, stored, asked, match):
    assert fits(selecting(names, asking(*stored)), asking(*asked)) is match


def test_selecting_is_what_a_stored_response_holds():
    assert selecting([b"a", b"b"], asking((b"A", b" 1,2"))) == ((b"a", b"1,2"), (b"b", None))


# A quote that never closes takes in what follows it, and closes when a second line brings another: no form is stable.
UNQUOTED = st.binary(max_size=20).map(lambda octets: octets.replace(b'"', b""))


@given(st.sampled_from([b"foo", b"accept-language", b"accept-encoding"]), st.lists(UNQUOTED, max_size=3))
@example(b"accept-language", [b"\0", b"\n"])
@example(b"accept-encoding", [b"\0", b";"])
def test_normalising_twice_changes_nothing(name, lines):
    once = normalised(name, Headers([(name, line) for line in lines]))
    if once is not None:
        assert normalised(name, Headers([(name, once)])) == once
