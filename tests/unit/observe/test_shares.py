import orjson
import pytest

from proxy.observe.checks import LONGEST_NAME
from proxy.observe.shares import MOST_PLACES, Counted, Letter, Share, packed, together, unpacked
from proxy.observe.totals import Totals

SHARE = Share(
    1000.0,
    {
        ("plan", "plans"): Counted(Totals(hits=5, stored=1, stored_ttl=60.5, seconds_saved=0.25), 1010.0),
        ("catalog", "plans"): Counted(Totals(misses=2), 1020.0),
        ("none", ""): Counted(Totals(bypass=7), 1005.0),
    },
)
LETTER = Letter(1030.0, 990.0, SHARE)


def test_a_letter_says_what_was_put_into_it():
    assert unpacked(packed(LETTER)) == LETTER


def test_shares_are_added_up_place_by_place_from_the_earliest_beginning():
    other = Share(900.0, {("plan", "plans"): Counted(Totals(hits=1, misses=1), 1000.0), ("new", ""): Counted()})
    whole = together((SHARE, other))
    assert whole.since == 900.0
    assert whole.places["plan", "plans"] == Counted(
        Totals(hits=6, misses=1, stored=1, stored_ttl=60.5, seconds_saved=0.25), 1010.0
    )
    assert whole.total.bypass == 7
    assert set(whole.places) == {*SHARE.places, ("new", "")}


def test_sums_by_route_and_by_namespace_leave_out_what_has_no_name():
    assert list(SHARE.by(0)) == ["catalog", "none", "plan"]
    assert SHARE.by(1) == {
        "plans": Counted(Totals(hits=5, misses=2, stored=1, stored_ttl=60.5, seconds_saved=0.25), 1020.0)
    }


def _broken():
    version, names, at, reset, since, rows = orjson.loads(packed(LETTER))
    row = rows[0]
    yield pytest.param(b"", id="nothing")
    yield pytest.param(b"{", id="no JSON")
    yield pytest.param(b"7", id="a number")
    yield pytest.param(orjson.dumps([version, names, at, reset, since]), id="without rows")
    for value, name in (
        ([version + 1, names, at, reset, since, rows], "the next version"),
        ([version, names[:-1], at, reset, since, rows], "a counter fewer"),
        ([version, names, "now", reset, since, rows], "a time in words"),
        ([version, names, -1.0, reset, since, rows], "before time"),
        ([version, names, at, reset, since, {"a": 1}], "rows that are none"),
        ([version, names, at, reset, since, [row] * (MOST_PLACES + 1)], "too many rows"),
        ([version, names, at, reset, since, [row[:-1]]], "a value fewer"),
        ([version, names, at, reset, since, [["r" * (LONGEST_NAME + 1), *row[1:]]]], "a name without end"),
        ([version, names, at, reset, since, [[7, *row[1:]]]], "a name that is a number"),
        ([version, names, at, reset, since, [[*row[:3], -1, *row[4:]]]], "a negative count"),
        ([version, names, at, reset, since, [[*row[:3], True, *row[4:]]]], "a count that is true"),
        ([version, names, at, reset, since, [[*row[:3], 1.5, *row[4:]]]], "half a request"),
    ):
        yield pytest.param(orjson.dumps(value), id=name)


@pytest.mark.parametrize("octets", list(_broken()))
def test_what_is_no_letter_is_refused(octets):
    with pytest.raises(ValueError, match=r"."):
        unpacked(octets)
