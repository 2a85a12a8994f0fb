"""What comes back from Redis is a proposal: small, of one shape, without a credential, or nothing."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.message.headers import Headers
from proxy.popularity.recipes import Recipe
from proxy.popularity.records import MOST_BYTES, MOST_FIELDS, Record, packed, unpacked

RECIPE = Recipe(b"/plans/7?zip=7&q=\xc3", b"api.example:8080", b"https", Headers([(b"Accept-Language", b"de, \xe9n")]))
SELECTORS = ("all", "route:plan", "path:/plans/\udcff", "tag:plans")
GOOD = {
    "target": "/plans/7",
    "authority": "api.example",
    "scheme": "https",
    "headers": [["accept-language", "de"]],
    "selectors": ["all", "route:plan"],
}


def test_a_record_survives_the_way_there_and_back():
    assert unpacked(packed(RECIPE, SELECTORS)) == Record(RECIPE, SELECTORS)


def test_the_good_one_is_good():
    assert unpacked(orjson.dumps(GOOD)) is not None
    assert unpacked(orjson.dumps({**GOOD, "authority": ""})) is not None


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"target": "plans/7"}, id="no path"),
        pytest.param({"target": "/plans/7 HTTP/1.1\r\nHost: evil"}, id="a second line"),
        pytest.param({"target": "/plans/\x00"}, id="NUL"),
        pytest.param({"target": "/plans/\u20ac"}, id="beyond octets"),
        pytest.param({"target": 7}, id="a number as target"),
        pytest.param({"target": "/plans/7?access_token=x"}, id="a token in the query"),
        pytest.param({"target": "/plans/7?a=1&api%5Fkey=x"}, id="a key in the query, escaped"),
        pytest.param({"authority": "api.example/../x"}, id="an authority with a path"),
        pytest.param({"authority": "API.example"}, id="an authority that no front hands on"),
        pytest.param({"authority": "api.example:99999"}, id="a port that is none"),
        pytest.param({"scheme": "file"}, id="another scheme"),
        pytest.param({"headers": {"accept": "x"}}, id="headers as an object"),
        pytest.param({"headers": [["accept"]]}, id="half a field"),
        pytest.param({"headers": [["accept", "a\r\nX-Admin: 1"]]}, id="a field that smuggles another"),
        pytest.param({"headers": [["a b", "x"]]}, id="a name that is none"),
        pytest.param({"headers": [["accept", 1]]}, id="a value that is no text"),
        pytest.param({"headers": [["Authorization", "Bearer x"]]}, id="a credential"),
        pytest.param({"headers": [["x-my-token", "x"]]}, id="a field called like a credential"),
        pytest.param({"headers": [["accept", "x"]] * (MOST_FIELDS + 1)}, id="too many fields"),
        pytest.param({"selectors": "all"}, id="selectors as text"),
        pytest.param({"selectors": [1]}, id="a selector that is no text"),
        pytest.param({"selectors": ["\u20ac"]}, id="a selector beyond octets"),
        pytest.param({"more": 1}, id="a key too many"),
    ],
)
def test_what_is_not_as_written_is_nothing(change):
    assert unpacked(orjson.dumps({**GOOD, **change})) is None


@pytest.mark.parametrize("name", list(GOOD))
def test_what_lacks_something_is_nothing(name):
    assert unpacked(orjson.dumps({key: value for key, value in GOOD.items() if key != name})) is None
    assert unpacked(orjson.dumps({**{key: value for key, value in GOOD.items() if key != name}, "x": 1})) is None


@pytest.mark.parametrize("octets", [b"", b"null", b"[]", b"{", b"\x80\x04K\x01.", b"[" * 3000, b"1e999999"])
def test_what_is_no_record_is_nothing(octets):
    assert unpacked(octets) is None


@given(st.binary(max_size=200))
def test_no_octets_make_it_raise(octets):
    assert unpacked(octets) is None


def test_what_is_large_is_neither_written_nor_read():
    large = Recipe(b"/" + b"a" * MOST_BYTES, b"a", b"http", Headers())
    assert packed(large, ()) is None
    assert unpacked(orjson.dumps({**GOOD, "target": "/" + "a" * MOST_BYTES})) is None
