import pytest

from proxy.message.selectors import Seq
from proxy.purge.records import Replica, Roll
from proxy.purge.replicas import HEARTBEAT, Follower, Replicas, counted, followers, kept_for

PURGE = Seq("e", 5_000_000)


def roll(since=60.0, epoch="e", **live):
    return Roll(Seq(epoch, 9_000_000), 9.0, since, live)


SEEN, BEHIND = Replica(PURGE, 0.25), Replica(Seq("e", 4_999_999), 0.25)


@pytest.mark.parametrize(
    ("listed", "seen_here", "expected"),
    [
        pytest.param(roll(), True, Replicas(1, 1, 0.1, 4.0), id="alone"),
        pytest.param(roll(me=BEHIND), True, Replicas(1, 1, 0.1, 4.0), id="of oneself one knows better"),
        pytest.param(roll(me=SEEN), False, Replicas(1, 0, 0.1, 4.0), id="and not always to one's advantage"),
        pytest.param(roll(me=BEHIND, a=SEEN, b=SEEN), True, Replicas(3, 3, 0.25, 4.0), id="everybody"),
        pytest.param(roll(a=SEEN, b=BEHIND), True, Replicas(3, 2, 0.25, 4.0), id="one has not"),
        pytest.param(roll(a=Replica(None, 3.0)), True, Replicas(2, 1, 3.0, 4.0), id="one never says"),
        pytest.param(roll(a=Replica(Seq("d", 9**9), 0.0)), True, Replicas(2, 1, 0.1, 4.0), id="one is of a ledger before"),
        pytest.param(roll(epoch="f", a=Replica(Seq("f", 1), 0.0)), True, Replicas(2, 2, 0.1, 4.0), id="one is of the ledger after"),
        pytest.param(roll(since=0.2, a=SEEN), True, Replicas(2, 2, 0.25, 4.0, complete=False), id="the list is young"),
        pytest.param(roll(since=None), True, Replicas(1, 1, 0.1, 4.0, complete=False), id="there is no list"),
    ],
)  # fmt: skip
def test_counting(listed, seen_here, expected):
    assert counted(listed, PURGE, "me", 0.1, seen_here=seen_here) == expected


@pytest.mark.parametrize(
    ("replicas", "seconds", "holds"),
    [
        pytest.param(Replicas(3, 3, 0.25, 0.0), 0.0, True, id="all confirmed"),
        pytest.param(Replicas(3, 2, 0.25, 0.0), 0.24, False, id="one may still trust its mirror"),
        pytest.param(Replicas(3, 2, 0.25, 0.0), 0.25, True, id="nobody may any more"),
        pytest.param(Replicas(3, 3, 0.25, 0.0, complete=False), 0.0, False, id="there may be others"),
        pytest.param(Replicas(3, 3, 0.25, 0.0, complete=False), 0.25, True, id="who may not any more either"),
        pytest.param(Replicas(3, 1, 0.0, 0.0), 0.0, True, id="nobody trusts a mirror at all"),
    ],
)
def test_when_a_purge_holds_everywhere(replicas, seconds, holds):
    assert replicas.hold_after(seconds) is holds


def test_nobody_is_forgotten_while_it_trusts_its_mirror():
    assert kept_for(0.25) == HEARTBEAT
    assert kept_for(60.0) > 60.0


def test_a_purge_ahead_of_the_servers_clock_has_no_age():
    assert counted(roll(), Seq("e", 99_000_000), "me", 0.0, seen_here=True).age == 0.0


def test_followers_are_shown_with_how_long_ago_they_looked():
    here = Seq("e", 9_000_000)
    listed = roll(b=Replica(PURGE, 0.25, until=9.0 + HEARTBEAT - 0.5), me=Replica(here, 10.0, until=9.0 + 20.0))
    assert followers(listed, "me") == (
        Follower("me", is_this=True, looked=0.0, seen=here, current=True, max_lag=10.0),
        Follower("b", is_this=False, looked=0.5, seen=PURGE, current=False, max_lag=0.25),
    )
