"""Where in a list the backend's items are."""

from __future__ import annotations

import pytest

from proxy.warming.items import LONGEST_VALUE, ItemPath

PLANS = {"items": [{"id": 4, "name": "a"}, {"id": "5"}, {"id": 4}, {"name": "c"}, 7, {"id": None}], "total": 3}


@pytest.mark.parametrize(
    ("path", "document", "values"),
    [
        pytest.param("items[].id", PLANS, ["4", "5"], id="each once, numbers as text"),
        pytest.param("[]", ["a", "b", "a"], ["a", "b"], id="a bare list"),
        pytest.param("[].id", [{"id": 1}], ["1"], id="a list of objects"),
        pytest.param("data.plans[].key", {"data": {"plans": [{"key": "x"}]}}, ["x"], id="deep"),
        pytest.param("pages[].items[].id", {"pages": [PLANS, PLANS]}, ["4", "5"], id="lists of lists"),
        pytest.param("[][]", [["a"], ["b"]], ["a", "b"], id="two lists"),
        pytest.param("items[].id", {"items": {"id": 1}}, [], id="no list where one is expected"),
        pytest.param("items[].id", [1, 2], [], id="a list where an object is expected"),
        pytest.param("items[]", {"items": [True, False, 1.5, {}, [], "", "x" * (LONGEST_VALUE + 1), 0]}, ["0"], id="no values"),
        pytest.param("größe[]", {"größe": ["x"]}, ["x"], id="any name"),
    ],
)  # fmt: skip
def test_what_it_leads_to(path, document, values):
    assert ItemPath.parse(path).values(document) == values


@pytest.mark.parametrize(
    "text", ["", "items", "items.id", "items[", "items[0].id", ".items[]", "items[]id", "items..id[]", "[].", "[ ]"]
)
def test_what_is_no_path(text):
    with pytest.raises(ValueError, match=r'expected a path to the items like "items\[\]\.id"'):
        ItemPath.parse(text)
