import copy

import orjson
import pytest
from counting import ONE_OF_EACH, counted

from proxy.observe.checks import LONGEST_NAME
from proxy.observe.counters import MOST_ROUTES, OVERFLOW, Counters
from proxy.observe.events import (
    BreakerMoved,
    LifetimeAdapted,
    OriginAnswered,
    Outcome,
    RequestServed,
    StoreAnswered,
)
from proxy.observe.snapshots import MOST_ROWS, counters_of, snapshot

EVENTS = [
    *ONE_OF_EACH,
    RequestServed("none", Outcome.ERROR, "GET", "/x", 0, 31.0, 0, "id", "::1"),
    OriginAnswered("plan", 0, 2.0, "timeout"),
    StoreAnswered("save", 0.002, "reply"),
    LifetimeAdapted("other", "", "cold"),
]


@pytest.fixture
def counters():
    return counted(*EVENTS, at=1000.5)


def facts(value):
    """Return counters and what they are made of as something that can be compared."""
    if isinstance(value, dict):
        return {key: facts(item) for key, item in value.items()}
    if hasattr(value, "__slots__"):
        return {name: facts(getattr(value, name)) for name in value.__slots__}
    return value


def everything(counters):
    return {name: facts(value) for name, value in vars(counters).items() if not name.startswith("_")}


def test_a_snapshot_travels_as_json_and_says_everything(counters):
    document = orjson.loads(orjson.dumps(snapshot(counters)))
    assert everything(counters_of(document)) == everything(counters)


def test_every_counter_is_in_a_snapshot(counters):
    """Who adds a counter adds it here and to the sums as well."""
    counted_twice = {"operations", "failures"}
    names = {name for name in vars(counters) if not name.startswith("_")} - counted_twice | {"operations"}
    assert set(snapshot(counters)) == names


def test_a_snapshot_is_a_copy(counters):
    taken = snapshot(counters)
    before = copy.deepcopy(taken)
    for event in EVENTS:
        counters.tell(event)
    counters.tell(BreakerMoved(is_open=True))
    assert taken == before


def test_a_snapshot_of_nothing_is_one():
    assert everything(counters_of(snapshot(Counters(lambda: 0.0)))) == everything(Counters(lambda: 0.0))


def changed(document, path, value):
    *way, last = path
    place = document
    for step in way:
        place = place[step]
    place[last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param(("served",), None, id="no list of rows"),
        pytest.param(("served",), {}, id="an object for a list of rows"),
        pytest.param(("served",), [["x"] * 8] * (MOST_ROWS + 1), id="more rows than anybody has"),
        pytest.param(("served", 0), ["plan"], id="a row that is too short"),
        pytest.param(("served", 0), 5, id="a row that is none"),
        pytest.param(("served", 0, 0), 5, id="a route that is no name"),
        pytest.param(("served", 0, 0), "x" * (LONGEST_NAME + 1), id="a name that is too long"),
        pytest.param(("served", 0, 2), "guessed", id="an outcome of another version"),
        pytest.param(("served", 0, 2), ["miss"], id="an outcome that is a list"),
        pytest.param(("served", 0, 3), [0], id="too few classes"),
        pytest.param(("served", 0, 3, 2), -1, id="a negative count"),
        pytest.param(("served", 0, 3, 2), 1.5, id="half a request"),
        pytest.param(("served", 0, 3, 2), True, id="a boolean for a count"),
        pytest.param(("served", 0, 4), [0] * 15, id="too few buckets"),
        pytest.param(("served", 0, 5), float("nan"), id="a time that is none"),
        pytest.param(("served", 0, 5), float("inf"), id="for ever"),
        pytest.param(("served", 0, 6), "1", id="text for an amount"),
        pytest.param(("upstream_timing",), [], id="no timing"),
        pytest.param(("upstream_timing",), None, id="null for a timing"),
        pytest.param(("upstream_answers",), 1, id="a number for yes"),
        pytest.param(("operations", 0, 3), None, id="no failures"),
        pytest.param(("store",), [True], id="too few states"),
        pytest.param(("store", 0), 1, id="a state that is a number"),
        pytest.param(("kept", 0, 3), "many", id="text for bytes"),
        pytest.param(("purges", 0, 1), None, id="no mode"),
    ],
)
def test_what_is_not_exactly_a_snapshot_is_refused(counters, path, value):
    with pytest.raises(ValueError, match=r"expected|snapshot|valid Outcome|values to unpack"):
        counters_of(changed(snapshot(counters), path, value))


@pytest.mark.parametrize("document", [None, [], "x", 5, {}, {"served": []}])
def test_what_is_no_snapshot_at_all_is_refused(document):
    with pytest.raises(ValueError, match="not a snapshot"):
        counters_of(document)


def test_names_of_a_snapshot_are_bounded_as_everywhere(counters):
    document = snapshot(counters)
    (row,) = document["upstream"]
    document["upstream"] = [[f"r{number}", row[1]] for number in range(MOST_ROUTES + 5)]
    read = counters_of(document)
    assert OVERFLOW in read.upstream
    assert len(read.upstream) <= MOST_ROUTES + 1
