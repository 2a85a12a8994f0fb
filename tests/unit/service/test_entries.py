"""What is stored for a URL, as the admin listener shows it."""

from __future__ import annotations

import pytest
from clocks import Clock

from proxy.service.control import Steering

RULES = """
version: 1
service: unit
upstream: {url: http://127.0.0.1:1}
hosts: [a.example]
log: {level: error, hits: 0%}
namespaces: {plans: {version: v2, ttl: 1h}}
routes:
  - {name: plan, match: "GET /plans/{id}", namespace: plans, id: "{id}", authorization: ignore, cookies: ignore, tags: ["plan:{id}"], key: {query: [page]}}
  - {name: own, match: GET /own, scope: credential, cookies: ignore, ttl: 1h}
"""
START = 1_800_000_000.0


@pytest.fixture(params=["memory", "redis"])
async def played(play, request, valkey):
    clock = Clock(START)
    answers = {
        "/plans/2": ["Vary: Accept-Language"],
        "/plans/3": ["Cache-Control: private"],
        "/plans/4": ["Cache-Control: max-age=60, stale-if-error=5", "Surrogate-Key: extra"],
        "/plans/5": ["Cache-Control: no-store"],
    }
    store = "memory://" if request.param == "memory" else valkey.url
    played = await play(RULES, store=store, answers=answers, wall=clock)
    played.clock, played.steering = clock, Steering(played.service)
    return played


async def test_a_stored_response_is_shown_without_its_body(played):
    await played.ask("/plans/1?page=2&utm=x")
    played.clock.now += 7.5
    (shown,) = await played.steering.entries("/plans/1?page=2&other=y")
    assert shown["key"].startswith("cache:response:")
    expected = {
        "route": "plan", "logical_key": "plans:v2:1", "vary": [], "variants": 0, "status": 200, "bytes": 5, "age": 7.5,
        "lifetime": 3600.0, "fresh": True, "purged": False, "soft_purged_at": None,
    }  # fmt: skip
    assert {name: shown[name] for name in expected} == expected
    assert set(shown["selectors"]) >= {"all", "tag:plan:1", "key:plans:v2:1", "url:/plans/1?page=2", "ns:plans"}
    assert shown["seq"] == str(await played.steering.position())
    assert not [value for value in shown.values() if value in (b"hello", "hello")]


async def test_the_backends_word_is_shown_as_such(played):
    await played.ask("/plans/4")
    played.clock.now += 61
    (shown,) = await played.steering.entries("http://a.example/plans/4")
    assert (shown["lifetime"], shown["stale_if_error"], shown["fresh"]) == (60.0, 5.0, False)
    assert shown["lifetime_from"] != (await lifetime_from(played, "/plans/1"))
    assert "tag:extra" in shown["selectors"]


async def lifetime_from(played, url):
    await played.ask(url)
    (shown,) = await played.steering.entries(url)
    return shown["lifetime_from"]


@pytest.mark.parametrize("soft", [False, True])
async def test_a_purge_is_shown(played, soft):
    await played.ask("/plans/1")
    await played.steering.purge(["tag:plan:1"], soft=soft, request_id="r")
    (shown,) = await played.steering.entries("/plans/1")
    assert (shown["purged"], shown["soft_purged_at"] is not None) == (not soft, soft)


async def test_variants_are_counted_and_the_bare_one_shown(played):
    await played.ask("/plans/2", "Accept-Language: de")
    (shown,) = await played.steering.entries("/plans/2")
    assert (shown["vary"], shown["variants"]) == (["accept-language"], 1)
    assert "status" not in shown
    await played.ask("/plans/2")
    (shown,) = await played.steering.entries("/plans/2")
    assert (shown["variants"], shown["status"]) == (2, 200)


async def test_a_mark_says_why_nothing_is_kept(played):
    await played.ask("/plans/3")
    (shown,) = await played.steering.entries("/plans/3")
    assert shown["uncacheable"] == "private"
    assert shown["until"] > START
    assert "status" not in shown


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("/plans/1", id="never asked for"),
        pytest.param("/elsewhere", id="no route"),
        pytest.param("/own", id="a credential is missing"),
        pytest.param("/plans/%2e%2e/1", id="a path that is never cached"),
    ],
)
async def test_what_is_not_there_is_nothing(played, url):
    assert await played.steering.entries(url) == []


@pytest.mark.parametrize("url", ["", "plans/1", "ftp://a.example/"])
async def test_what_is_no_url_is_refused(played, url):
    with pytest.raises(ValueError, match=r"."):
        await played.steering.entries(url)


async def test_a_bare_path_is_not_enough_where_the_host_is_keyed_and_could_be_any(play):
    played = await play(RULES.replace("hosts: [a.example]\n", ""))
    with pytest.raises(ValueError, match="expected a whole URL"):
        await Steering(played.service).entries("/plans/1")


async def test_a_bare_path_is_looked_up_under_every_host(play):
    played = await play(RULES.replace("hosts: [a.example]", "hosts: [b.example, a.example]"))
    await played.ask("/plans/1")
    (shown,) = await Steering(played.service).entries("/plans/1")
    assert shown["status"] == 200


async def test_where_a_ttl_follows_the_traffic_the_reads_and_the_next_step_are_shown(play):
    clock = Clock(START)
    ttl = "{base: 1h, hot: {above: 3, factor: 2}, window: 1h}"
    rule = f"{{name: busy, match: GET /busy, authorization: ignore, cookies: ignore, ttl: {ttl}}}"
    played = await play(f"{RULES}  - {rule}\n", wall=clock)
    clock.now = START - START % 3600 + 3600 - 20
    tallying, steering = played.service.house.tallying, Steering(played.service)
    for number in range(182):
        await tallying.merge()
        clock.now += 20
        if number < 5:
            await played.ask("/busy")
    (shown,) = await steering.entries("/busy")
    assert (shown["reads_last_window"], shown["next_step"], shown["lifetime"]) == (5, "hot", 3600)
    await steering.purge(["all"], soft=False, request_id="r")
    await played.ask("/busy")
    (shown,) = await steering.entries("/busy")
    assert (shown["lifetime"], shown["lifetime_from"]) == (7200, "route")
    line = (await steering.stats())["routes"]["busy"]
    assert line["ttl_steps"] == {"base": 1, "hot": 1, "cold": 0}
    await played.ask("/plans/1")
    assert "next_step" not in (await steering.entries("/plans/1"))[0]
