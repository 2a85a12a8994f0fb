"""Whoever keeps a judgement asks ``changes`` whether it may: no judgement may change while that number stays."""

from hypothesis import given
from hypothesis import strategies as st

from proxy.message.selectors import IN_FORCE, Seq
from proxy.purge.local import LocalLedger
from proxy.purge.mirror import Mirror
from proxy.purge.pending import Pending
from proxy.purge.records import Logged, Snapshot, Tail

NAMES = ["tag:a", "tag:b", "all", "key:n:v1:1", "pattern:n:*"]
ENTRIES = [(("tag:a",), Seq("one", 5)), (("tag:b", "key:n:v1:1", "all"), Seq("one", 12)), (("all",), Seq("two", 3))]

OPERATIONS = st.one_of(
    st.tuples(st.just("learn"), st.sampled_from(NAMES), st.integers(1, 40), st.integers(0, 40), st.booleans()),
    st.tuples(st.just("follow"), st.sampled_from(NAMES), st.integers(1, 40), st.integers(0, 40), st.booleans()),
    st.tuples(st.just("reload"), st.sampled_from(["one", "two"]), st.integers(1, 40), st.sampled_from(NAMES)),
    st.tuples(st.just("leave"), st.sampled_from(["one", "two"])),
    st.tuples(st.just("return"), st.sampled_from(["one", "two"])),
)


def act(mirror, operation):
    match operation:
        case ("learn", name, n, before, soft):
            mirror.learn([name], Seq("one", n), before, soft=soft)
        case ("follow", name, n, before, soft):
            mirror.follow(Tail(Seq("one", n), (Logged(n, before, soft, (name,)),)), mirror.known)
        case ("reload", epoch, n, name):
            mirror.reload(Snapshot(Seq(epoch, n), 2, {name: n}, {}))
        case ("leave", epoch):
            mirror.leave_behind(epoch)
        case ("return", epoch):
            mirror.go_back_to(epoch)


@given(st.lists(OPERATIONS, max_size=12))
def test_a_mirror_judges_the_same_while_nothing_changed(operations):
    mirror = Mirror(3)
    mirror.reload(Snapshot(Seq("one", 10), 2, {}, {}))
    kept = {}
    for operation in operations:
        act(mirror, operation)
        judged = [mirror.standing(names, s0, mirror.seq) for names, s0 in ENTRIES]
        assert kept.setdefault(mirror.changes, judged) == judged, operation


@given(st.lists(st.tuples(st.sampled_from(["add", "soften", "send"]), st.sampled_from(NAMES)), max_size=12))
def test_what_is_pending_judges_the_same_while_nothing_changed(operations):
    pending, parcels, kept = Pending(), [], {}
    for number, (what, name) in enumerate(operations):
        if what != "send":
            parcels.append(pending.add([name], soft=what == "soften", now=float(number)))
        elif parcels:
            pending.acknowledge(parcels.pop(0))
        judged = [pending.worsen(IN_FORCE, names) for names, _ in ENTRIES]
        assert kept.setdefault(pending.changes, judged) == judged


async def test_each_purge_changes_a_ledger_of_one_process():
    ledger = LocalLedger()
    seen = {ledger.changes()}
    for _ in range(3):
        await ledger.purge(["tag:a"], soft=False, now=0.0)
        seen.add(ledger.changes())
    assert len(seen) == 4
