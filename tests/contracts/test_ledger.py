"""What every ledger does: one suite for the one in the process and the one in Redis."""

import pytest

from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.message.selectors import EVERYTHING, IN_FORCE, PURGED, Seq, Standing, logical_key, pattern
from proxy.purge.local import LocalLedger
from proxy.purge.options import PurgeOptions
from proxy.purge.shared import SharedLedger

OPTIONS = PurgeOptions(max_selectors=50)


@pytest.fixture(params=["memory", "redis"])
async def ledger(request, told):
    if request.param == "memory":
        ledger = LocalLedger(OPTIONS)
        await ledger.start()
        yield ledger
        await ledger.close()
        return
    backplane = Backplane(BackplaneOptions(request.getfixturevalue("valkey").url), told)
    ledger = SharedLedger(backplane, "contract", OPTIONS, told)
    await ledger.start()
    yield ledger
    await ledger.close()
    await backplane.close()


async def judge(ledger, selectors, s0):
    """As a lookup does: the position is read with the entry."""
    at = await ledger.position()
    standing = ledger.standing(selectors, s0, at)
    if standing is None:
        await ledger.catch_up(at)
        standing = ledger.standing(selectors, s0, at)
    return standing


async def test_a_position_stays_until_something_is_purged(ledger):
    before = await ledger.position()
    assert await ledger.position() == before

    after = await ledger.purge(["tag:a"], soft=False, now=1000.0)
    assert after.epoch == before.epoch
    assert after.n > before.n
    assert await ledger.position() == after


@pytest.mark.parametrize("soft", [False, True], ids=["hard", "soft"])
@pytest.mark.parametrize(
    ("purged", "carried", "hit"),
    [
        pytest.param(["tag:a"], ["tag:a"], True, id="by tag"),
        pytest.param(["tag:b", "tag:a"], ["user:1", "tag:a"], True, id="one of several"),
        pytest.param([EVERYTHING], ["tag:a"], True, id="everything"),
        pytest.param([EVERYTHING], [], True, id="everything, also what carries nothing"),
        pytest.param(["tag:a"], ["tag:ab", "user:a"], False, id="another"),
        pytest.param(["tag:a"], [], False, id="nothing carried"),
        pytest.param(["tag:é\udcff\x00 *?"], ["tag:é\udcff\x00 *?"], True, id="any octets"),
    ],
)
async def test_what_a_purge_hits(ledger, soft, purged, carried, hit):
    s0 = await ledger.position()
    at = await ledger.purge(purged, soft=soft, now=1000.0)

    standing = await judge(ledger, carried, s0)

    if not hit:
        assert standing == IN_FORCE
    elif soft:
        assert not standing.purged
        assert standing.soft_since == pytest.approx(at.n / 1e6)
    else:
        assert standing == PURGED


@pytest.mark.parametrize("soft", [False, True], ids=["hard", "soft"])
@pytest.mark.parametrize(
    ("glob", "key", "hit"),
    [
        pytest.param("plans:*", "plans:v1:7", True, id="a namespace"),
        pytest.param("plans:*:7", "plans:v1:7", True, id="any version"),
        pytest.param("plans:*:7", "plans:v1:78", False, id="another id"),
        pytest.param("plan:*", "plans:v1:7", False, id="another namespace"),
        pytest.param("plans:*\udcff*", "plans:v1:a\udcffb", True, id="any octets"),
    ],
)
async def test_a_pattern_hits_what_has_a_logical_key_that_it_matches(ledger, soft, glob, key, hit):
    s0 = await ledger.position()
    at = await ledger.purge([pattern(glob)], soft=soft, now=1000.0)

    standing = await judge(ledger, ["tag:a", logical_key(key)], s0)

    assert standing == (IN_FORCE if not hit else Standing(soft_since=at.n / 1e6) if soft else PURGED)
    assert await judge(ledger, ["tag:plans:v1:7", "url:plans:v1:7"], s0) == IN_FORCE
    assert await judge(ledger, [logical_key(key)], at) == IN_FORCE


async def test_more_patterns_than_are_compared_purge_more_never_less(ledger):
    s0 = await ledger.position()
    for number in range(49):  # the bound on marks is 50
        await ledger.purge(
            [pattern(f"plans:*:{number}"), pattern(f"users:*:{number}")][number % 2 :][:1], soft=False, now=1.0
        )

    assert await judge(ledger, [logical_key("plans:v1:0")], s0) == PURGED
    assert await judge(ledger, [logical_key("users:v1:1")], s0) == PURGED
    assert await judge(ledger, [logical_key("other:v1:0")], s0) == IN_FORCE


async def test_what_is_known_and_how_old_that_is(ledger):
    at = await ledger.purge(["tag:a"], soft=False, now=1000.0)

    assert ledger.known() == at
    assert 0 <= ledger.age() < 60
    s0 = Seq(at.epoch, at.n - 1)
    assert ledger.standing(["tag:a"], s0, ledger.known()) == PURGED


async def test_one_process_alone_has_seen_its_own_purge(ledger):
    at = await ledger.purge(["tag:a"], soft=False, now=1000.0)
    replicas = await ledger.replicas(at)

    assert (replicas.live, replicas.confirmed, replicas.max_lag) == (1, 1, 0.0)
    assert replicas.hold_after(0.0)


async def test_a_purge_lands_before_during_and_after_a_fetch(ledger):
    await ledger.purge(["tag:a"], soft=False, now=1000.0)  # before the fetch reads its position
    s0 = await ledger.position()
    assert await judge(ledger, ["tag:a"], s0) == IN_FORCE

    await ledger.purge(["tag:a"], soft=False, now=1000.0)  # during the fetch, or after it
    assert await judge(ledger, ["tag:a"], s0) == PURGED

    again = await ledger.position()
    assert await judge(ledger, ["tag:a"], again) == IN_FORCE


async def test_a_soft_purge_after_a_hard_one_revives_nothing(ledger):
    s0 = await ledger.position()
    await ledger.purge(["tag:a"], soft=False, now=1000.0)
    await ledger.purge(["tag:a"], soft=True, now=1001.0)

    assert await judge(ledger, ["tag:a"], s0) == PURGED


async def test_another_epoch_counts_as_purged(ledger):
    at = await ledger.position()
    assert await judge(ledger, [], Seq("another", at.n + 1)) == PURGED


async def test_beyond_the_bound_old_entries_count_as_purged_and_new_ones_stand(ledger):
    s0 = await ledger.position()
    for number in range(120):
        await ledger.purge([f"tag:{number}"], soft=bool(number % 2), now=1000.0)
    new = await ledger.position()

    assert await judge(ledger, ["user:1"], s0) == PURGED
    assert await judge(ledger, ["user:1", "tag:3", "tag:119"], new) == IN_FORCE
    assert len(ledger) <= 50


async def test_superseding_is_a_purge(ledger):
    s0 = await ledger.position()
    superseded = await ledger.supersede("url:/a")

    assert superseded.seq.n > s0.n
    assert await ledger.position() == superseded.seq
    assert await judge(ledger, ["url:/a"], s0) == PURGED
    assert await judge(ledger, ["url:/a"], superseded.seq) == IN_FORCE
    assert await judge(ledger, ["url:/b"], s0) == IN_FORCE


@pytest.mark.parametrize(
    ("purges", "first"),
    [
        pytest.param([], True, id="by nobody else"),
        pytest.param([(["url:/b", EVERYTHING], False)], True, id="other names are for the judge"),
        pytest.param([(["url:/a"], False)], False, id="hard"),
        pytest.param([(["tag:x", "url:/a"], True)], False, id="softly, among others"),
        pytest.param([(["url:/a"], False), (["tag:x"], False)], False, id="and another one after it"),
    ],
)
async def test_superseding_tells_whether_the_selector_was_purged_since(ledger, purges, first):
    await ledger.purge(["url:/a"], soft=False, now=1000.0)
    since = await ledger.position()
    for names, soft in purges:
        await ledger.purge(names, soft=soft, now=1000.0)

    assert (await ledger.supersede("url:/a")).is_first_since(since) is first


async def test_one_who_supersedes_is_later_than_whoever_read_before(ledger):
    since = await ledger.position()
    assert (await ledger.supersede("url:/a")).is_first_since(since)
    assert not (await ledger.supersede("url:/a")).is_first_since(since)


async def test_what_is_forgotten_may_have_been_a_purge_of_it(ledger):
    since = await ledger.position()
    await ledger.purge(["url:/a"], soft=False, now=1000.0)
    for number in range(120):
        await ledger.purge([f"tag:{number}"], soft=False, now=1000.0)

    assert not (await ledger.supersede("url:/a")).is_first_since(since)


async def test_a_position_of_another_ledger_is_before_every_purge(ledger):
    superseded = await ledger.supersede("url:/a")
    assert not superseded.is_first_since(Seq("another", superseded.seq.n + 1))


async def test_a_purge_of_nothing_moves_nothing_or_harms_nothing(ledger):
    s0 = await ledger.position()
    await ledger.purge([], soft=False, now=1000.0)

    assert await judge(ledger, ["tag:a"], s0) == IN_FORCE


async def test_many_selectors_in_one_call(ledger):
    s0 = await ledger.position()
    await ledger.purge([f"tag:{number % 40}" for number in range(20_000)], soft=False, now=1000.0)

    assert await judge(ledger, ["tag:39"], s0) == PURGED
    assert await judge(ledger, ["tag:40"], s0) == IN_FORCE


async def test_whoever_listens_is_told_of_a_purge(ledger):
    heard = []
    ledger.listen(lambda names, at: heard.append((names, at)))
    at = await ledger.purge(["tag:a", "tag:b"], soft=True, now=0.0)
    assert heard == [(("tag:a", "tag:b"), at)]
