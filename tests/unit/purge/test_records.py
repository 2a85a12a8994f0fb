import pytest

from proxy.message.errors import StoreError
from proxy.message.selectors import Seq
from proxy.purge.records import Logged, Snapshot, Tail, log_of, parse_seq, seq_of, snapshot_of, tail_of


def test_the_value_that_lookups_read():
    assert parse_seq(b"k3f9:1790000000000000") == Seq("k3f9", 1790000000000000)


@pytest.mark.parametrize(
    "value", [b"", b"k3f9", b":7", b"k3f9:", b"k3f9:-1", b"k3f9:x", b"\xff:7", "k3f9:٣".encode()], ids=repr
)
def test_a_value_that_is_no_position(value):
    with pytest.raises(StoreError):
        parse_seq(value)


def test_a_snapshot_has_marks_by_mode_and_the_floor_beside_the_epoch():
    reply = [b"k3f9", b"9", [b"#k3f9", b"2", b"htag:a", b"3", b"stag:a", b"4", b"htag:\xff", b"9"]]

    assert snapshot_of(reply) == Snapshot(Seq("k3f9", 9), 2, {"tag:a": 3, "tag:\udcff": 9}, {"tag:a": 4})


def test_a_snapshot_without_a_floor_trusts_nothing_before_it():
    assert snapshot_of([b"k3f9", b"9", [b"htag:a", b"3"]]).floor == 9


def test_a_tail_has_each_purge_with_its_predecessor():
    entries = [
        [b"7-0", [b"before", b"5", b"mode", b"h", b"selectors", b"5:tag:a3:all7:tag:1:2"]],
        [b"9-0", [b"before", b"7", b"mode", b"s", b"selectors", b"6:tag:\xff\xfe"]],
    ]

    assert tail_of([b"k3f9", b"9", entries]) == Tail(
        Seq("k3f9", 9),
        (Logged(7, 5, False, ("tag:a", "all", "tag:1:2")), Logged(9, 7, True, ("tag:\udcff\udcfe",))),
    )


@pytest.mark.parametrize(
    ("read", "reply"),
    [
        pytest.param(seq_of, [], id="no position"),
        pytest.param(seq_of, [b"k3f9", b"x"], id="a position that is no number"),
        pytest.param(seq_of, [1, 2], id="an epoch that is no text"),
        pytest.param(snapshot_of, [b"k3f9", b"9"], id="no marks"),
        pytest.param(snapshot_of, [b"k3f9", b"9", [b"htag:a"]], id="a mark without a score"),
        pytest.param(snapshot_of, [b"k3f9", b"9", [b"htag:a", b"1e"]], id="a score that is no number"),
        pytest.param(tail_of, [b"k3f9", b"9"], id="no log"),
        pytest.param(tail_of, [b"k3f9", b"9", [[b"7-0", [b"before"]]]], id="half a field"),
        pytest.param(tail_of, [b"k3f9", b"9", [[b"7-0", [b"mode", b"h"]]]], id="no predecessor"),
        pytest.param(
            tail_of,
            [b"k3f9", b"9", [[b"7-0", [b"before", b"5", b"mode", b"h", b"selectors", b"tag"]]]],
            id="no netstring",
        ),
    ],
)
def test_what_is_not_readable_is_the_stores_fault(read, reply):
    with pytest.raises(StoreError, match="not readable"):
        read(reply)


def test_a_log_read_backwards_is_newest_first():
    entries = [[b"%d-0" % n, [b"before", b"1", b"mode", b"s", b"selectors", b"5:tag:a"]] for n in (9, 7)]
    assert log_of(entries) == tuple(Logged(n, 1, True, ("tag:a",)) for n in (9, 7))


@pytest.mark.parametrize("reply", [[b"9-0"], [[b"x-0", []]], [[b"9-0", [b"mode", b"h"]]], None], ids=repr)
def test_a_log_that_cannot_be_read(reply):
    with pytest.raises(StoreError):
        log_of(reply)
