"""Two sidecars on one Redis: reads count together, and each decides by all of them."""

from __future__ import annotations

from clocks import Clock

from proxy.service.control import Steering

RULES = """
version: 1
service: adaptive
upstream: {url: http://127.0.0.1:1}
hosts: [a.example]
log: {level: error, hits: 0%}
memory: {max_size: 0}
routes:
  - name: plan
    match: "GET /plans/{id}"
    authorization: ignore
    cookies: ignore
    ttl: {base: 2h, hot: {above: 10, factor: 2}, cold: {below: 3, factor: 0.5}, window: 1h}
"""
NINE = 500_000 * 3600.0


async def test_what_is_hot_for_all_together_is_hot_for_each(play, valkey):
    clock = Clock(NINE - 30)
    one, two = [await play(RULES, store=valkey.url, wall=clock) for _ in range(2)]

    async def merge():
        for each in (one, two):
            await each.service.house.tallying.merge()

    await merge()
    clock.now = NINE + 1
    await merge()
    for _ in range(6):  # six reads here and six there: neither has ten
        for each in (one, two):
            await each.ask("/plans/busy")
    await one.ask("/plans/quiet")
    while clock.now < NINE + 3601:
        await merge()
        clock.now += 30
    steering = Steering(two.service)
    assert (await steering.entries("/plans/busy"))[0]["reads_last_window"] == 12
    await steering.purge(["all"], soft=False, request_id="r")
    for each, name, lifetime in ((two, "busy", 4), (one, "quiet", 1), (two, "never", 1)):
        await each.ask(f"/plans/{name}")
        (shown,) = await Steering(each.service).entries(f"/plans/{name}")
        assert shown["lifetime"] == lifetime * 3600, name
