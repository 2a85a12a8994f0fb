"""Warmers on running sidecars: what they fetch, when, and that nobody else has to wait for them."""

from __future__ import annotations

import asyncio

import pytest
from servers import until
from warmers import RULES, counts, ended, ranked, read, runs, sidecars

from proxy.warming.purges import GATHERED_FOR

POPULAR = "  - {name: plans, route: plan, source: popular, limit: 2}"


async def ordered(service, **order):
    """Warm as the admin API would, and wait for the end."""
    from proxy.admin.warming import WarmOrder

    before = len(runs(service, "order"))
    job = await service.house_steering.warm(WarmOrder(**order))
    await ended(service, "order", before + len(job["runs"]))
    return runs(service, "order")[before:]


@pytest.fixture(autouse=True)
def steering(monkeypatch):
    from proxy.service import Service
    from proxy.service.control import Steering

    monkeypatch.setattr(Service, "house_steering", property(Steering), raising=False)


async def test_the_most_read_are_fetched_again_and_what_is_fresh_is_not(valkey):
    async with sidecars(store=valkey.url, warm=POPULAR) as ((service,), asked):
        for number, times in ((1, 2), (2, 5), (3, 3)):
            await read(service, f"/plans/{number}", times=times)
        await read(service, "/plans/catalog", times=9)
        await ranked(service)
        await service.house.ledger.purge(["plan:2", "tag:plan:3"], soft=False, now=0.0)
        asked.targets.clear()
        (run,) = await ordered(service, names=("plans",))
        assert (counts(run), asked.targets) == ({"warmed": 1, "fresh": 1}, ["/plans/3"])
        assert await read(service, "/plans/3") == "HIT"


async def test_a_start_warms_what_was_popular_before(valkey):
    async with sidecars(store=valkey.url) as ((service,), _):
        await read(service, "/plans/7", times=3)
        await ranked(service)
        await service.house.ledger.purge(["all"], soft=False, now=0.0)
    async with sidecars(3, valkey.url, "  - {name: plans, when: [startup], source: popular}") as (services, asked):
        await until(lambda: any(run.ended for service in services for run in runs(service)))
        made = [run for service in services for run in runs(service, "startup")]
        assert [counts(run) for run in made] == [{"warmed": 1}]
        assert asked.targets == ["/plans/7"]


async def test_readiness_does_not_wait_for_a_start_that_takes_long(valkey):
    async with sidecars(store=valkey.url) as ((service,), _):
        await read(service, "/plans/7", times=3)
        await ranked(service)
        await service.house.ledger.purge(["all"], soft=False, now=0.0)
    warm = "  - {name: plans, when: [startup], source: popular}"
    async with sidecars(1, valkey.url, warm, held=True) as ((service,), asked):
        assert service.is_ready
        await asked.was_asked(1)
        assert runs(service)[0].state == "running"


async def test_after_a_purge_the_most_read_of_what_it_hit_is_warm_again(valkey):
    async with sidecars(2, valkey.url, "  - {name: plans, when: [purge], route: plan, limit: 2}") as (services, asked):
        for number, times in ((1, 2), (2, 5), (3, 3)):
            await read(services[0], f"/plans/{number}", times=times)
        await read(services[0], "/plans/catalog")
        await ranked(*services)
        asked.targets.clear()
        await services[0].house.ledger.purge(["tag:plans", "path:/plans/catalog"], soft=False, now=0.0)
        await until(lambda: any(run.ended for service in services for run in runs(service, "purge")))
        assert sorted(asked.targets) == ["/plans/2", "/plans/3"]
        assert sum(len(runs(service, "purge")) for service in services) == 1
        asked.targets.clear()
        await services[1].house.ledger.purge(["path:/plans/catalog"], soft=False, now=0.0)
        await asyncio.sleep(2 * GATHERED_FOR)  # of what both replicas do until then, nothing is to be seen
        assert asked.targets == []  # nothing of the warmer's route
        assert sum(len(runs(service, "purge")) for service in services) == 1


async def test_urls_are_warmed_in_the_name_of_the_clients(valkey):
    async with sidecars(
        store=valkey.url, warm="  - {name: few, source: {urls: [/plans/1, 'http://a.example/plans/2']}}"
    ) as (
        (service,),
        asked,
    ):
        (run,) = await ordered(service, names=("few",))
        assert (counts(run), sorted(asked.targets)) == ({"warmed": 2}, ["/plans/1", "/plans/2"])
        assert [await read(service, f"/plans/{number}") for number in (1, 2)] == ["HIT", "HIT"]


async def test_a_list_of_the_backend_names_the_items(valkey):
    warm = '  - {name: listed, route: plan, source: {list: "/plans/catalog?page=1", items: "items[].id"}, limit: 3}'
    async with sidecars(store=valkey.url, warm=warm) as ((service,), asked):
        body = b'{"items": [{"id": 4}, {"id": "5"}, {"id": "x"}, {"id": 6}, {"id": 7}]}'
        asked.says["/plans/catalog?page=1"] = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        (run,) = await ordered(service, names=("listed",))
        assert (counts(run), run.error) == ({"warmed": 3}, "")
        assert sorted(asked.targets) == ["/plans/4", "/plans/5", "/plans/6", "/plans/catalog?page=1"]


@pytest.mark.parametrize(
    ("says", "error"),
    [
        pytest.param(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "the list was answered with 500", id="a failure"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{", "the list is not JSON", id="no JSON"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "the list has nothing at items[].id", id="no items"
        ),
        pytest.param(
            b'HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n{"items": [{"id": "x"}]}',
            "no item of the list makes a path of the route plan",
            id="other items",
        ),
    ],
)
async def test_a_list_that_is_none_is_an_error_and_not_complete(valkey, says, error):
    warm = '  - {name: listed, route: plan, source: {list: "/plans/catalog?page=1", items: "items[].id"}}'
    async with sidecars(store=valkey.url, warm=warm) as ((service,), asked):
        asked.says["/plans/catalog?page=1"] = says
        (run,) = await ordered(service, names=("listed",))
        assert (run.state, run.error) == ("failed", error)


async def test_what_was_not_kept_is_not_warmed(valkey):
    """An answer that nobody can be served later has warmed nothing, whatever its status."""
    urls = "/private/1, /private/2, /private/3, /plans/1"
    async with sidecars(store=valkey.url, warm=f"  - {{name: all, source: {{urls: [{urls}]}}}}") as ((service,), asked):
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
        asked.says |= {
            "/private/1": head + b"Cache-Control: private\r\n\r\n",
            "/private/2": head + b"Set-Cookie: a=b\r\n\r\n",
            "/private/3": b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
        }
        (run,) = await ordered(service, names=("all",))
        assert counts(run) == {"warmed": 1, "failed": 3}
        assert dict(run.reasons) == {"private": 1, "set-cookie": 1, "status-404": 1}
        (run,) = await ordered(service, names=("all",))
        assert counts(run) == {"fresh": 2, "skipped": 2}


async def test_the_deadline_ends_a_run(valkey):
    warm = "  - {name: slow, source: {urls: [/plans/1, /plans/2]}, deadline: 50ms, concurrency: 1}"
    async with sidecars(store=valkey.url, warm=warm) as ((service,), asked):
        asked.gate.clear()
        (run,) = await ordered(service, names=("slow",))
        assert (counts(run), dict(run.reasons)) == ({"skipped": 2}, {"deadline": 2})


async def test_what_is_warmed_is_not_popular_for_it(valkey):
    async with sidecars(store=valkey.url, warm="  - {name: few, source: {urls: [/plans/1]}}") as ((service,), _):
        for _ in range(3):
            await ordered(service, names=("few",))
            await service.house.ledger.purge(["all"], soft=False, now=0.0)
        await ranked(service)
        assert await service.house.ranking.most_read(9) == []


async def test_whether_anybody_reads_what_was_warmed_is_said(valkey):
    async with sidecars(store=valkey.url, warm="  - {name: few, source: {urls: [/plans/1, /plans/2]}}") as (
        (service,),
        _,
    ):
        (first,) = await ordered(service, names=("few",))
        await read(service, "/plans/1")
        await ranked(service)
        (second,) = await ordered(service, names=("few",))
        (third,) = await ordered(service, names=("few",))
        assert [run.read_since for run in (first, second, third)] == [None, 0.5, 0.0]


async def test_a_live_request_finds_a_place_while_a_warmer_runs(valkey):
    """Twelve places, a warmer that would take a hundred: the live ones are answered first."""
    urls = ", ".join(f"/plans/{number}" for number in range(100))
    warm = f"  - {{name: many, source: {{urls: [{urls}]}}, concurrency: 100, deadline: 20s}}"
    rules = RULES.replace("http://127.0.0.1:1}", "http://127.0.0.1:1, max_concurrent: 12}")
    async with sidecars(store=valkey.url, warm=warm, rules=rules) as ((service,), asked):
        from proxy.admin.warming import WarmOrder

        asked.gate.clear()
        await service.house_steering.warm(WarmOrder(names=("many",)))
        service.house.warming._crew.pace._allowed = 100.0  # the backend bears it
        await asked.was_asked(9)
        courtesy, turned_away = service.house.warming._crew.courtesy, []
        has_room = courtesy.has_room
        courtesy.has_room = lambda: has_room() or turned_away.append(1) or False
        await until(lambda: len(turned_away) > 9)
        assert asked.in_flight == 9  # a quarter is live traffic's
        live = [asyncio.create_task(read(service, f"/plans/{number}")) for number in (901, 902, 903)]
        await asked.was_asked(12)
        assert service.house.origin.waiting == 0
        asked.gate.set()
        assert await asyncio.gather(*live) == ["MISS"] * 3
        (run,) = await ended(service, "order")
        assert counts(run) == {"warmed": 100}
        assert asked.most_in_flight <= 12
