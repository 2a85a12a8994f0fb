"""What the admin listener may do with a service, and the numbers that it gets."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import fields
from types import SimpleNamespace

import pytest
from servers import Valkey, until

from proxy.message.errors import StoreError
from proxy.message.selectors import EVERYTHING
from proxy.observe.events import Purged, StoreAnswered
from proxy.observe.gauges import Gauges
from proxy.observe.options import LogOptions
from proxy.observe.stats import RedisFacts
from proxy.service import control
from proxy.service.control import Steering
from proxy.service.redisfacts import REDIS_FACTS
from tests.unit.service.conftest import RULES

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def limited_valkey():
    with closing(Valkey("--maxmemory", "64mb")) as server:
        yield server.start()


async def test_every_gauge_of_a_service_in_memory(play):
    played = await play(more="memory: {max_size: 4KiB}\nstore: {max_body: 1KiB}\n")
    for number in range(20):
        await played.ask(f"/plans/{number}")
    steering = Steering(played.service)
    await steering.purge(["tag:a", "tag:b"], soft=False, request_id="r")
    seen = steering.gauges()
    store = played.service.house.store
    assert (seen.memory_bytes, seen.memory_entries) == (store.size, len(store))
    assert 0 < seen.memory_bytes <= 4096
    assert seen.memory_evictions > 0
    assert seen.purge_selectors == 2
    assert (seen.upstream_in_flight, seen.config_reload_ok) == (0, True)
    assert seen.config_hash == played.service.settings.fingerprint != ""
    assert (seen.purge_mirror_lag, seen.redis_memory_ratio) == (None, None), "there is neither"


async def test_every_gauge_of_a_service_on_redis(play, limited_valkey):
    played = await play(store=limited_valkey.url)
    await played.ask("/plans/1")
    steering = Steering(played.service)
    await steering.purge(["tag:a"], soft=False, request_id="r")
    assert steering.gauges().redis_memory_ratio is None, "a scrape does not wait"
    async with asyncio.timeout(10):
        await until(lambda: len(played.service.house.background) == 0)
    seen = steering.gauges()
    assert 0 < seen.redis_memory_ratio < 1
    assert 0 <= seen.purge_mirror_lag < 5
    assert seen.purge_selectors == 1
    assert (seen.memory_entries, seen.memory_evictions) == (1, 0)
    assert 0 < seen.memory_bytes < 10_000


def test_no_gauge_is_left_out():
    with open(control.__file__) as text:  # noqa: PTH123
        made = text.read().partition("return Gauges(")[2]
    assert [field.name for field in fields(Gauges) if f"{field.name}=" not in made] == []


async def test_scrapes_ask_redis_at_most_every_ten_seconds(play, valkey, told, monkeypatch):
    played = await play(store=valkey.url)
    now = 1000.0
    monkeypatch.setattr(control, "time", SimpleNamespace(monotonic=lambda: now, perf_counter=lambda: now))
    steering = Steering(played.service)

    async def scraped() -> int:
        for _ in range(5):
            await steering.metrics()
            await until(lambda: len(played.service.house.background) == 0)
        return len([event for event in told.of(StoreAnswered) if event.operation == "info"])

    assert await scraped() == 1
    now += control.REDIS_ASKED_EVERY - 0.1
    assert await scraped() == 1
    now += 0.1
    assert await scraped() == 2
    await steering.stats()
    assert await scraped() == 3, "what the statistics asked is good for scrapes, too"


async def test_a_scrape_does_not_wait_for_a_redis_that_hangs(play, own_valkey):
    played = await play(store=own_valkey.url)
    steering = Steering(played.service)
    own_valkey.pause()
    try:
        text, _ = await steering.metrics()
        assert b"sapwood_upstream_in_flight" in text
        assert len(played.service.house.background) == 1, "it is being asked"
    finally:
        own_valkey.resume()


async def test_the_facts_have_the_names_that_the_backplane_gives_them(play, valkey):
    assert set(REDIS_FACTS) == {field.name for field in fields(RedisFacts)}
    played = await play(store=valkey.url)
    info = await played.service.house.backplane.info()
    assert set(REDIS_FACTS.values()) <= set(info)


async def test_statistics_of_redis_are_its_own(play, limited_valkey):
    played = await play(store=limited_valkey.url)
    await played.ask("/plans/1")
    seen = await Steering(played.service).stats()
    assert seen["connected_clients"] >= 1
    assert seen["redis_keyspace_misses"] >= 1
    assert 0 < seen["redis_memory_ratio"] < 1
    assert seen["cache_misses"] == 1
    limited_valkey.kill()
    later = await Steering(played.service).stats()
    assert {later[name] for name in ("connected_clients", "redis_keyspace_misses", "used_memory_human")} == {None}


async def test_statistics_in_memory_know_no_redis(play):
    played = await play()
    assert (await Steering(played.service).stats())["connected_clients"] is None


@pytest.mark.parametrize("soft", [False, True])
async def test_a_purge_is_told_whichever_way_it_went(play, told, soft):
    played = await play()
    seq = await Steering(played.service).purge(["tag:a"], soft=soft, request_id="r-1")
    mode = "soft" if soft else "hard"
    assert told.of(Purged) == [Purged("api", mode, ("tag:a",), str(seq), "r-1")]
    assert await Steering(played.service).position() == seq

    failing = await play(store=NOWHERE)
    with pytest.raises(StoreError):
        await Steering(failing.service).purge([EVERYTHING], soft=soft, request_id="r-2")
    failed = told.of(Purged)[1]
    assert (failed.kind, failed.mode, failed.seq, failed.request_id) == ("api", mode, "", "r-2")
    assert failed.failure


async def test_health_asks_the_store(play, own_valkey):
    steering = Steering((await play()).service)
    in_memory = await steering.health()
    assert (in_memory.store_kind, in_memory.store_latency, in_memory.ready) == ("memory", 0.0, True)
    assert in_memory.upstream_answers is None
    played = await play(store=own_valkey.url)
    await played.ask("/plans/1")
    alive = await Steering(played.service).health()
    assert (alive.store_kind, alive.store_is_up, alive.upstream_answers) == ("redis", True, True)
    assert alive.store_latency > 0
    own_valkey.kill()
    assert not (await Steering(played.service).health()).store_is_up


async def test_the_configuration_is_shown_with_its_hash(play):
    steering = Steering((await play()).service)
    shown = steering.config()
    assert shown["config"]["service"] == "unit"
    assert shown["hash"] in (await steering.metrics())[0].decode()


async def test_explain_speaks_of_the_running_rules(play):
    steering = Steering((await play()).service)
    assert steering.explain("GET", "/plans/1", [])["route"] == "plan"
    assert steering.book.route_for(b"GET", b"/plans/1").route.name == "plan"


async def test_it_is_ready_between_start_and_stop(play):
    played = await play()
    steering = Steering(played.service)
    assert (steering.alive(), steering.ready()) == (True, True)
    await played.service.stop()
    assert not steering.ready()


async def test_the_log_is_changed_until_the_next_reload(play):
    played = await play(load=lambda: RULES)
    steering = Steering(played.service)
    assert (steering.log_options.level, steering.log_options.hits) == ("error", 0.0)
    await steering.use_log(LogOptions(level="debug", hits=1.0))
    assert played.service.house.logs.options == LogOptions(level="debug", hits=1.0)
    assert not await steering.reload()
    assert (steering.log_options.level, steering.log_options.hits) == ("error", 0.0)
