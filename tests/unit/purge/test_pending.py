import pytest

from proxy.message.selectors import EVERYTHING, IN_FORCE, PURGED, Standing
from proxy.purge import pending as room
from proxy.purge.pending import Parcel, Pending


def test_nothing_pending_changes_nothing():
    standing = Standing(soft_since=5.0)
    assert Pending().worsen(standing, ["tag:a"]) is standing


@pytest.mark.parametrize(
    ("kept", "before", "after"),
    [
        pytest.param([("tag:a", False)], IN_FORCE, PURGED, id="hard"),
        pytest.param([("tag:a", True)], IN_FORCE, Standing(soft_since=100.0), id="soft"),
        pytest.param([("tag:a", True)], Standing(soft_since=90.0), Standing(soft_since=90.0), id="was stale before"),
        pytest.param([("tag:a", True)], Standing(soft_since=200.0), Standing(soft_since=100.0), id="stale earlier"),
        pytest.param([("tag:a", True), ("user:1", False)], IN_FORCE, PURGED, id="hard counts before soft"),
        pytest.param([("tag:b", False)], IN_FORCE, IN_FORCE, id="another selector"),
        pytest.param([(EVERYTHING, False)], IN_FORCE, PURGED, id="everything"),
        pytest.param([("tag:a", True)], PURGED, PURGED, id="purged stays purged"),
    ],
)
def test_what_is_pending_holds(kept, before, after):
    pending = Pending()
    for selector, soft in kept:
        pending.add([selector], soft=soft, now=100.0)

    assert pending.worsen(before, ("tag:a", "user:1")) == after


def test_asking_softly_again_does_not_make_it_younger():
    pending = Pending()
    pending.add(["tag:a"], soft=True, now=100.0)
    pending.add(["tag:a"], soft=True, now=200.0)

    assert pending.worsen(IN_FORCE, ["tag:a"]) == Standing(soft_since=100.0)


def test_an_acknowledged_purge_is_no_longer_pending():
    pending = Pending()
    parcel = pending.add(["tag:a", "tag:b"], soft=False, now=1.0)
    pending.add(["tag:c"], soft=True, now=1.0)

    pending.acknowledge(parcel)

    assert pending.all() == Parcel((), ("tag:c",), 2)
    pending.acknowledge(pending.all())
    assert len(pending) == 0


@pytest.mark.parametrize("soft", [pytest.param(False, id="hard"), pytest.param(True, id="soft")])
def test_what_was_asked_for_again_meanwhile_stays_pending(soft):
    pending = Pending()
    earlier = pending.add(["tag:a"], soft=soft, now=1.0)
    pending.add(["tag:a"], soft=soft, now=2.0)

    pending.acknowledge(earlier)
    assert len(pending) == 1

    pending.acknowledge(pending.all())
    assert len(pending) == 0


def test_too_many_become_one_purge_of_everything(monkeypatch):
    monkeypatch.setattr(room, "MOST", 3)
    pending = Pending()
    pending.add(["a", "b", "c"], soft=True, now=1.0)
    parcel = pending.add(["d"], soft=False, now=1.0)

    assert parcel == pending.all() == Parcel((EVERYTHING,), (), 2)
    assert pending.worsen(IN_FORCE, ["z"]) == PURGED
