import pytest

from proxy.message.selectors import IN_FORCE, PURGED, Standing
from proxy.purge.marks import KEPT_FOR, Marks
from proxy.purge.patterns import MOST, Patterns, widened
from proxy.purge.pending import Pending


@pytest.mark.parametrize(
    ("glob", "wide"),
    [("plans:*:7", "plans:*"), ("plans:*", "plans:*"), ("*", "*"), ("*:7", "*"), ("pl*:7", "*")],
)
def test_what_a_glob_becomes_when_the_list_is_full(glob, wide):
    assert widened(glob) == wide


def test_a_purge_hits_what_was_fetched_before_it_and_matches():
    patterns = Patterns()
    patterns.purge("plans:*:7", 10)

    assert patterns.after(9, "plans:v1:7") == [10]
    assert patterns.after(10, "plans:v1:7") == []
    assert patterns.after(9, "plans:v1:8") == []


def test_a_whole_namespace_takes_no_place_in_the_list():
    patterns = Patterns()
    for n in range(200):
        patterns.purge(f"space{n}:*", n + 1)

    assert len(patterns) == 0
    assert patterns.after(0, "space0:v1:x") == [1]
    assert patterns.after(1, "space0:v1:x") == []


def test_beyond_the_bound_the_oldest_becomes_a_purge_of_its_namespace_at_its_own_time():
    patterns = Patterns()
    patterns.purge("plans:*:7", 10)
    for n in range(MOST):
        patterns.purge(f"other:*:{n}", 20 + n)

    assert len(patterns) == MOST
    assert patterns.after(9, "plans:v1:7") == [10]
    assert patterns.after(9, "plans:v1:8") == [10], "wider than asked for"
    assert patterns.after(10, "plans:v1:8") == [], "but no younger"
    assert patterns.after(9, "more:v1:7") == []


def test_a_glob_of_no_namespace_becomes_one_of_everything():
    patterns = Patterns()
    patterns.purge("*:7", 10)
    for n in range(MOST):
        patterns.purge(f"other:*:{n}", 20 + n)

    assert patterns.after(9, "plans:v1:8") == [10]
    assert patterns.after(9, "no-colon") == [10]


def test_purging_again_keeps_one_place_and_the_later_time():
    patterns = Patterns()
    for n in range(MOST * 2):
        patterns.purge("plans:*:7", n + 1)

    assert len(patterns) == 1
    assert patterns.after(MOST * 2 - 1, "plans:v1:7") == [MOST * 2]


@pytest.mark.parametrize("soft", [False, True], ids=["hard", "soft"])
def test_marks_judge_by_patterns_too(soft):
    marks = Marks(100)
    marks.purge(["pattern:plans:*:7"], 10_000_000, soft=soft)
    hit = Standing(soft_since=10.0) if soft else PURGED

    assert marks.judge(["tag:a", "key:plans:v1:7"], 9_000_000) == hit
    assert marks.judge(["key:plans:v1:7"], 10_000_000) == IN_FORCE
    assert marks.judge(["key:plans:v1:8", "tag:plans:v1:7"], 9_000_000) == IN_FORCE


def test_the_earlier_of_two_soft_purges_counts():
    marks = Marks(100)
    marks.purge(["pattern:plans:*"], 10_000_000, soft=True)
    marks.purge(["tag:a"], 20_000_000, soft=True)

    assert marks.judge(["tag:a", "key:plans:v1:7"], 1) == Standing(soft_since=10.0)


def test_a_pattern_forgotten_by_age_or_number_leaves_the_list_and_the_floor_stands_for_it():
    marks = Marks(1)
    marks.purge(["pattern:plans:*:7"], 10, soft=False)
    marks.purge(["tag:a"], 20, soft=False)
    assert marks.judge(["key:plans:v1:8"], 9) == PURGED
    assert marks.judge(["key:plans:v1:7"], 10) == IN_FORCE
    assert len(marks._patterns[False]) == 0

    old = Marks(100)
    old.purge(["tag:old"], 10, soft=True)
    old.purge(["tag:new"], KEPT_FOR + 11, soft=False)
    assert (len(old), old.floor) == (1, 10)


def test_what_is_pending_judges_by_patterns_until_it_is_acknowledged():
    pending = Pending()
    narrow = pending.add(["pattern:plans:*:7"], soft=False, now=1.0)
    wide = pending.add(["pattern:users:*"], soft=True, now=5.0)

    assert pending.worsen(IN_FORCE, ["key:plans:v1:7"]) == PURGED
    assert pending.worsen(IN_FORCE, ["key:plans:v1:8", "tag:plans:v1:7"]) == IN_FORCE
    assert pending.worsen(IN_FORCE, ["key:users:v1:8"]) == Standing(soft_since=5.0)

    pending.acknowledge(narrow)
    pending.acknowledge(wide)
    assert pending.worsen(IN_FORCE, ["key:plans:v1:7", "key:users:v1:8"]) == IN_FORCE
    assert not pending._globs


def test_too_many_patterns_pending_are_kept_as_their_namespaces():
    pending = Pending()
    parcels = [pending.add([f"pattern:plans:*:{n}"], soft=False, now=1.0) for n in range(MOST + 2)]

    assert parcels[-1].hard == ("pattern:plans:*",)
    assert len(pending) == MOST + 1
    assert pending.worsen(IN_FORCE, ["key:plans:v1:zzz"]) == PURGED
    assert pending.worsen(IN_FORCE, ["key:users:v1:zzz"]) == IN_FORCE
