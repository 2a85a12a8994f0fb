"""Where a response belongs that the backend hands over."""

from __future__ import annotations

import pytest

from proxy.message.headers import Headers
from proxy.message.response import Response
from proxy.pipeline.handover import NoPlace, Offer, Taken
from proxy.service.control import Steering

RULES = """
version: 1
service: unit
upstream: {url: http://127.0.0.1:1}
hosts: [b.example, a.example]
log: {level: error, hits: 0%}
routes:
  - {name: plan, match: "GET /plans/{id}", authorization: ignore, cookies: ignore, key: {query: [page]}, ttl: 1h}
  - {name: own, match: GET /own, scope: credential, cookies: ignore, ttl: 1h}
  - {name: tenant, match: GET /tenant, authorization: ignore, cookies: ignore, key: {headers: [X-Tenant]}, ttl: 1h}
  - {name: region, match: GET /region, authorization: ignore, cookies: [region], ttl: 1h}
  - {name: off, match: GET /off, enabled: false}
"""


@pytest.fixture(params=["memory", "redis"])
async def steering(play, request, valkey):
    played = await play(RULES, store="memory://" if request.param == "memory" else valkey.url)
    steering = Steering(played.service)
    steering.ask = played.ask
    return steering


async def offered(steering, url, **fields):
    lines = [(name.encode(), value.encode()) for name, value in fields.items()]
    offer = Offer(Response(200, Headers(lines)), b"handed over", await steering.position())
    return await steering.hand_over(url, offer)


async def test_a_bare_path_is_stored_for_every_host(steering):
    taken = await offered(steering, "/plans/1?page=2&utm=x")
    assert isinstance(taken, Taken)
    assert len(set(taken.digests)) == 2
    assert await steering.ask("/plans/1?page=2") == "HIT"
    shown = await steering.entries("/plans/1?page=2")
    assert [(each["key"].removeprefix("cache:response:"), each["seq"], each["fresh"]) for each in shown] == [
        (digest, str(taken.seq), True) for digest in taken.digests
    ]


async def test_a_whole_url_is_stored_for_its_host_alone(steering):
    taken = await offered(steering, "http://b.example/plans/1")
    assert len(taken.digests) == 1
    assert await steering.ask("/plans/1") == "MISS"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        pytest.param("/elsewhere", "no route takes it", id="no route"),
        pytest.param("/own", "no-credential", id="per credential"),
        pytest.param("/tenant", "per value of x-tenant", id="per field"),
        pytest.param("/region", "per value of its cookies", id="per cookie"),
        pytest.param("/off", "disabled", id="switched off"),
        pytest.param("/plans/a%2fb", "path-not-normal", id="a path that is never cached"),
    ],
)
async def test_what_has_no_place_is_refused_and_purges_nothing(steering, url, why):
    before = await steering.position()
    verdict = await offered(steering, url)
    assert isinstance(verdict, NoPlace)
    assert why in verdict.why
    assert await steering.position() == before


@pytest.mark.parametrize("url", ["", "plans/1", "ftp://a.example/"])
async def test_what_is_no_url_is_refused(steering, url):
    with pytest.raises(ValueError, match=r"."):
        await offered(steering, url)


async def test_how_much_may_come_in(steering):
    settings = steering._service.settings
    assert steering.max_body == settings.store.max_body
    assert steering.budget.limit == settings.flights.collecting
