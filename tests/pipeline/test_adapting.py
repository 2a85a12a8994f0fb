"""A ttl that follows the traffic: decided at each fill by the reads of the last full window."""

import pytest

from proxy.message.errors import StoreError
from proxy.observe.events import LifetimeAdapted, ResponseStored
from proxy.policy.adaptive import Step
from proxy.popularity.tallying import Tallying
from tests.pipeline.stage import Stage
from tests.pipeline.test_handover import hands_over

RULES = """
version: 1
service: shop
hosts: [api.example]
defaults: {stale_while_revalidate: 0, stale_if_error: 0, negative_ttl: 30s}
routes:
  - name: plan
    match: "GET /plans/{id}"
    authorization: ignore
    cookies: ignore
    key: {query: [api_key]}
    ttl: {base: 1h, hot: {above: 5, factor: 2}, cold: {below: 2, factor: 0.5}, window: 1h, min: 45m, max: 90m}
  - name: forced
    match: "GET /forced/{id}"
    authorization: ignore
    cookies: ignore
    override: true
    ttl: {base: 1h, hot: {above: 5, factor: 2}, window: 1h}
  - {name: fixed, match: "GET /fixed", authorization: ignore, cookies: ignore, ttl: 1h}
"""
HOUR = 3600.0


class Counting(Stage):
    """A stage whose hours are tallied as they pass."""

    def __init__(self):
        super().__init__(RULES)
        self.tallying = Tallying(
            self.parts.popularity, self.parts.windows, lambda: self.parts.book, self.facts, self.clock
        )

    async def goes_on_until(self, moment):
        while self.clock.now < moment:
            await self.tallying.merge()
            self.passes(min(20.0, moment - self.clock.now))

    async def reads(self, target, times):
        for _ in range(times):
            await self.asks(target)
            await self.at_rest()

    async def lifetime_of(self, target, **fields):
        """Purge, and ask: return the lifetime of what was stored."""
        await self.ledger.purge(["all"], soft=False, now=self.clock())
        self.says(**fields)
        await self.asks(target)
        await self.at_rest()
        return self.facts.of(ResponseStored)[-1].ttl


@pytest.fixture
async def stage():
    stage = Counting()
    stage.clock.now = 500_000 * HOUR - 30
    await stage.goes_on_until(500_000 * HOUR)
    return stage


async def an_hour_with(stage, target, reads):
    stage.says()
    await stage.reads(target, reads)
    await stage.goes_on_until(stage.clock.now + HOUR)


@pytest.mark.parametrize(
    ("reads", "lifetime", "step"),
    [
        pytest.param(6, 1.5 * HOUR, Step.HOT, id="much, at most"),
        pytest.param(5, HOUR, Step.BASE, id="neither"),
        pytest.param(2, HOUR, Step.BASE, id="not little"),
        pytest.param(1, 0.75 * HOUR, Step.COLD, id="little, at least"),
    ],
)
async def test_by_what_was_read_in_the_last_hour(stage, reads, lifetime, step):
    await an_hour_with(stage, "/plans/1", reads)
    assert await stage.lifetime_of("/plans/1") == lifetime
    assert stage.facts.of(LifetimeAdapted)[-1] == LifetimeAdapted("plan", "", step)


async def test_what_nobody_read_in_the_last_hour_is_cold(stage):
    await an_hour_with(stage, "/plans/1", 9)
    assert await stage.lifetime_of("/plans/2") == 0.75 * HOUR


async def test_the_base_before_a_window_was_seen(stage):
    assert await stage.lifetime_of("/plans/1") == HOUR
    assert stage.facts.of(LifetimeAdapted) == [LifetimeAdapted("plan", "", Step.BASE)]


async def test_what_the_backend_says_stays(stage):
    await an_hour_with(stage, "/plans/1", 9)
    assert await stage.lifetime_of("/plans/1", cache_control="max-age=100") == 100
    assert await stage.lifetime_of("/plans/1", status=404) == 30
    assert [each.step for each in stage.facts.of(LifetimeAdapted)] == [Step.BASE]


async def test_but_not_where_the_route_overrides_it(stage):
    await an_hour_with(stage, "/forced/1", 9)
    assert await stage.lifetime_of("/forced/1", cache_control="max-age=100") == 2 * HOUR


async def test_a_304_is_a_fill_too(stage):
    stage.says(etag='"1"')
    await stage.reads("/plans/1", 9)
    await stage.goes_on_until(stage.clock.now + HOUR + 1)
    stage.says(304, b"", etag='"1"')
    assert (await stage.asks("/plans/1")).outcome == "revalidated"
    await stage.at_rest()
    assert stage.facts.of(ResponseStored)[-1].ttl == 1.5 * HOUR


async def test_a_head_that_freshens_too(stage):
    stage.says(etag='"1"')
    await stage.reads("/plans/1", 9)
    await stage.goes_on_until(stage.clock.now + HOUR + 1)
    stage.says(200, etag='"1"')
    await stage.asks("/plans/1", method="HEAD")
    await stage.at_rest()
    assert stage.facts.of(ResponseStored)[-1].ttl == 1.5 * HOUR


async def test_what_is_handed_over_too(stage):
    await an_hour_with(stage, "/plans/1", 9)
    assert (await hands_over(stage, "/plans/1")).freshness.lifetime == 1.5 * HOUR
    assert (await hands_over(stage, "/plans/1", cache_control="max-age=100")).freshness.lifetime == 100


async def test_what_is_somebody_s_own_is_not_counted_and_so_not_cold(stage):
    await an_hour_with(stage, "/plans/1?api_key=s3cret", 9)
    assert await stage.lifetime_of("/plans/1?api_key=s3cret") == HOUR


async def test_a_fixed_ttl_follows_nothing(stage):
    await an_hour_with(stage, "/fixed", 9)
    assert await stage.lifetime_of("/fixed") == HOUR
    assert stage.facts.of(LifetimeAdapted) == []


class Away:
    async def last(self, *_):
        raise StoreError("away")


async def test_while_the_counts_cannot_be_read_it_is_the_base(stage):
    object.__setattr__(stage.parts, "windows", Away())
    assert await stage.lifetime_of("/plans/1") == HOUR
