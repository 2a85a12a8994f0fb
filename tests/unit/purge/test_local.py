from proxy.message.selectors import PURGED, Seq
from proxy.purge.local import LocalLedger
from proxy.purge.options import PurgeOptions


async def test_positions_follow_the_wall_clock_and_never_go_back():
    ledger = LocalLedger()

    assert (await ledger.purge(["a"], soft=False, now=1000.0)).n == 1_000_000_000
    assert (await ledger.purge(["a"], soft=False, now=1000.0)).n == 1_000_000_001
    assert (await ledger.purge(["a"], soft=False, now=900.0)).n == 1_000_000_002


async def test_a_restart_is_another_epoch_in_which_nothing_old_stands():
    before, after = LocalLedger(), LocalLedger()
    s0 = await before.position()

    assert s0.epoch != after.seq.epoch
    assert after.standing([], s0, after.seq) == PURGED
    assert after.standing([], after.seq, Seq("other", 0)) == PURGED


async def test_it_is_bounded():
    ledger = LocalLedger(PurgeOptions(max_selectors=5))
    for number in range(20):
        await ledger.purge([f"tag:{number}"], soft=False, now=0.0)

    assert len(ledger) == 5
