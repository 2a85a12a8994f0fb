"""Memory in front of a real Redis, on the way of a request: what is hit where, and what a purge elsewhere does to it."""

from __future__ import annotations

import asyncio

import pytest
from servers import until

from proxy.backplane.client import Backplane
from proxy.backplane.options import BackplaneOptions
from proxy.message import selectors
from proxy.purge.options import PurgeOptions
from proxy.purge.shared import SharedLedger
from proxy.store.memory import MemoryStore
from proxy.store.options import StoreOptions
from proxy.store.redis import RedisStore
from proxy.store.tiered import TieredStore
from tests.pipeline.rules import PLANS
from tests.pipeline.stage import Stage

HOUR = 3600.0
STRICT = PLANS.replace("defaults: {", "defaults: {on_store_failure: refuse, ")


class Replica(Stage):
    """A stage on a Redis. Its mirror moves on only when somebody looks: nothing happens by itself."""

    def __init__(self, url, *, rules=PLANS, max_lag=HOUR, on_store_failure="stale", poll=HOUR, **options):
        super().__init__(rules, **options)
        self.backplane = Backplane(BackplaneOptions(url, timeout=0.5), self.facts)
        self.ledger = SharedLedger(self.backplane, "shop", PurgeOptions(), self.facts, poll, max_lag=max_lag)
        redis = RedisStore(self.backplane, self.ledger, StoreOptions())
        memory = MemoryStore(self.ledger, StoreOptions(), now=self.clock)
        self.store = TieredStore(memory, redis, self.ledger, max_lag, on_store_failure)
        self.parts.store, self.parts.ledger = self.store, self.ledger

    async def purges(self, *names, soft=False):
        return await self.ledger.purge(list(names), soft=soft, now=self.clock())

    def has_not_looked_for(self, seconds):
        """Let the mirror be that old."""
        self.ledger._following._asked_at = asyncio.get_running_loop().time() - seconds


@pytest.fixture
async def replica(request, valkey):
    made = []

    async def make(url=valkey.url, **more):
        stage = Replica(url, **more)
        await stage.ledger.start()
        made.append(stage)
        return stage

    yield make
    for stage in made:
        await stage.at_rest()
        await stage.ledger.close()
        await stage.backplane.close()
        assert stage.failures == []


async def filled(stage, target="/plans/1", body=b"old", **headers):
    stage.says(200, body, **headers)
    await stage.asks(target)
    await stage.at_rest()


async def test_each_answer_says_where_it_was_found(replica):
    a, b = await replica(), await replica()
    await filled(a)
    assert [(await a.asks("/plans/1")).outcome for _ in range(2)] == ["hit_memory", "hit_memory"]
    assert [(await b.asks("/plans/1")).outcome for _ in range(2)] == ["hit_redis", "hit_memory"]


async def test_variants_too(replica):
    a, b = await replica(), await replica()
    for lang in ("de", "en"):
        a.says(200, lang.encode(), vary="Accept-Language")
        await a.asks("/plans/1", accept_language=lang)
        await a.at_rest()
    for outcome in ("hit_redis", "hit_memory"):
        told = [await b.asks("/plans/1", accept_language=lang) for lang in ("de", "en")]
        assert [(one.body, one.outcome) for one in told] == [(b"de", outcome), (b"en", outcome)]


async def test_a_purge_elsewhere_holds_here_from_the_moment_this_process_has_seen_it(replica):
    a, b = await replica(), await replica()
    await filled(a)
    seq = await b.purges(selectors.tag("plan:1"))
    assert (await a.asks("/plans/1")).outcome == "hit_memory"  # max_lag is an hour here
    await a.ledger.catch_up(seq)  # what it confirms, and what `wait` waits for
    a.says(200, b"new")
    assert ((await a.asks("/plans/1")).body, a.ledger.known()) == (b"new", seq)


async def test_a_purge_elsewhere_is_not_outlived_beyond_max_lag(replica):
    a, b = await replica(max_lag=0.2), await replica()
    await filled(a)
    a.has_not_looked_for(0)
    assert (await a.asks("/plans/1")).outcome == "hit_memory"
    await b.purges(selectors.tag("plan:1"))
    a.has_not_looked_for(0.2)
    a.says(200, b"new")
    assert (await a.asks("/plans/1")).body == b"new"


async def test_without_trust_redis_is_asked_each_time(replica):
    a, b = await replica(max_lag=0.0), await replica()
    await filled(a)
    for number in range(3):
        assert (await a.asks("/plans/1")).outcome == "hit_redis"
        await b.purges(selectors.tag("plan:1"))
        await filled(a, body=b"%d" % number)
        assert (await a.asks("/plans/1")).body == b"%d" % number


async def test_a_purge_during_a_fetch_holds_for_the_hot_copy(replica):
    a, b = await replica(), await replica()
    gate = asyncio.Event()
    a.says(200, b"old", gate=gate)
    asker = a.asking("/plans/1")
    await a.heard(1)
    seq = await b.purges(selectors.tag("plan:1"))
    gate.set()
    await asker
    await a.at_rest()
    await a.ledger.catch_up(seq)
    a.says(200, b"new")
    assert (await a.asks("/plans/1")).body == b"new"


async def test_whoever_has_the_answer_to_a_write_reads_what_was_written_through_any_replica(replica):
    a, b = await replica(purge_wait=20.0, max_lag=0.5, poll=0.1), await replica(max_lag=0.5, poll=0.1)
    for number in range(5):
        await filled(b, body=b"%d" % number)
        assert (await b.asks("/plans/1")).body == b"%d" % number
        a.says(204, b"")
        await a.asks("/admin/plans/1", method="PUT", body=b"{}")
        b.says(200, b"%d" % (number + 1))
        assert (await b.asks("/plans/1")).body == b"%d" % (number + 1)
        await b.at_rest()
        await b.purges(selectors.tag("plan:1"))


async def test_a_write_waits_for_a_replica_that_is_silent_no_longer_than_it_may(replica):
    a, b = await replica(purge_wait=0.05), await replica()
    await filled(b)
    a.says(204, b"")
    async with asyncio.timeout(2):
        assert (await a.asks("/admin/plans/1", method="PUT", body=b"{}")).status == 204
    for task in list(a.background._tasks):
        task.cancel()  # it would wait for the hour that a silent replica may trust its mirror here


async def test_what_another_has_refreshed_is_not_fetched_again(replica):
    a, b = await replica(), await replica()
    await filled(a)
    for stage in (a, b):
        stage.passes(95)  # stale, and past stale-while-revalidate
    await filled(b, body=b"new")
    told = await a.asks("/plans/1")
    assert (told.body, told.outcome) == (b"new", "hit_redis")
    assert len(a.origin.heard) == 1


async def test_what_another_has_dropped_is_not_kept_for_the_next(replica):
    a, b = await replica(), await replica()
    await filled(a, etag='"1"')
    for stage in (a, b):
        stage.passes(95)
    b.says(403)
    await b.asks("/plans/1")
    await b.at_rest()
    a.says(200, b"new")
    await a.asks("/plans/1")
    assert b"if-none-match" not in a.origin.heard[-1].headers  # nothing is left to validate
    await a.at_rest()


class TestAway:
    """Redis is gone."""

    @pytest.fixture
    async def alone(self, replica, own_valkey):
        async def make(*filled_with, **more):
            stage = await replica(own_valkey.url, **more)
            for target in filled_with or ("/plans/1",):
                await filled(
                    stage, target, **({"cache_control": "max-age=60, must-revalidate"} if "must" in target else {})
                )
            own_valkey.kill()
            stage.has_not_looked_for(HOUR)
            stage.ledger._following._asked_at += HOUR - 20  # blind for 20 s
            stage.store._max_lag = 10.0
            return stage

        return make

    async def test_what_is_hot_is_served_and_called_stale(self, alone):
        stage = await alone()
        told = await stage.asks("/plans/1")
        assert (told.status, told.body, told.outcome) == (200, b"old", "stale")
        assert told["x-cache-status"] == "STALE"
        assert "detail=store-unavailable" in told["cache-status"]
        assert len(stage.origin.heard) == 1

    async def test_what_must_be_revalidated_is_never_served_so(self, alone):
        stage = await alone("/plans/must")
        stage.says(200, b"new")
        assert (await stage.asks("/plans/must")).body == b"new"

    async def test_it_ends_with_stale_if_error(self, alone):
        stage = await alone()
        stage.has_not_looked_for(HOUR)
        stage.says(200, b"new")
        assert (await stage.asks("/plans/1")).body == b"new"

    async def test_what_is_stale_by_age_is_asked_for_and_stands_in_if_the_backend_fails_too(self, alone):
        stage = await alone()
        stage.passes(95)
        stage.says(503)
        told = await stage.asks("/plans/1")
        assert (told.body, told.outcome) == (b"old", "stale")
        assert len(stage.origin.heard) == 2

    async def test_what_is_fetched_for_a_copy_meanwhile_stays_here(self, alone):
        stage = await alone()
        stage.passes(95)
        stage.says(200, b"new")
        assert (await stage.asks("/plans/1")).body == b"new"
        await stage.at_rest()
        told = await stage.asks("/plans/1")
        assert (told.body, told.outcome) == (b"new", "stale")

    async def test_the_operator_may_want_none_of_it(self, alone):
        stage = await alone(on_store_failure="pass")
        stage.says(200, b"new")
        assert (await stage.asks("/plans/1")).body == b"new"

    async def test_a_route_that_refuses_still_serves_what_is_hot(self, alone):
        stage = await alone("/plans/1", "/plans/must", rules=STRICT)
        assert (await stage.asks("/plans/1")).outcome == "stale"
        for target in ("/plans/must", "/plans/2"):
            told = await stage.asks(target)
            assert (told.status, told.outcome) == (503, "refused")

    async def test_a_write_that_passes_through_here_ends_it(self, alone):
        stage = await alone()
        assert (await stage.asks("/plans/1")).outcome == "stale"
        stage.says(204, b"")
        await stage.asks("/admin/plans/1", method="PUT", body=b"{}")
        stage.says(200, b"new")
        assert (await stage.asks("/plans/1")).body == b"new"

    async def test_when_it_is_back_what_was_purged_elsewhere_is_gone(self, alone, own_valkey, replica):
        stage = await alone()
        assert (await stage.asks("/plans/1")).outcome == "stale"
        own_valkey.start()  # and has lost everything, the ledger too
        other = await replica(own_valkey.url)
        await other.purges(selectors.tag("plan:1"))
        await until(lambda: not stage.backplane.is_open)
        stage.says(200, b"new")
        told = await stage.asks("/plans/1")
        assert (told.body, told.outcome) == (b"new", "miss")
