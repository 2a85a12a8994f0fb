from proxy.observe.events import BreakerMoved, Purged
from proxy.observe.recent import MOST, MOST_SELECTORS, PurgeSeen, RecentPurges


def test_the_last_purges_are_remembered_newest_first_with_some_of_their_selectors():
    now = iter(range(1000))
    recent = RecentPurges(lambda: float(next(now)))
    recent.tell(BreakerMoved(is_open=True))
    recent.tell(Purged("write", "hard", tuple(f"tag:{n}" for n in range(99)), "e:1", "r-1"))
    recent.tell(Purged("api", "soft", ("all",), "", "r-2", failure="down"))
    newest, oldest = recent.list()
    assert newest == PurgeSeen(1.0, Purged("api", "soft", ("all",), "", "r-2", failure="down"), 1)
    assert (oldest.at, oldest.count, len(oldest.told.selectors)) == (0.0, 99, MOST_SELECTORS)
    assert (oldest.told.kind, oldest.told.seq, oldest.told.request_id) == ("write", "e:1", "r-1")
    for number in range(MOST):
        recent.tell(Purged("api", "hard", ("all",), f"e:{number}"))
    assert len(recent.list()) == MOST
    assert recent.list()[-1].told.seq == "e:0"
