"""The Lua alone, on a real server: what it writes, what it survives."""

import time

import pytest

from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.message.selectors import Seq
from proxy.purge.records import Replica, roll_of, seq_of, snapshot_of, tail_of
from proxy.purge.scripts import POSITION, PURGE, REPLICAS, SNAPSHOT, TAIL

KEYS = tuple(b"cache:purge:{s}:" + name for name in (b"seq", b"selectors", b"log", b"replicas"))
ME = ("me", "-", 0, 5_000_000, 10)


@pytest.fixture
async def redis(valkey, told):
    plane = Backplane(BackplaneOptions(valkey.url), told)
    yield plane
    await plane.close()


@pytest.fixture
def run(redis):
    async def call(script, *args, fresh="fresh"):
        return await redis.script("test", script, KEYS, (fresh, *args))

    return call


@pytest.fixture
def purge(run):
    async def call(*selectors, mode="h", seen=0, most=1000, length=100, logged=10, kept=10**15):
        return await run(PURGE, mode, seen, most, length, logged, kept, *selectors)

    return call


async def test_the_first_to_ask_begins_a_ledger_at_the_servers_time(run, valkey):
    seq = seq_of(await run(POSITION, fresh="one"))

    assert seq.epoch.startswith("one.")
    assert abs(seq.n / 1e6 - time.time()) < 60
    assert seq_of(await run(POSITION, fresh="two")) == seq
    assert valkey.command("GET", KEYS[0]) == str(seq).encode()


async def test_positions_never_stand_still_and_never_go_below_what_a_caller_has_seen(run, purge):
    first = seq_of(await run(POSITION))
    second = seq_of(await purge("tag:a"))
    ahead = seq_of(await purge("tag:a", seen=second.n + 10**12))
    after = seq_of(await purge("tag:a"))

    assert first.n < second.n
    assert (ahead.n, after.n) == (second.n + 10**12 + 1, second.n + 10**12 + 2)


async def test_one_purge_of_many_selectors_has_one_position(run, purge):
    seq = seq_of(await purge("tag:a", "tag:b", b"tag:\xff"))
    snapshot = snapshot_of(await run(SNAPSHOT, *ME))

    assert snapshot.seq == seq
    assert snapshot.hard == {"tag:a": seq.n, "tag:b": seq.n, "tag:\udcff": seq.n}
    assert (snapshot.soft, snapshot.floor) == ({}, 0)


async def test_hard_and_soft_are_kept_apart(run, purge):
    hard, soft = seq_of(await purge("tag:a")), seq_of(await purge("tag:a", mode="s"))
    snapshot = snapshot_of(await run(SNAPSHOT, *ME))

    assert (snapshot.hard, snapshot.soft) == ({"tag:a": hard.n}, {"tag:a": soft.n})


async def test_the_log_chains_each_purge_to_the_one_before(run, purge):
    start = seq_of(await run(POSITION))
    first, second = seq_of(await purge("tag:a", "3:x")), seq_of(await purge("all", mode="s"))

    tail = tail_of(await run(TAIL, *ME, start.n))
    assert tail.seq == second
    assert [(one.before, one.n, one.soft, one.selectors) for one in tail.purges] == [
        (start.n, first.n, False, ("tag:a", "3:x")),
        (first.n, second.n, True, ("all",)),
    ]
    assert tail_of(await run(TAIL, *ME, first.n)).purges == tail.purges[1:]


async def test_a_purge_too_large_for_the_log_is_not_in_it(run, purge):
    start = seq_of(await run(POSITION))
    await purge(*(f"tag:{number}" for number in range(10)), logged=10)
    await purge(*(f"tag:{number}" for number in range(11)), logged=10)

    assert [len(one.selectors) for one in tail_of(await run(TAIL, *ME, start.n)).purges] == [10]
    assert len(snapshot_of(await run(SNAPSHOT, *ME)).hard) == 11


async def test_the_log_stays_short_and_shorter_for_large_purges(run, purge):
    for number in range(300):
        await purge(f"tag:{number}", length=100)
    assert len(tail_of(await run(TAIL, *ME, 0)).purges) <= 200

    for _ in range(40):
        await purge(*(f"tag:{number}" for number in range(2560)), length=100, logged=5000, most=10_000)
    assert len(tail_of(await run(TAIL, *ME, 0)).purges) <= 15


async def test_beyond_the_bound_the_oldest_go_and_the_floor_rises_to_the_newest_of_them(run, purge):
    seqs = [seq_of(await purge(f"tag:{number}", most=3)) for number in range(5)]
    snapshot = snapshot_of(await run(SNAPSHOT, *ME))

    assert list(snapshot.hard) == ["tag:2", "tag:3", "tag:4"]
    assert snapshot.floor == seqs[1].n


async def test_a_purge_of_more_than_the_bound_purges_everything_before_it(run, purge):
    seq = seq_of(await purge(*(f"tag:{number}" for number in range(10)), most=3))
    snapshot = snapshot_of(await run(SNAPSHOT, *ME))

    assert (len(snapshot.hard), snapshot.floor) == (3, seq.n)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param([("FLUSHALL",)], id="everything is gone"),
        pytest.param([("DEL", KEYS[0])], id="the position was evicted"),
        pytest.param([("DEL", KEYS[1])], id="the selectors were evicted"),
        pytest.param([("ZREMRANGEBYRANK", KEYS[1], "0", "0")], id="the floor is gone"),
        pytest.param([("SET", KEYS[0], "one.someoneelse:5")], id="the position is another server's"),
        pytest.param([("SET", KEYS[0], "nonsense")], id="the position is not readable"),
        pytest.param([("DEL", KEYS[0]), ("LPUSH", KEYS[0], "x")], id="the position is of another type"),
        pytest.param([("SET", KEYS[1], "x")], id="the selectors are of another type"),
    ],
)
async def test_a_lost_ledger_is_another_epoch(run, purge, valkey, damage):
    await run(POSITION, fresh="one")
    await purge("tag:a")
    for command in damage:
        valkey.command(*command)

    seq = seq_of(await run(POSITION, fresh="two"))

    assert seq.epoch.startswith("two.")
    snapshot = snapshot_of(await run(SNAPSHOT, *ME))
    assert (snapshot.hard, snapshot.floor) == ({}, 0)
    assert seq_of(await purge("tag:a")).n > seq.n


async def test_an_epoch_is_one_servers(run, purge, valkey, own_valkey, told):
    """What a promoted server or one back from its disk has may lack the last purges: it counts as lost."""
    at = seq_of(await purge("tag:a"))
    for key in KEYS[:3]:
        dump = await _dumped(valkey, key, told)
        own_valkey.command("RESTORE", key, "0", dump)
    assert own_valkey.command("GET", KEYS[0]) == str(at).encode()

    plane = Backplane(BackplaneOptions(own_valkey.url), told)
    there = seq_of(await plane.script("test", POSITION, KEYS, ("fresh",)))
    await plane.close()

    assert there.epoch.startswith("fresh.")
    assert there.epoch != at.epoch
    assert seq_of(await run(POSITION)) == at


async def _dumped(server, key, told):
    plane = Backplane(BackplaneOptions(server.url), told)
    dump = await plane.run("test", b"DUMP", key)
    await plane.close()
    return dump


async def test_a_server_that_may_not_be_asked_who_it_is_keeps_a_ledger_all_the_same(run, purge, own_valkey, told):
    own_valkey.command("ACL", "SETUSER", "default", "-info")
    plane = Backplane(BackplaneOptions(own_valkey.url), told)
    first = seq_of(await plane.script("test", POSITION, KEYS, ("one",)))
    again = seq_of(await plane.script("test", POSITION, KEYS, ("two",)))
    await plane.close()

    assert first == again
    assert first.epoch == "one.unknown"


async def test_marks_that_are_too_old_go_and_the_floor_rises_to_the_newest_of_them(run, purge):
    for name in ("tag:a", "tag:b"):
        old = seq_of(await purge(name))
    kept = seq_of(await purge("tag:c"))
    await purge("tag:d", seen=kept.n + 10**9, kept=kept.n + 10**9 + 1 - kept.n)

    snapshot = snapshot_of(await run(SNAPSHOT, *ME))
    assert list(snapshot.hard) == ["tag:c", "tag:d"]
    assert snapshot.floor == old.n


async def test_who_follows_is_listed_with_what_it_has_seen(run, purge):
    start = seq_of(await run(SNAPSHOT, *ME))
    await run(TAIL, "me", str(start), 250_000, 5_000_000, 10, start.n)
    await run(TAIL, "other", str(start), 0, 5_000_000, 10, start.n)

    roll = roll_of(await run(REPLICAS))
    assert roll.live == {"me": Replica(start, 0.25), "other": Replica(start, 0.0)}
    assert 0 <= roll.since < 60
    assert abs(roll.now - time.time()) < 60


async def test_who_is_not_heard_of_any_more_drops_out_by_the_servers_clock(run, valkey):
    await run(SNAPSHOT, "gone", "-", 0, 0, 10)
    await run(SNAPSHOT, *ME)
    assert set(roll_of(await run(REPLICAS)).live) == {"me"}

    await run(SNAPSHOT, "new", "-", 0, 5_000_000, 10)
    assert valkey.command("HLEN", KEYS[3]) == b":3", "the age of the list, me, new: whoever begins tidies up"
    assert 0 < int(valkey.command("PTTL", KEYS[3])[1:]) <= 5000


async def test_beyond_the_bound_replicas_share_an_entry_that_confirms_nothing(run, valkey):
    for number in range(30):
        await run(SNAPSHOT, f"r{number}", "-", number * 1000, 5_000_000, 10)
    for number in range(30):
        await run(SNAPSHOT, f"r{number}", "e.1:7", 1000, 5_000_000, 10)

    live = roll_of(await run(REPLICAS)).live
    assert len(live) == 11
    assert live["+"] == Replica(None, 0.029)
    assert live["r3"] == Replica(Seq("e.1", 7), 0.001)


async def test_nobody_is_listed_where_nobody_follows(run, valkey):
    await run(POSITION)
    assert roll_of(await run(REPLICAS)).live == {}
    assert roll_of(await run(REPLICAS)).since is None
    valkey.command("SET", KEYS[3], "x")
    assert roll_of(await run(REPLICAS)).live == {}
    await run(SNAPSHOT, *ME)
    assert set(roll_of(await run(REPLICAS)).live) == {"me"}


@pytest.mark.parametrize("damage", [("DEL", KEYS[2]), ("SET", KEYS[2], "x")], ids=["evicted", "of another type"])
async def test_a_lost_log_costs_a_reload_and_nothing_else(run, purge, valkey, damage):
    start = seq_of(await run(POSITION, fresh="one"))
    first = seq_of(await purge("tag:a"))
    valkey.command(*damage)

    second = seq_of(await purge("tag:b"))

    assert second.epoch.startswith("one.")
    assert [one.before for one in tail_of(await run(TAIL, *ME, start.n)).purges] == [first.n]
    assert set(snapshot_of(await run(SNAPSHOT, *ME)).hard) == {"tag:a", "tag:b"}


async def test_with_a_lone_selector_comes_when_it_was_purged_before(purge):
    """Whoever supersedes an entry learns in the same step whether it comes too late itself."""
    softly = seq_of(await purge("url:/a", "url:/b", mode="s"))
    assert int((await purge("url:/b"))[3]) == softly.n
    again = await purge("url:/a")
    assert int(again[3]) == softly.n
    assert int((await purge("url:/a"))[3]) == int(again[1])
    assert int((await purge("url:/c"))[3]) == 0
    assert int((await purge("url:/a", "url:/b"))[3]) == 0


async def test_with_a_lone_selector_comes_the_floor_where_that_is_later(purge):
    first = seq_of(await purge("url:/a"))
    for number in range(5):
        await purge(f"tag:{number}", most=3)
    assert int((await purge("url:/a", most=3))[3]) > first.n
