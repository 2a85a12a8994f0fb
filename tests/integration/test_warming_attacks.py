"""What lies in Redis is not trusted: a recipe that somebody put there asks for nothing that the rules do not allow."""

from __future__ import annotations

import orjson
import pytest
from warmers import counts, ended, ranked, read, sidecars

from proxy.warming.warming import Order

RECORDS, NOW = "cache:popular:warm:records", "cache:popular:warm:now"
GOOD = {
    "target": "/plans/1",
    "authority": "a.example",
    "scheme": "http",
    "headers": [],
    "selectors": ["all", "route:plan"],
}
WARM = "  - {name: plans, source: popular}"


async def warmed(valkey, record, rules=None):
    """Put a record into Redis, warm, and return what the backend was asked."""
    valkey.command("ZADD", NOW, "1000", "poisoned")
    valkey.command("HSET", RECORDS, "poisoned", record if isinstance(record, bytes) else orjson.dumps(record))
    more = {} if rules is None else {"rules": rules}
    async with sidecars(1, valkey.url, WARM, **more) as ((service,), asked):
        service.house.warming.order(Order(service.house.warming.warmers))
        (run,) = await ended(service, "order")
        assert sum(counts(run).values()) == len(asked.targets)
        return asked


async def test_the_good_one_is_asked(valkey):
    asked = await warmed(valkey, GOOD)
    assert asked.targets == ["/plans/1"]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"target": "/admin/plans/1"}, id="a path that no route serves"),
        pytest.param({"target": "/own/1", "selectors": ["route:own"]}, id="one user's own"),
        pytest.param({"target": "/plans/../own/1"}, id="a path in another form"),
        pytest.param({"target": "/plans/1 HTTP/1.1\r\nX: y"}, id="a second line in the target"),
        pytest.param({"target": "http://169.254.169.254/latest"}, id="another server"),
        pytest.param({"target": "//169.254.169.254/latest"}, id="another server without scheme"),
        pytest.param({"authority": "evil.example"}, id="a host that is not ours"),
        pytest.param({"authority": "a.example\r\nX: y"}, id="a host of two lines"),
        pytest.param({"headers": [["Authorization", "Bearer x"]]}, id="a credential"),
        pytest.param({"headers": [["Cookie", "session=x"]]}, id="a cookie"),
        pytest.param({"headers": [["X-Admin", "1"]]}, id="a field that is not keyed"),
        pytest.param({"headers": [["X-HTTP-Method-Override", "DELETE"]]}, id="another method"),
        pytest.param({"headers": [["Range", "bytes=0-1"]]}, id="a range"),
        pytest.param({"headers": [["If-None-Match", "*"]]}, id="a condition"),
        pytest.param({"headers": [["Accept", "a\r\nX-Admin: 1"]]}, id="a field of two lines"),
        pytest.param({"headers": [["Transfer-Encoding", "chunked"]]}, id="framing"),
        pytest.param({"selectors": ["all", "route:catalog"]}, id="another route's"),
        pytest.param({"selectors": []}, id="no route's"),
    ],
)
async def test_a_poisoned_recipe_asks_nothing(valkey, change):
    asked = await warmed(valkey, {**GOOD, **change})
    assert asked.targets == []


async def test_nor_does_anything_that_is_no_recipe(valkey):
    asked = await warmed(valkey, b"\x80\x05cos\nsystem\n(S'touch /tmp/x'\ntR.")
    assert asked.targets == []


async def test_what_is_asked_carries_nothing_else(valkey):
    asked = await warmed(
        valkey, {**GOOD, "target": "/plans/1?admin=1&debug=yes", "headers": [["Accept-Language", "de"]]}
    )
    (head,) = asked.heads
    names = {line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:] if line}
    assert head.startswith(b"GET /plans/1 HTTP/1.1\r\n")  # what is not keyed is not forwarded
    assert names <= {b"host", b"accept-language", b"via", b"x-forwarded-proto", b"x-forwarded-host", b"x-request-id"}


async def test_the_implicit_route_is_asked_with_harmless_fields_alone(valkey):
    implicit = {**GOOD, "selectors": ["route:implicit"], "headers": [["X-Tenant", "7"]]}
    async with sidecars(1, valkey.url) as ((service,), _):
        from dataclasses import replace

        from proxy.policy.rules import IMPLICIT_ROUTE
        from proxy.popularity.records import unpacked
        from proxy.warming.requests import Bounds, request_for

        book = replace(service.house.parts.book, routes=(), implicit=IMPLICIT_ROUTE)
        assert request_for(unpacked(orjson.dumps(implicit)).recipe, Bounds(book)) is None
        implicit["headers"] = [["Accept", "*/*"]]
        assert request_for(unpacked(orjson.dumps(implicit)).recipe, Bounds(book)) is not None


async def test_a_last_run_that_somebody_wrote_is_shown_as_plain_values_or_not_at_all(valkey):
    async with sidecars(1, valkey.url, WARM) as ((service,), _):
        key = "cache:stats:warm:warm:plans"
        for octets in (b"[1]", b"{", b"x" * 9000):
            valkey.command("HSET", key, "last_run", octets, "errors", "-1", "total_items_warmed", "many")
            shown = (await service.house.warming.document())["warmers"]["plans"]
            assert shown == {"next_run": None, "last_run": None, "total_items_warmed": 0, "errors": 0}
        valkey.command("HSET", key, "last_run", orjson.dumps({"state": "done", "deep": {"a": [1]}, "long": "x" * 600}))
        shown = (await service.house.warming.document())["warmers"]["plans"]
        assert shown["last_run"] == {"state": "done"}


async def test_a_recipe_is_made_of_what_chooses_the_entry_alone(valkey):
    async with sidecars(1, valkey.url, WARM) as ((service,), asked):
        await read(service, "/plans/1?utm=x", "Authorization: Bearer hunter2", "X-Forwarded-For: 192.0.2.1")
        await ranked(service)
        await service.house.ledger.purge(["all"], soft=False, now=0.0)
        service.house.warming.order(Order(service.house.warming.warmers))
        (run,) = await ended(service, "order")
        assert counts(run) == {"warmed": 1}
        assert b"hunter2" not in asked.heads[1]
        assert b"192.0.2.1" not in asked.heads[1]
