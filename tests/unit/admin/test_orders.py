import pytest
from admincontrol import BOOK, OPEN_BOOK
from hypothesis import given
from hypothesis import strategies as st

from proxy.admin import orders
from proxy.admin.orders import LONGEST, PurgeOrder
from proxy.admin.problems import Problem
from proxy.purge.options import PurgeOptions

LIMITS = PurgeOptions(max_selectors_per_call=100)


def read_order(document, book, limits=LIMITS):
    return orders.read_order(document, book, limits)


@pytest.mark.parametrize(
    ("document", "selectors"),
    [
        pytest.param({"tags": ["plans", "zip:78701"]}, ("tag:plans", "tag:zip:78701"), id="tags"),
        pytest.param({"keys": ["plans:v1:7"]}, ("key:plans:v1:7",), id="logical keys"),
        pytest.param({"users": ["7"]}, ("user:7",), id="users"),
        pytest.param({"namespaces": ["plans"]}, ("ns:plans",), id="namespaces"),
        pytest.param({"routes": ["plan"]}, ("route:plan",), id="routes"),
        pytest.param({"paths": ["/plans/7"]}, ("path:/plans/7",), id="paths"),
        pytest.param({"patterns": ["plans:*:7", "plans:*"]}, ("pattern:plans:*:7", "pattern:plans:*"), id="patterns"),
        pytest.param({"urls": ["/plans/catalog?zip=1&utm=x&page=2"]}, ("url:/plans/catalog?page=2&zip=1", "url:/plans/catalog"), id="a URL in the form of each route that serves it"),
        pytest.param({"urls": ["/plans/7"]}, ("url:/plans/7",), id="a URL without a query"),
        pytest.param({"urls": ["https://api/plans/catalog?*"]}, ("path:/plans/catalog",), id="every query"),
        pytest.param({"urls": ["/elsewhere", "/plans/7"]}, ("url:/plans/7",), id="one URL that nothing is stored for"),
        pytest.param({"all": True}, ("all",), id="everything"),
        pytest.param({"all": False, "tags": ["a"]}, ("tag:a",), id="all: false is no order"),
        pytest.param({"tags": ["a", "b", "a"]}, ("tag:a", "tag:b"), id="once each"),
        pytest.param({"tags": ["ä\x00 \n"]}, ("tag:ä\x00 \n",), id="names are text, whatever they hold"),
    ],
)  # fmt: skip
def test_each_list_becomes_selectors(document, selectors):
    assert read_order(document, BOOK) == PurgeOrder(selectors)


def test_mode_and_wait():
    order = read_order({"tags": ["a"], "mode": "soft", "wait": "500ms"}, BOOK)
    assert (order.soft, order.wait) == (True, 0.5)
    assert read_order({"tags": ["a"], "mode": "hard", "wait": "60s"}, BOOK).wait == 60.0


def test_refresh_and_dry_run():
    order = read_order({"tags": ["a"], "refresh": 20, "dry_run": True}, BOOK)
    assert (order.refresh, order.dry_run) == (20, True)
    order = read_order({"tags": ["a"], "refresh": 0, "dry_run": False}, BOOK)
    assert (order.refresh, order.dry_run) == (0, False)


def test_under_the_implicit_route_every_url_has_a_selector():
    assert read_order({"urls": ["/x?b=1&a=2"]}, OPEN_BOOK).selectors == ("url:/x?b=1&a=2",)


@pytest.mark.parametrize(
    ("document", "where", "what"),
    [
        pytest.param([], "body", "expected an object, got a list", id="no object"),
        pytest.param({}, "body", "nothing to purge: give at least one of tags", id="empty"),
        pytest.param({"tags": []}, "body", "nothing to purge", id="an empty list"),
        pytest.param({"mode": "soft"}, "body", "nothing to purge", id="only a mode"),
        pytest.param(
            {"urls": ["/elsewhere"]}, "body", "no route serves these urls", id="a URL that nothing is stored for"
        ),
        pytest.param({"tag": ["a"]}, "tag", "did you mean tags?", id="a name nearly right"),
        pytest.param({"zzz": 1}, "zzz", "unknown; known: tags, keys", id="a name nobody knows"),
        pytest.param({"tags": "a"}, "tags", 'expected a list of strings, got "a"', id="text for a list"),
        pytest.param({"tags": None}, "tags", "expected a list of strings, got null", id="null for a list"),
        pytest.param({"tags": ["a", 5]}, "tags[1]", "expected text, got a number", id="a number in a list"),
        pytest.param({"tags": [""]}, "tags[0]", "expected text, got empty text", id="empty text"),
        pytest.param({"tags": [["a"]]}, "tags[0]", "expected text, got a list", id="a list in a list"),
        pytest.param({"tags": ["a" * (LONGEST + 1)]}, "tags[0]", "at most 8192 characters", id="too long"),
        pytest.param({"tags": ["\ud800"]}, "tags[0]", "half of a surrogate pair", id="half a character"),
        pytest.param({"paths": ["/a?b"]}, "paths[0]", "without a query", id="a path with a query"),
        pytest.param({"paths": ["a"]}, "paths[0]", "expected a URL", id="a path without its slash"),
        pytest.param({"urls": ["/a#b"]}, "urls[0]", "fragment", id="a fragment"),
        pytest.param(
            {"all": True, "refresh": "20"}, "refresh", 'expected a whole number, got "20"', id="refresh as text"
        ),
        pytest.param(
            {"all": True, "refresh": True}, "refresh", "a whole number, got true", id="refresh without a number"
        ),
        pytest.param({"all": True, "refresh": -1}, "refresh", "from 0 to 1000", id="fewer than none"),
        pytest.param({"all": True, "refresh": 1001}, "refresh", "from 0 to 1000", id="too many to refresh"),
        pytest.param({"all": True, "dry_run": 1}, "dry_run", "expected true, got a number", id="a dry run as a number"),
        pytest.param({"all": "yes"}, "all", 'expected true, got "yes"', id="all as text"),
        pytest.param({"all": 1}, "all", "expected true, got a number", id="all as a number"),
        pytest.param(
            {"tags": ["a"], "mode": "SOFT"}, "mode", 'expected "hard" or "soft", got "SOFT"', id="an unknown mode"
        ),
        pytest.param({"tags": ["a"], "mode": ["soft"]}, "mode", "got a list", id="a mode that is no text"),
        pytest.param({"tags": ["a"], "wait": 2}, "wait", "got a number", id="a wait without a unit"),
        pytest.param({"tags": ["a"], "wait": "2 s"}, "wait", 'expected a duration like "2s"', id="a wait with a space"),
        pytest.param({"tags": ["a"], "wait": "61s"}, "wait", 'at most "60s"', id="a wait too long"),
        pytest.param({"tags": ["a"], "wait": None}, "wait", "got null", id="no wait"),
        pytest.param({"patterns": ["*"]}, "patterns[0]", "too wide", id="a pattern of everything"),
        pytest.param({"patterns": ["a:7"]}, "patterns[0]", '"keys" takes', id="a pattern without a star"),
        pytest.param(
            {"patterns": ["a:" + "é*" * 90]}, "patterns[0]", "at most 256 bytes, got 272", id="a pattern too long"
        ),
        pytest.param(
            {"patterns": [f"a:*:{n}" for n in range(65)]}, "patterns", "at most 64, got 65", id="too many patterns"
        ),
        pytest.param({"tags": [f"{n}" for n in range(101)]}, "body", "send them in parts", id="too many"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_was_expected(document, where, what):
    with pytest.raises(Problem) as refused:
        read_order(document, BOOK)
    assert refused.value.status == 422
    assert "nothing was purged" in refused.value.detail
    (mistake,) = refused.value.members["mistakes"]
    assert mistake["where"] == where
    assert what in mistake["detail"]


def test_all_mistakes_are_named_at_once():
    with pytest.raises(Problem) as refused:
        read_order({"tagz": [], "tags": [1, 2], "mode": 1, "wait": "x", "dry_run": 1}, BOOK)
    assert [mistake["where"] for mistake in refused.value.members["mistakes"]] == [
        "tagz", "tags[0]", "tags[1]", "mode", "wait", "dry_run",
    ]  # fmt: skip
    assert refused.value.detail.endswith("and 3 more")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda below: (
        st.lists(below) | st.dictionaries(st.sampled_from(["tags", "urls", "all", "mode", "wait", "x"]), below)
    ),
    max_leaves=8,
)


@given(JSON)
def test_any_json_is_an_order_or_a_problem(document):
    try:
        outcome = read_order(document, BOOK)
    except Problem as refused:
        outcome = refused
    assert isinstance(outcome, Problem) or outcome.selectors
