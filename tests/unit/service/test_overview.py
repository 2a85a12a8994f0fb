"""What the dashboard shows of purges, replicas and sums."""

from __future__ import annotations

import asyncio

import orjson
import pytest
from servers import until

from proxy.message.errors import StoreError
from proxy.service.control import Steering
from proxy.service.overview import MOST_PURGES, followers, recent_purges


async def test_the_sums_are_those_of_the_service(play):
    played = await play()
    await played.ask("/plans/1")
    await played.ask("/plans/1")
    seen = await Steering(played.service).pulse()
    assert (seen.outcomes["miss"], seen.outcomes["hit_memory"]) == (1, 1)
    assert (sum(seen.cached), sum(seen.fetched)) == (1, 1)
    assert (seen.memory_entries, seen.in_flight) == (1, 0)
    assert seen.memory_bytes > 0


async def test_sums_count_the_hot_tier_before_redis(play, valkey):
    played = await play(store=valkey.url)
    await played.ask("/plans/1")
    assert (await Steering(played.service).pulse()).memory_entries == 1
    bare = await play(store=valkey.url, more="memory: {max_size: 0}\n")
    await bare.ask("/plans/1")
    assert (await Steering(bare.service).pulse()).memory_entries == 0


async def test_in_memory_purges_are_shown_with_their_receipts(play):
    played = await play()
    steering = Steering(played.service)
    await steering.purge(["tag:a"], soft=False, request_id="r-1")
    seq = await steering.purge([f"tag:{n}" for n in range(30)], soft=True, request_id="r-2")
    newest, oldest = await steering.recent_purges()
    assert (newest["seq"], newest["mode"], newest["kind"]) == (str(seq), "soft", "api")
    assert (newest["count"], len(newest["selectors"]), newest["request_id"]) == (30, 10, "r-2")
    assert (newest["replicas"], newest["effective"]) == ({"live": 1, "confirmed": 1}, True)
    assert (oldest["mode"], oldest["selectors"], oldest["failure"]) == ("hard", ["tag:a"], None)
    assert 0 <= newest["at"] - oldest["at"] < 60
    (alone,) = await steering.followers()
    assert (alone["is_this"], alone["current"], alone["looked"], alone["seen"]) == (True, True, 0.0, str(seq))


async def test_on_redis_the_purges_and_replicas_are_everybodys(play, valkey):
    here, there = await play(store=valkey.url), await play(store=valkey.url)
    ours = await Steering(here.service).purge(["tag:a"], soft=False, request_id="r-1")
    theirs = await Steering(there.service).purge(["tag:\udcff"], soft=True, request_id="r-2")
    newest, oldest = await recent_purges(here.service.house)
    assert (newest["seq"], newest["mode"], newest["kind"], newest["request_id"]) == (str(theirs), "soft", None, None)
    assert newest["selectors"] == ["tag:\ufffd"]
    assert (oldest["seq"], oldest["kind"], oldest["request_id"]) == (str(ours), "api", "r-1")
    assert newest["at"] == pytest.approx(theirs.n / 1e6, abs=0.002)
    orjson.dumps([newest, oldest])
    async with asyncio.timeout(30):
        await until(lambda: here.service.house.ledger.known() == there.service.house.ledger.known() == theirs)
        while not (await recent_purges(here.service.house))[1]["effective"]:  # noqa: ASYNC110 - time passes elsewhere
            await asyncio.sleep(0.02)
    mine, other = await followers(here.service.house)
    assert (mine["is_this"], other["is_this"]) == (True, False)
    assert mine["name"] != other["name"]
    assert other["max_lag"] == 0.25
    assert other["looked"] < 30


async def test_no_more_are_shown_than_fit(play, valkey):
    played = await play(store=valkey.url)
    for number in range(MOST_PURGES + 5):
        await Steering(played.service).purge([f"tag:{number}"], soft=False, request_id="")
    shown = await recent_purges(played.service.house)
    assert [line["selectors"] for line in shown] == [[f"tag:{n}"] for n in range(MOST_PURGES + 4, 4, -1)]


async def test_a_purge_that_was_not_acknowledged_is_shown_as_that(play, own_valkey):
    played = await play(store=own_valkey.url)
    steering = Steering(played.service)
    await steering.purge(["tag:a"], soft=False, request_id="r-1")
    own_valkey.kill()
    with pytest.raises(StoreError):
        await steering.purge(["tag:b"], soft=False, request_id="r-2")
    with pytest.raises(StoreError):
        await steering.recent_purges()
    own_valkey.start()
    async with asyncio.timeout(60):
        while True:
            try:
                shown = await steering.recent_purges()
            except StoreError:
                await asyncio.sleep(0.05)
                continue
            if any(line["failure"] for line in shown):
                break
    (failed,) = [line for line in shown if line["failure"]]
    assert (failed["seq"], failed["effective"], failed["request_id"]) == ("", False, "r-2")
    assert failed["replicas"] == {"live": None, "confirmed": None}
