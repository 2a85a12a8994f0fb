import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.policy.queries import canonical, first_value, joined, name_of

QUERIES = st.lists(
    st.tuples(
        st.sampled_from([b"a", b"b", b"%61", b"a+b", b"a%20b", b""]), st.sampled_from([b"", b"=", b"=1", b"=%31"])
    ),
    max_size=6,
).map(lambda pairs: b"&".join(name + rest for name, rest in pairs))


@pytest.mark.parametrize(
    ("query", "keyed", "expected"),
    [
        pytest.param(None, None, b"", id="no query"),
        pytest.param(b"", None, b"", id="an empty query"),
        pytest.param(b"b=2&a=1", None, b"a=1&b=2", id="sorted by name"),
        pytest.param(b"a=2&b=0&a=1", None, b"a=2&a=1&b=0", id="order among equal names kept"),
        pytest.param(b"b=1&%61=2&a=3", None, b"%61=2&a=3&b=1", id="names compared decoded, sent as they were"),
        pytest.param(b"utm=x&a=1", (b"a",), b"a=1", id="what is not keyed is dropped"),
        pytest.param(b"utm=x&a=1", (), b"", id="nothing is keyed"),
        pytest.param(b"%7Aip=1", (b"zip",), b"%7Aip=1", id="an escaped name is keyed"),
        pytest.param(b"a+b=1", (b"a b",), b"a+b=1", id="a plus is a space in a name"),
        pytest.param(b"a%2Bb=1", (b"a b",), b"", id="an escaped plus is not"),
        pytest.param(b"a=1%202+3", None, b"a=1%202+3", id="values stay raw"),
        pytest.param(b"flag&a", (b"flag",), b"flag", id="a name without a value"),
        pytest.param(b"&&a=1&", None, b"a=1", id="empty pairs mean nothing"),
        pytest.param(b"utm=1;a=2", (b"a",), b"", id="a semicolon does not separate"),
        pytest.param(b"a=\xc3\xa9", (b"a",), b"a=\xc3\xa9", id="raw octets"),
        pytest.param(b"a=b=c?d", None, b"a=b=c?d", id="separators in a value"),
    ],
)
def test_the_keyed_form(query, keyed, expected):
    assert canonical(query, keyed) == expected


@given(QUERIES)
def test_the_keyed_form_is_its_own_keyed_form(query):
    assert canonical(canonical(query, None), None) == canonical(query, None)


@given(QUERIES, QUERIES)
def test_the_keyed_form_says_what_each_name_s_values_are(one, other):
    def said(query):
        values = {}
        for piece in filter(None, query.split(b"&")):
            values.setdefault(name_of(piece), []).append(piece)
        return values

    assert (canonical(one, None) == canonical(other, None)) == (said(one) == said(other))


@pytest.mark.parametrize(
    ("query", "name", "expected"),
    [
        pytest.param(b"a=1&b=2", "b", "2", id="there"),
        pytest.param(b"a=1&a=2", "a", "1", id="the first"),
        pytest.param(b"%61=x%20y", "a", "x%20y", id="an escaped name, a raw value"),
        pytest.param(b"a", "a", "", id="no value"),
        pytest.param(b"&a=1", "", None, id="an empty pair has no name"),
        pytest.param(b"a=1", "b", None, id="not there"),
        pytest.param(None, "b", None, id="no query"),
    ],
)
def test_the_value_of_a_name(query, name, expected):
    assert first_value(query, name) == expected


@pytest.mark.parametrize(("query", "expected"), [(b"a=1", b"/p?a=1"), (b"", b"/p"), (None, b"/p")])
def test_no_query_no_question_mark(query, expected):
    assert joined(b"/p", query) == expected
