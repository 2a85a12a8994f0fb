"""The ledger in Redis: several processes follow one, stand-ins for them are several ledgers here."""

import asyncio
from contextlib import suppress

import pytest
from servers import until

from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.message.errors import StoreError
from proxy.message.selectors import EVERYTHING, IN_FORCE, PURGED, Seq, Standing
from proxy.observe.events import Purged, StoreAnswered, TaskFailed
from proxy.purge.options import PurgeOptions
from proxy.purge.shared import SharedLedger

NEVER = 3600.0  # seconds between looks: only lookups make it look


@pytest.fixture
async def replica(own_valkey, told):
    """Start a replica: a ledger with a connection of its own."""
    opened = []

    async def start(poll=NEVER, max_lag=0.0, **options):
        backplane = Backplane(BackplaneOptions(own_valkey.url, timeout=1.0), told)
        ledger = SharedLedger(backplane, "svc", PurgeOptions(**options), told, poll)
        ledger._calls.max_lag = max_lag  # without looking more often
        opened.append((ledger, backplane))
        await ledger.start()
        return ledger

    yield start
    for ledger, backplane in opened:
        await ledger.close()
        await backplane.close()
    assert told.of(TaskFailed) == []


def looks(told):
    return sum(event.operation == "ledger" for event in told.of(StoreAnswered))


class Held:
    """Holds back the answers to one operation of a ledger, after the server has given them."""

    def __init__(self, ledger, operation):
        self.answered, self.release = asyncio.Event(), asyncio.Event()
        script = ledger._backplane.script

        async def slowly(name, *rest):
            reply = await script(name, *rest)
            if name == operation and not self.answered.is_set():
                self.answered.set()
                await self.release.wait()
            return reply

        ledger._backplane.script = slowly


async def judged(ledger, selectors, s0, at):
    if (standing := ledger.standing(selectors, s0, at)) is None:
        await ledger.catch_up(at)
        standing = ledger.standing(selectors, s0, at)
    return standing


async def test_a_purge_is_known_to_a_replica_that_reads_the_position_it_moved(replica):
    one, other = await replica(), await replica()
    s0 = await other.position()

    at = await one.purge(["tag:a"], soft=False, now=0.0)

    assert other.standing(["tag:a"], s0, at) is None
    assert await judged(other, ["tag:a"], s0, at) == PURGED
    assert await judged(other, ["tag:b"], s0, at) == IN_FORCE


async def test_a_purge_of_our_own_is_known_without_another_look(replica, told):
    ledger = await replica()
    s0 = await ledger.position()
    before = looks(told)

    at = await ledger.purge(["tag:a"], soft=False, now=0.0)

    assert ledger.standing(["tag:a"], s0, at) == PURGED
    assert looks(told) == before


async def test_many_who_wait_make_one_look(replica, told):
    one, other = await replica(), await replica()
    at = await one.purge(["tag:a"], soft=False, now=0.0)
    before = looks(told)

    await asyncio.gather(*(other.catch_up(at) for _ in range(200)))

    assert looks(told) == before + 1
    await other.catch_up(at)
    assert looks(told) == before + 1


async def test_who_joins_a_look_that_was_sent_too_early_makes_another(replica):
    one, other = await replica(), await replica()
    held = Held(other, "ledger")
    early = asyncio.create_task(other.catch_up(await one.purge(["tag:a"], soft=False, now=0.0)))
    await held.answered.wait()

    at = await one.purge(["tag:b"], soft=False, now=0.0)
    late = asyncio.create_task(other.catch_up(at))
    await asyncio.sleep(0)  # it has joined
    held.release.set()
    await asyncio.gather(early, late)

    assert other.standing(["tag:b"], Seq(at.epoch, at.n - 1), at) == PURGED


async def test_who_leaves_does_not_end_the_look_of_the_others(replica):
    one, other = await replica(), await replica()
    at = await one.purge(["tag:a"], soft=False, now=0.0)
    leaving, staying = asyncio.create_task(other.catch_up(at)), asyncio.create_task(other.catch_up(at))
    await asyncio.sleep(0)

    leaving.cancel()
    await staying

    assert other.standing(["tag:a"], at, at) == IN_FORCE


async def test_a_mirror_follows_without_being_asked(replica):
    one, other = await replica(), await replica(poll=0.01)
    s0 = await one.position()

    at = await one.purge(["tag:a"], soft=False, now=0.0)
    await until(lambda: other.standing(["tag:a"], s0, at) is not None)

    assert other.standing(["tag:a"], s0, at) == PURGED
    assert other.age() < 1.0
    assert len(other) == 1


async def test_a_mirror_that_missed_more_than_the_log_holds_reads_everything(replica, own_valkey):
    one, other = await replica(), await replica()
    s0 = await one.position()
    at = await one.purge(["tag:a"], soft=False, now=0.0)
    own_valkey.command("DEL", "cache:purge:{svc}:log")
    at = await one.purge(["tag:b"], soft=False, now=0.0)

    assert await judged(other, ["tag:a"], s0, at) == PURGED
    assert await judged(other, ["tag:b"], s0, at) == PURGED
    assert await judged(other, ["tag:c"], s0, at) == IN_FORCE


async def test_a_lost_ledger_is_a_purge_of_everything_before(replica, own_valkey):
    one, other = await replica(), await replica()
    s0 = await one.position()

    own_valkey.command("FLUSHALL")
    at = await one.position()

    assert at.epoch != s0.epoch
    for ledger in (one, other):
        assert await judged(ledger, ["tag:a"], s0, at) == PURGED
        assert await judged(ledger, ["tag:a"], at, at) == IN_FORCE


async def test_a_ledger_that_purged_on_from_before_a_lost_purge_is_told_of_it(replica, own_valkey):
    """As after a failover, when another process is the first to purge on the promoted server."""
    one, other, third = await replica(), await replica(), await replica()
    start = await one.position()
    lost = await one.purge(["tag:lost"], soft=False, now=0.0)
    await other.catch_up(lost)
    own_valkey.command("SET", "cache:purge:{svc}:seq", str(start))
    own_valkey.command("ZREM", "cache:purge:{svc}:selectors", "htag:lost")
    own_valkey.command("DEL", "cache:purge:{svc}:log")
    assert (await third.purge(["tag:x"], soft=False, now=0.0)).n > lost.n

    await one._following.look()

    assert await judged(third, ["tag:lost"], lost, await third.position()) == PURGED


async def test_a_ledger_that_had_ended_and_is_back_is_purged_of_everything(replica, own_valkey):
    """As after a flush and then a failover to a replica that had heard of neither the flush nor of what came after."""
    one = await replica()
    start = await one.position()
    own_valkey.command("RENAME", "cache:purge:{svc}:seq", "old seq")
    own_valkey.command("RENAME", "cache:purge:{svc}:selectors", "old selectors")
    await one._following.look()
    await one.purge(["tag:lost"], soft=False, now=0.0)
    own_valkey.command("RENAME", "old seq", "cache:purge:{svc}:seq")
    own_valkey.command("RENAME", "old selectors", "cache:purge:{svc}:selectors")
    own_valkey.command("DEL", "cache:purge:{svc}:log")

    await one._following.look()

    at = await one.position()
    assert at.epoch == start.epoch
    assert await judged(one, ["tag:lost"], start, at) == PURGED
    assert await judged(one, ["tag:lost"], at, at) == IN_FORCE


async def test_our_own_purge_after_a_loss_is_not_judged_by_the_mirror_of_what_was_lost(replica, own_valkey):
    """The mirror cannot take it over, and a hot hit would be judged by that mirror alone."""
    ledger = await replica()
    s0, known = await ledger.position(), ledger.known()
    own_valkey.command("FLUSHALL")

    at = await ledger.purge(["tag:a"], soft=False, now=0.0)

    assert ledger.age() is None
    assert ledger.standing(["tag:a"], s0, known) is None
    assert await judged(ledger, ["tag:a"], s0, at) == PURGED
    assert ledger.age() is not None


async def test_a_position_read_just_before_the_ledger_was_lost_judges_everything_as_purged(replica, own_valkey):
    one, other = await replica(), await replica()
    own_valkey.command("FLUSHALL")
    between = await one.position()  # an epoch that `other` will never see
    own_valkey.command("FLUSHALL")
    await one.position()

    assert await judged(other, [], between, between) == PURGED


async def test_a_ledger_that_went_backwards_is_told_what_it_lost(replica, own_valkey):
    """As after a failover to a replica that had not heard of the last purges."""
    one, other = await replica(), await replica()
    start = await one.position()
    hard = await one.purge(["tag:lost"], soft=False, now=0.0)
    soft = await one.purge(["tag:softly"], soft=True, now=0.0)
    own_valkey.command("SET", "cache:purge:{svc}:seq", str(start))
    own_valkey.command("ZREM", "cache:purge:{svc}:selectors", "htag:lost", "stag:softly")
    own_valkey.command("DEL", "cache:purge:{svc}:log")

    await one._following.look()  # as the next poll does
    at = await other.position()

    assert at.n > soft.n > hard.n
    assert await judged(other, ["tag:lost"], hard, at) == PURGED
    assert (await judged(other, ["tag:softly"], hard, at)).soft_since is not None


async def test_what_is_told_again_comes_after_all_that_was_seen_whatever_the_servers_clock_says(replica, own_valkey):
    """As after a failover to a server whose clock is behind: an entry fetched before the purge may not revive."""
    one, other = await replica(), await replica()
    start = await one.position()
    one._mirror.known = start.n + 10**13  # the old primary's clock was months ahead
    purged = await one.purge(["tag:lost"], soft=False, now=0.0)
    assert purged.n > start.n + 10**13
    own_valkey.command("SET", "cache:purge:{svc}:seq", str(start))
    own_valkey.command("ZREM", "cache:purge:{svc}:selectors", "htag:lost")
    own_valkey.command("DEL", "cache:purge:{svc}:log")

    await one._following.look()
    at = await other.position()

    assert await judged(other, ["tag:lost"], Seq(start.epoch, purged.n - 1), at) == PURGED


async def test_a_ledger_below_the_position_that_was_read_is_not_trusted(replica, own_valkey):
    ledger = await replica()
    here = await ledger.position()
    beyond = Seq(here.epoch, here.n + 10)

    await ledger.catch_up(beyond)

    assert ledger.standing([], beyond, beyond) is None


async def test_who_follows_counts_and_confirms_with_the_look_after_the_one_that_told_it(replica):
    one, other = await replica(max_lag=60.0), await replica(max_lag=30.0)
    at = await one.purge(["tag:a"], soft=False, now=0.0)
    seen = await one.replicas(at)
    assert (seen.live, seen.confirmed, seen.max_lag) == (2, 1, 60.0)

    await other._following.look()  # told
    assert (await one.replicas(at)).confirmed == 1
    assert (await other.replicas(at)).confirmed == 1, "one has not looked since"
    await other._following.look()  # told on
    assert (await one.replicas(at)).confirmed == 2

    await other.close()
    assert (await one.replicas(at)).live == 1


async def test_other_services_replicas_are_not_counted(replica, own_valkey, told):
    one = await replica()
    backplane = Backplane(BackplaneOptions(own_valkey.url), told)
    foreign = SharedLedger(backplane, "svc2", PurgeOptions(), told, NEVER)
    await foreign.start()
    at = await one.purge(["tag:a"], soft=False, now=0.0)
    assert (await one.replicas(at)).live == 1
    await foreign.close()
    await backplane.close()


async def test_after_a_broken_connection_the_mirror_is_compared_before_it_judges(replica, own_valkey, told):
    ledger = await replica()
    at = await ledger.position()
    before = looks(told)
    own_valkey.command("CLIENT", "KILL", "TYPE", "normal")

    with suppress(StoreError):
        await ledger.position()
    await until(lambda: not ledger._backplane.is_open)

    assert ledger.standing([], at, at) is None
    assert await judged(ledger, [], at, at) == IN_FORCE
    assert looks(told) > before
    assert ledger.looks.reconnected == 1


async def test_a_purge_while_redis_is_down_holds_here_and_is_sent_when_it_is_back(replica, own_valkey, told):
    ledger = await replica(poll=0.01)
    s0 = await ledger.position()
    own_valkey.kill()

    for soft, name in ((False, "tag:a"), (True, "tag:b")):
        with pytest.raises(StoreError):
            await ledger.purge([name], soft=soft, now=77.0)

    assert ledger.pending == 2
    assert ledger.standing(["tag:a"], s0, s0) == PURGED
    assert ledger.standing(["tag:b"], s0, s0) == Standing(soft_since=77.0)
    assert ledger.standing(["tag:c"], s0, s0) == IN_FORCE

    own_valkey.start()
    await until(lambda: not ledger.pending)

    retried = told.of(Purged)
    assert {(one.kind, one.mode, one.selectors, one.failure) for one in retried} == {
        ("retry", "hard", ("tag:a",), ""),
        ("retry", "soft", ("tag:b",), ""),
    }
    at = await ledger.position()
    assert await judged(ledger, ["tag:a"], Seq(at.epoch, at.n - 10**6), at) == PURGED


async def test_a_purge_given_up_by_its_caller_is_sent_all_the_same(replica, own_valkey, told):
    ledger, other = await replica(poll=0.01), await replica()
    s0 = await ledger.position()
    own_valkey.pause()
    leaving = asyncio.create_task(ledger.purge(["tag:a"], soft=False, now=0.0))
    await until(lambda: ledger.pending)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    own_valkey.resume()

    await until(lambda: not ledger.pending)
    assert await judged(other, ["tag:a"], s0, await other.position()) == PURGED


async def test_a_purge_still_under_way_is_not_sent_twice(replica, own_valkey, told):
    ledger = await replica(poll=0.005)
    held = Held(ledger, "purge")
    purging = asyncio.create_task(ledger.purge(["tag:a"], soft=False, now=0.0))
    await held.answered.wait()
    before = looks(told)
    await until(lambda: looks(told) > before + 3)
    held.release.set()
    await purging

    assert sum(event.operation == "purge" for event in told.of(StoreAnswered)) == 1
    assert told.of(Purged) == []


async def test_what_could_not_be_sent_before_the_end_is_told(replica, own_valkey, told):
    ledger = await replica()
    own_valkey.kill()
    with pytest.raises(StoreError):
        await ledger.purge(["tag:a"], soft=False, now=0.0)

    await ledger.close()
    await ledger.close()

    (event,) = told.of(Purged)
    assert (event.selectors, event.seq) == (("tag:a",), "")
    assert event.failure


async def test_starting_without_redis_fails_nothing(replica, own_valkey):
    own_valkey.kill()
    ledger = await replica(poll=0.01)
    with pytest.raises(StoreError):
        await ledger.position()
    with pytest.raises(StoreError):
        await ledger.catch_up(Seq("e", 1))

    own_valkey.start()
    await until(lambda: ledger.age() is not None)
    at = await ledger.position()
    assert ledger.standing([], at, at) == IN_FORCE


async def test_text_that_no_entry_can_carry_purges_nothing(replica):
    ledger = await replica()
    at = await ledger.position()

    assert await ledger.purge(["tag:\ud800"], soft=False, now=0.0) == at
    assert ledger.pending == 0


async def test_the_ledger_survives_a_full_redis(replica, own_valkey):
    ledger = await replica()
    await ledger.purge(["tag:a"], soft=False, now=0.0)
    s0 = await ledger.position()
    own_valkey.command("CONFIG", "SET", "maxmemory", "1")
    assert own_valkey.command("SET", "a", "1").startswith(b"-OOM")

    at = await ledger.purge([EVERYTHING], soft=False, now=0.0)

    assert ledger.standing([], s0, at) == PURGED


async def test_a_position_on_a_promoted_server_confirms_no_purge_that_was_lost(replica, own_valkey):
    """As after a failover between servers that cannot be told apart, when somebody purged on before the loss was healed."""
    one, other = await replica(), await replica()
    start = await one.position()
    lost = await one.purge(["tag:lost"], soft=False, now=0.0)
    own_valkey.command("SET", "cache:purge:{svc}:seq", str(start))
    own_valkey.command("ZREM", "cache:purge:{svc}:selectors", "htag:lost")
    own_valkey.command("DEL", "cache:purge:{svc}:log")
    assert (await other.purge(["tag:x"], soft=False, now=0.0)).n > lost.n
    await other._following.look()

    await one._following.look()  # and heals
    assert (await one.replicas(lost)).confirmed == 1

    await other._following.look()
    await other._following.look()  # says what the last one brought
    assert (await one.replicas(lost)).confirmed == 2


async def test_the_last_purges_are_those_of_all_replicas_newest_first(replica):
    first, second = await replica(), await replica()
    assert await first.recent(5) == ()
    at_first = await first.purge(["tag:a"], soft=False, now=0.0)
    at_second = await second.purge(["tag:b", "tag:c"], soft=True, now=0.0)
    newest, oldest = await first.recent(5)
    assert (newest.n, newest.soft, newest.selectors) == (at_second.n, True, ("tag:b", "tag:c"))
    assert (oldest.n, oldest.soft, oldest.selectors) == (at_first.n, False, ("tag:a",))
    assert await second.recent(1) == (newest,)


async def test_who_follows_is_listed_the_asking_one_first(replica):
    first, second = await replica(), await replica()
    for asking in (first, second):
        seen = await asking.followers()
        assert [one.is_this for one in seen] == [True, False]
        assert {one.name for one in seen} == {first._calls.identity, second._calls.identity}
        assert all(0 <= one.looked < 60 for one in seen)
    await second.close()
    assert [one.name for one in await first.followers()] == [first._calls.identity]
