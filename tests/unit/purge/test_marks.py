import pytest

from proxy.message.selectors import EVERYTHING, IN_FORCE, PURGED, Standing
from proxy.purge.marks import Marks, judge

AT = 1_790_000_000_000_000  # microseconds


@pytest.mark.parametrize(
    ("hard", "soft", "s0", "floor", "standing"),
    [
        pytest.param({}, {}, AT, 0, IN_FORCE, id="nothing was purged"),
        pytest.param({"tag:a": AT + 1}, {}, AT, 0, PURGED, id="purged after its fetch began"),
        pytest.param({"tag:a": AT}, {}, AT, 0, IN_FORCE, id="purged just before its fetch began"),
        pytest.param({"tag:b": AT + 1}, {}, AT, 0, IN_FORCE, id="another selector was purged"),
        pytest.param({"tag:a": AT - 5, "user:1": AT + 5}, {}, AT, 0, PURGED, id="one of its selectors is enough"),
        pytest.param({EVERYTHING: AT + 1}, {}, AT, 0, PURGED, id="everything was purged"),
        pytest.param({}, {"tag:a": AT + 1}, AT, 0, Standing(soft_since=(AT + 1) / 1e6), id="softly purged"),
        pytest.param({}, {EVERYTHING: AT + 1}, AT, 0, Standing(soft_since=(AT + 1) / 1e6), id="everything softly"),
        pytest.param(
            {},
            {"tag:a": AT + 9, "user:1": AT + 4},
            AT,
            0,
            Standing(soft_since=(AT + 4) / 1e6),
            id="stale since the earliest",
        ),
        pytest.param({"user:1": AT + 1}, {"tag:a": AT + 2}, AT, 0, PURGED, id="hard counts before soft"),
        pytest.param({}, {}, AT, AT, IN_FORCE, id="at the floor"),
        pytest.param({}, {}, AT, AT + 1, PURGED, id="below the floor: what purged it may be forgotten"),
    ],
)
def test_judging(hard, soft, s0, floor, standing):
    assert judge(hard, soft, ("tag:a", "user:1"), s0, floor) == standing


@pytest.mark.parametrize(
    ("hard", "soft", "floor", "last"),
    [
        pytest.param({}, {}, 0, 0, id="never"),
        pytest.param({"tag:a": 5}, {"tag:b": 9}, 0, 5, id="hard"),
        pytest.param({"tag:a": 5}, {"tag:a": 7}, 0, 7, id="softly since"),
        pytest.param({"tag:a": 5}, {}, 6, 6, id="perhaps since, and forgotten"),
    ],
)
def test_when_a_selector_was_last_purged(hard, soft, floor, last):
    assert Marks(10, floor, hard, soft).last("tag:a") == last


def test_an_older_purge_that_arrives_late_changes_nothing():
    marks = Marks(10)
    marks.purge(["tag:a"], 5, soft=False)
    marks.purge(["tag:a"], 3, soft=False)

    assert marks.judge(["tag:a"], 4) == PURGED
    assert marks.judge(["tag:a"], 5) == IN_FORCE


def test_beyond_the_bound_the_oldest_are_forgotten_and_what_is_as_old_counts_as_purged():
    marks = Marks(3)
    for n, (selector, soft) in enumerate([("a", False), ("b", True), ("a", False), ("c", False), ("d", True)], start=1):
        marks.purge([selector], n, soft=soft)

    assert len(marks) == 3  # b's soft purge at 2 was the oldest: a was purged again at 3
    assert marks.floor == 2
    assert marks.judge(["z"], 1) == PURGED
    assert marks.judge(["z"], 2) == IN_FORCE
    assert marks.judge(["a"], 2) == PURGED
    assert marks.judge(["d"], 4) == Standing(soft_since=5e-6)


def test_purging_again_makes_a_selector_the_youngest():
    marks = Marks(2)
    for n, selector in enumerate("abac", start=1):
        marks.purge([selector], n, soft=False)

    assert marks.missing_from({}, 0, 9, soft=False) == ("a", "c")
    assert marks.floor == 2


def test_what_others_lack_of_what_is_known_here():
    marks = Marks(10)
    marks.purge(["a", "b"], 1, soft=False)
    marks.purge(["b", "c"], 2, soft=False)
    marks.purge(["d"], 3, soft=True)

    assert marks.missing_from({"a": 1, "b": 1}, 0, 9, soft=False) == ("b", "c")
    assert marks.missing_from({"a": 1, "b": 5}, 0, 9, soft=False) == ("c",)
    assert marks.missing_from({}, 1, 9, soft=False) == ("b", "c")
    assert marks.missing_from({}, 0, 1, soft=False) == ("a",)
    assert marks.missing_from({}, 0, 9, soft=True) == ("d",)


def test_taking_over_what_others_know_beyond():
    marks, others = Marks(10, 3, {"a": 4, "b": 9}, {}), Marks(10, 5, {"a": 6, "b": 7}, {"c": 8})
    marks.take_over(others)

    assert marks.floor == 5
    assert marks.missing_from({}, 0, 99, soft=False) == ("b", "a")
    assert marks.judge(["a"], 5) == PURGED
    assert marks.judge(["a"], 6) == IN_FORCE
    assert marks.judge(["c"], 7) == Standing(soft_since=8e-6)
