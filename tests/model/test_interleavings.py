"""No read that begins after a purge was acknowledged returns older content: in every order in which it can happen.

With ``wait``, or without it at a sidecar that asks Redis, from the acknowledgement on; at a hot tier without ``wait``
from ``max_lag`` after it. Then each line of the rule is broken, and the same explorer must find the order in which
that shows: so none of them is there for nothing, and the stories are told in enough detail to need them.
"""

import pytest

from proxy.message.selectors import PURGED, Standing
from proxy.purge.mirror import Followed, Lost, Mirror
from tests.model.actors import Actors
from tests.model.explorer import explore
from tests.model.world import TAG, Rules, Story, Writer, begin

A, B = 0, 1
FAILOVER = (("failover", 1),)
LATER = (("failover", 1), ("sync", 1))


def soft_only(place):
    """A soft purge with no news behind it."""
    return Writer(place, soft=True, pc="committed")


def unrelated(place):
    """A purge of what the entry does not carry."""
    return Writer(place, names=("tag:u",), pc="committed")


def waiting(place):
    return Writer(place, wait=True)


def told(story, rules=None):
    rules = rules or Rules()
    return explore(begin(story, rules), Actors(story, rules).steps)


FILL = Story((A, A), (Writer(B),), stored=False)
STORED = Story((A, A), (Writer(B),))
FOUND = Story((A, A), (Writer(B),), stored=False, misfortunes=(("filled", 1), ("loss", 1)))
TWO_PURGES = Story((A,), (Writer(A), Writer(B)), window=0.0)
NOT_MODIFIED = Story((A, A), (soft_only(B), Writer(B)), window=0.0)
SOFT = Story((A, A), (Writer(B, soft=True),))
SOFT_THEN_HARD = Story((A,), (Writer(B, soft=True), Writer(B)))
TRIMMED = Story((A,), (unrelated(B), Writer(B)), misfortunes=(("trim", 1),), fetches=False)
HOT = Story((A,), (Writer(B),), max_lag=1, polls=(A,), misfortunes=(("tick", 2),))
HOT_AND_WAITING = Story((A,), (waiting(B),), max_lag=1, polls=(A, B), misfortunes=(("tick", 1),))
FLUSHED = Story((A,), (Writer(B),), misfortunes=(("flush", 2),))
EVICTED = Story((A,), (Writer(B),), misfortunes=(("eviction", 2),))
EVICTED_FOLLOWED = Story((A, A), (Writer(B),), misfortunes=(("eviction", 1),))
PROMOTED = Story((A,), (waiting(B),), glances=(A, B), misfortunes=LATER)
PROMOTED_EVICTED = Story((A,), (waiting(B),), glances=(A, B), misfortunes=(*LATER, ("eviction", 1)), fetches=False)
PROMOTED_PURGES_ON = Story((A,), (waiting(A), unrelated(B)), glances=(A, B), misfortunes=FAILOVER, fetches=False)
PROMOTED_PURGED_BY_US = Story((A,), (waiting(B), unrelated(B)), glances=(A, B), misfortunes=FAILOVER, fetches=False)
PROMOTED_BY_NAME = Story((A,), (Writer(B),), named=True, misfortunes=LATER)

STORIES = {
    "a fetch, a follower, a purge": (FILL, {"COLLAPSED", "lands with v0", "HIT"}),
    "something stored, two readers, a purge": (STORED, {"HIT", "finds v"}),
    "a fetch finds what another stored": (FOUND, {"COLLAPSED", "finds v0"}),
    "two purges at once": (TWO_PURGES, {"HIT", "MISS"}),
    "a 304, two readers, a purge": (NOT_MODIFIED, {"answers 304", "answers 200", "MISS"}),
    "a soft purge": (SOFT, {"STALE", "HIT"}),
    "a soft and a hard purge": (SOFT_THEN_HARD, {"STALE", "HIT"}),
    "a log that is cut off": (TRIMMED, {"the log is broken", "misses"}),
    "a hot hit while the clock ticks": (HOT, {"HIT (memory)", "is up to date"}),
    "a hot hit and a purge that waits": (HOT_AND_WAITING, {"HIT (memory)", "is told that every sidecar knows"}),
    "Redis is flushed": (FLUSHED, {"the position None", "at e2:"}),
    "the ledger is evicted": (EVICTED, {"the position None", "without a ledger", "the position e2:"}),
    "the ledger is evicted under followers": (EVICTED_FOLLOWED, {"COLLAPSED", "the position e2:"}),
    "a lagging replica is promoted": (PROMOTED, {"the replica is promoted", "is told that every sidecar knows"}),
    "promoted, and evicted": (PROMOTED_EVICTED, {"evicts the ledger", "is told that every sidecar knows"}),
    "promoted, and it says who it is": (PROMOTED_BY_NAME, {"the replica is promoted", "at e2:", "HIT"}),
    "promoted, and purged on by another": (PROMOTED_PURGES_ON, {"misses", "it was lost and purged again"}),
}


@pytest.mark.parametrize(("story", "happened"), STORIES.values(), ids=STORIES)
def test_in_no_order_is_anything_purged_read_again(story, happened):
    explored = told(story)
    assert not explored.wrong, str(explored)
    assert {what for what in happened if not any(what in step for step in explored.seen)} == set(), "told too little"


class PositionReadAfterTheFetch(Rules):
    def s0(self, before, after):
        return after


class RestampedAfterThe304(Rules):
    def restamped(self, before, after, stored):
        return after


class FollowersAreNotJudged(Rules):
    def follower_is_judged(self, draft, *, found):
        return False


class FollowersTakeWhatWasFound(Rules):
    def follower_is_judged(self, draft, *, found):
        return not found


class FollowersTakeWhatWasFetchedWithoutALedger(Rules):
    def follower_is_judged(self, draft, *, found):
        return draft.s0.epoch != ""


class AgeCountsFromTheAnswer(Rules):
    def age_counts_from(self, sent, received):
        return received


class MirrorsAreTrustedForEver(Rules):
    def may_trust(self, age, max_lag):
        return max_lag > 0


class LookupsDoNotCompare(Rules):
    def compares(self):
        return False


class ALostLedgerIsAnEmptyOne(Rules):
    def opened(self, server, fresh, clock, home):
        return super().opened(server, "e1", clock, home)


class WaitingTrustsPositions(Rules):
    def verifies(self):
        return False


class NobodyLooksAfterABreak(Rules):
    def looks_first(self):
        return False


class ConfirmedByAnything(Rules):
    def confirmed(self, mirror, seq):
        return True


class SoftBeforeHard(Rules):
    class mirror(Mirror):  # noqa: N801 - stands in for the attribute
        def standing(self, selectors, s0, at):
            standing = super().standing(selectors, s0, at)
            softly = self._marks._soft.get(TAG, 0)
            return Standing(soft_since=softly / 1e6) if standing == PURGED and softly > s0.n else standing


class BreaksAreIgnored(Rules):
    class mirror(Mirror):  # noqa: N801 - as above
        def follow(self, tail, known_when_asked):
            followed = super().follow(tail, known_when_asked)
            if followed is Followed.BROKEN and self.seq.epoch == tail.seq.epoch:
                self.seq = tail.seq
                return Followed.UP_TO_DATE
            return followed


class LostPurgesAreForgotten(Rules):
    class mirror(Mirror):  # noqa: N801 - as above
        def lost(self, snapshot, known_when_asked):
            return Lost()

        def reload(self, snapshot):
            self.seq, self.known = None, 0
            super().reload(snapshot)


class OnlyWhatWentBackwardsIsHealed(LostPurgesAreForgotten):
    class mirror(LostPurgesAreForgotten.mirror):  # noqa: N801 - as above
        def lost(self, snapshot, known_when_asked):
            went_back = snapshot.seq.n < known_when_asked
            return Mirror.lost(self, snapshot, known_when_asked) if went_back else Lost()


class OtherEpochsAreCompared(Rules):
    class mirror(Mirror):  # noqa: N801 - as above
        def standing(self, selectors, s0, at):
            return None if not self.has_seen(at) else self._marks.judge(selectors, s0.n)


BROKEN = {
    "S0 read after the fetch": (PositionReadAfterTheFetch, FILL, "COLLAPSED|HIT"),
    "a 304 restamps with the position after it": (RestampedAfterThe304, NOT_MODIFIED, "COLLAPSED|HIT"),
    "a follower is not judged": (FollowersAreNotJudged, FILL, "COLLAPSED"),
    "a follower takes what the second look found": (FollowersTakeWhatWasFound, FOUND, "COLLAPSED"),
    "a follower takes what no position is known of": (
        FollowersTakeWhatWasFetchedWithoutALedger,
        EVICTED_FOLLOWED,
        "COLLAPSED",
    ),
    "a mirror's age counts from receipt": (AgeCountsFromTheAnswer, HOT, "HIT (memory)"),
    "a mirror is trusted for ever": (MirrorsAreTrustedForEver, HOT, "HIT (memory)"),
    "a lookup does not compare its mirror": (LookupsDoNotCompare, STORED, "HIT"),
    "a lost ledger counts as an empty one": (ALostLedgerIsAnEmptyOne, EVICTED, "HIT"),
    "another epoch's numbers are compared": (OtherEpochsAreCompared, EVICTED, "HIT"),
    "a wait is over before all have confirmed": (ConfirmedByAnything, HOT_AND_WAITING, "HIT (memory)"),
    "a soft purge goes before a hard one": (SoftBeforeHard, SOFT_THEN_HARD, "STALE"),
    "a break in the log is ignored": (BreaksAreIgnored, TRIMMED, "HIT"),
    "what a promoted server lost is forgotten": (LostPurgesAreForgotten, PROMOTED, "HIT"),
    "only a ledger that went backwards is healed": (OnlyWhatWentBackwardsIsHealed, PROMOTED_PURGES_ON, "HIT"),
    "a wait believes positions of a promoted server": (WaitingTrustsPositions, PROMOTED_PURGED_BY_US, "HIT"),
    "nobody looks after a broken connection": (NobodyLooksAfterABreak, PROMOTED_BY_NAME, "HIT"),
}


@pytest.mark.parametrize(("rules", "story", "as_what"), BROKEN.values(), ids=BROKEN)
def test_with_one_line_of_the_rule_broken_a_stale_read_is_found(rules, story, as_what):
    explored = told(story, rules())
    assert explored.wrong.startswith("stale read"), str(explored)
    assert any(f"as {status}," in explored.wrong for status in as_what.split("|"))
    assert "is answered" in explored.trace[-1]


def test_a_trace_reads_as_a_story():
    explored = told(FILL, PositionReadAfterTheFetch())
    assert str(explored).splitlines()[0].startswith("stale read: v0 as ")
    assert "  1. " in str(explored)
    assert {line.split(":")[0] for line in explored.trace} >= {"writer 1", "A reader 1", "A fetch 1"}


def test_a_304_stamped_with_the_old_position_is_safe_and_freshens_nothing():
    class Old(Rules):
        def restamped(self, before, after, stored):
            return stored.s0

    alone = Story((A, A), (soft_only(B),), window=0.0)
    again = "reads v0 (S0 e1:20)"
    assert any(again in step for step in told(alone).seen)
    explored = told(alone, Old())
    assert not explored.wrong
    assert not any(again in step for step in explored.seen)
