from dataclasses import replace

import pytest

from proxy.message.selectors import EVERYTHING, IN_FORCE, PURGED, Seq, Standing
from proxy.purge.mirror import Followed, Lost, Mirror
from proxy.purge.records import Logged, Snapshot, Tail


def seq(n, epoch="one"):
    return Seq(epoch, n)


@pytest.fixture
def mirror():
    mirror = Mirror(100)
    mirror.reload(Snapshot(seq(10), 2, {"tag:old": 5}, {"tag:soft": 6}))
    return mirror


def logged(n, before, *selectors, soft=False):
    return Logged(n, before, soft, selectors)


def test_a_mirror_that_has_read_nothing_knows_nothing():
    assert Mirror(10).standing(["tag:a"], seq(1), seq(1)) is None


@pytest.mark.parametrize(
    ("s0", "at", "standing"),
    [
        pytest.param(seq(7), seq(10), IN_FORCE, id="in force"),
        pytest.param(seq(4), seq(10), PURGED, id="purged"),
        pytest.param(seq(5), seq(10), Standing(soft_since=6e-6), id="softly purged"),
        pytest.param(seq(1), seq(10), PURGED, id="below the floor"),
        pytest.param(seq(7), seq(8), IN_FORCE, id="read a moment ago, known since"),
        pytest.param(seq(7), seq(11), None, id="read beyond what is known"),
        pytest.param(seq(7, "other"), seq(10), PURGED, id="fetched in another epoch"),
        pytest.param(seq(7), seq(3, "other"), None, id="read in an unknown epoch"),
    ],
)
def test_judging(mirror, s0, at, standing):
    assert mirror.standing(["tag:old", "tag:soft"], s0, at) == standing


def test_following_the_chain(mirror):
    tail = Tail(seq(15), (logged(12, 10, "tag:a"), logged(15, 12, "tag:b", soft=True)))

    assert mirror.follow(tail, mirror.known) is Followed.UP_TO_DATE
    assert mirror.seq == seq(15)
    assert mirror.standing(["tag:a"], seq(11), seq(15)) == PURGED
    assert mirror.standing(["tag:b"], seq(11), seq(15)) == Standing(soft_since=15e-6)


@pytest.mark.parametrize(
    ("tail", "followed"),
    [
        pytest.param(Tail(seq(10), ()), Followed.UP_TO_DATE, id="nothing new"),
        pytest.param(
            Tail(seq(15), (logged(9, 8, "a"), logged(15, 10, "b"))), Followed.UP_TO_DATE, id="one known already"
        ),
        pytest.param(Tail(seq(15), (logged(15, 12, "tag:b"),)), Followed.BROKEN, id="the log was trimmed in between"),
        pytest.param(Tail(seq(15), ()), Followed.BROKEN, id="the log is gone"),
        pytest.param(Tail(seq(15), (logged(12, 10, "tag:b"),)), Followed.BROKEN, id="the last purge was not logged"),
        pytest.param(Tail(seq(15, "two"), ()), Followed.BROKEN, id="another epoch"),
        pytest.param(Tail(seq(9), ()), Followed.BEHIND, id="the ledger went backwards"),
    ],
)
def test_what_a_look_at_the_log_comes_to(mirror, tail, followed):
    assert mirror.follow(tail, mirror.known) is followed


def test_a_mirror_that_has_read_nothing_reads_everything():
    assert Mirror(10).follow(Tail(seq(10), ()), 0) is Followed.BROKEN


def test_an_answer_older_than_our_own_purge_is_no_ledger_that_went_backwards(mirror):
    known_when_asked = mirror.known
    mirror.learn(["tag:a"], seq(20), 10, soft=False)

    assert mirror.follow(Tail(seq(10), ()), known_when_asked) is Followed.UP_TO_DATE
    assert mirror.seq == seq(20)


def test_our_own_purge_moves_on_only_if_nothing_lies_between(mirror):
    mirror.learn(["tag:a"], seq(20), 15, soft=False)
    assert mirror.seq == seq(10)
    assert mirror.standing(["tag:a"], seq(10), seq(10)) == PURGED  # but it is known

    missing = Tail(seq(20), (logged(15, 10, "tag:b"), logged(20, 15, "tag:a")))
    assert mirror.follow(missing, mirror.known) is Followed.UP_TO_DATE
    assert mirror.standing(["tag:b"], seq(14), seq(20)) == PURGED


def test_a_purge_that_a_failover_lost_is_noticed_though_the_chain_never_reached_it(mirror):
    mirror.learn(["tag:a"], seq(20), 15, soft=False)

    assert mirror.follow(Tail(seq(12), (logged(12, 10, "x"),)), mirror.known) is Followed.BEHIND
    snapshot = Snapshot(seq(12), 2, {"tag:old": 5, "x": 12}, {"tag:soft": 6})
    assert mirror.lost(snapshot, mirror.known) == Lost(("tag:a",), went_back=True)


def test_a_purge_that_a_failover_lost_is_noticed_though_the_ledger_purged_on_since(mirror):
    mirror.learn(["tag:a"], seq(20), 10, soft=False)
    mirror.learn(["tag:b"], seq(21), 20, soft=True)

    assert mirror.follow(Tail(seq(30), (logged(30, 10, "x"),)), mirror.known) is Followed.BROKEN
    snapshot = Snapshot(seq(30), 2, {"tag:old": 5, "x": 30}, {"tag:soft": 6})
    assert mirror.lost(snapshot, mirror.known) == Lost(("tag:a",), ("tag:b",))
    assert mirror.lost(replace(snapshot, floor=21), mirror.known) == Lost()


def test_a_purge_that_a_failover_lost_is_noticed_though_the_chain_is_whole_without_it(mirror):
    mirror.learn(["tag:a"], seq(20), 15, soft=False)

    assert mirror.follow(Tail(seq(30), (logged(15, 10, "x"), logged(30, 15, "x"))), mirror.known) is Followed.BROKEN
    snapshot = Snapshot(seq(30), 2, {"tag:old": 5, "x": 30}, {"tag:soft": 6})
    assert mirror.lost(snapshot, mirror.known) == Lost(("tag:a",))


def test_a_purge_lost_while_a_look_was_under_way_is_noticed(mirror):
    known_when_asked = mirror.known
    mirror.learn(["tag:a"], seq(20), 15, soft=False)

    assert mirror.follow(Tail(seq(30), (logged(30, 10, "x"),)), known_when_asked) is Followed.BROKEN
    assert mirror.lost(Snapshot(seq(30), 2, {"x": 30}, {"tag:soft": 6}), known_when_asked).hard == ("tag:old", "tag:a")


def test_answers_of_a_dead_server_and_of_the_promoted_one_may_arrive_the_other_way_round(mirror):
    mirror.learn(["tag:b"], seq(30), 10, soft=False)
    mirror.learn(["tag:a"], seq(20), 10, soft=False)

    assert mirror.follow(Tail(seq(30), ()), mirror.known) is Followed.BROKEN
    assert mirror.lost(Snapshot(seq(30), 2, {"tag:old": 5, "tag:b": 30}, {"tag:soft": 6}), mirror.known) == Lost(
        ("tag:a",)
    )


def test_an_answer_that_arrives_after_the_log_named_its_purge_is_no_loss(mirror):
    mirror.follow(Tail(seq(20), (logged(15, 10, "tag:a"), logged(20, 15, "tag:b"))), mirror.known)
    mirror.learn(["tag:a"], seq(15), 10, soft=False)

    assert mirror.follow(Tail(seq(20), ()), mirror.known) is Followed.UP_TO_DATE


def test_what_is_purged_while_the_whole_ledger_is_read_is_neither_lost_nor_forgotten(mirror):
    known_when_asked = mirror.known
    mirror.learn(["tag:a"], seq(20), 15, soft=False)

    snapshot = Snapshot(seq(15), 2, {"tag:old": 5, "x": 15}, {"tag:soft": 6})
    assert mirror.lost(snapshot, known_when_asked) == Lost()
    mirror.reload(snapshot)
    assert mirror.seq == seq(15)
    assert mirror.standing(["tag:a"], seq(15), seq(15)) == PURGED
    assert mirror.follow(Tail(seq(20), (logged(20, 15, "tag:a"),)), mirror.known) is Followed.UP_TO_DATE


def test_a_ledger_that_had_ended_and_is_back_has_lost_everything_since(mirror):
    mirror.reload(Snapshot(seq(30, "two"), 0, {}, {}))

    assert mirror.lost(Snapshot(seq(40, "three"), 0, {}, {}), 30) == Lost()
    back = Snapshot(seq(10, "one"), 0, {}, {})
    assert mirror.lost(back, 30) == Lost((EVERYTHING,))
    assert mirror.standing([], seq(9, "one"), seq(10, "one")) == PURGED
    mirror.go_back_to("one")
    assert mirror.lost(back, 30) == Lost()
    assert mirror.standing([], seq(9, "one"), seq(10, "one")) is None


def test_another_epoch_purges_everything_before_it(mirror):
    mirror.reload(Snapshot(seq(3, "two"), 0, {}, {}))

    assert mirror.standing([], seq(7), seq(3, "two")) == PURGED
    assert mirror.standing([], seq(3, "two"), seq(10)) == PURGED  # read before the change, judged after
    assert mirror.standing([], seq(3, "two"), seq(3, "two")) == IN_FORCE
    assert mirror.known == 3


def test_our_own_purge_of_another_epoch_is_left_to_the_reload(mirror):
    mirror.learn(["tag:a"], seq(11, "two"), 10, soft=False)

    assert mirror.seq == seq(10)
    assert mirror.standing(["tag:a"], seq(10), seq(10)) == IN_FORCE


def test_epochs_left_behind_are_remembered_within_bounds(mirror):
    for number in range(100):
        mirror.leave_behind(f"e{number}")
        mirror.leave_behind(f"e{number}")

    assert mirror.has_seen(seq(1, "e99"))
    assert not mirror.has_seen(seq(1, "e0"))


def test_each_purge_is_told_once_whoever_made_it(mirror):
    heard = []
    mirror.heard = lambda names, at: heard.append((names, at))
    mirror.learn(["tag:own"], seq(12), 10, soft=False)
    mirror.follow(Tail(seq(15), (logged(12, 10, "tag:own"), logged(15, 12, "tag:theirs", soft=True))), mirror.known)
    mirror.follow(Tail(seq(15), (logged(15, 12, "tag:theirs", soft=True),)), mirror.known)
    assert heard == [(("tag:own",), seq(12)), (("tag:theirs",), seq(15))]
