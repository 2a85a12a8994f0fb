"""A user's own entry is refreshed ahead of its end by that user's own hits, and the credential is nowhere after that."""

from __future__ import annotations

import asyncio
import base64
import gc
import json

import pytest
from clocks import NOON

from proxy.message.errors import OriginError
from proxy.message.request import Request
from proxy.pipeline import ahead
from proxy.pipeline.ahead import Tried
from proxy.pipeline.fill import Crew
from proxy.pipeline.visit import Visit
from proxy.policy import keys
from tests.pipeline.rules import PLANS
from tests.pipeline.stage import Stage

ONE, TWO = "Bearer s3cret-of-one", "Bearer s3cret-of-two"
NOWHERE = "Bearer s3cret-of-nobody-else"


@pytest.fixture
def stage():
    return Stage(PLANS)


async def stored(stage, body=b"old", token=ONE, **fields):
    stage.says(body=body, **fields)
    assert (await stage.asks("/mine", authorization=token)).outcome == "miss"
    await stage.at_rest()


async def test_a_late_hit_is_served_at_once_and_refreshes_with_its_own_credential(stage):
    await stored(stage)
    await stored(stage, b"another's", TWO)
    stage.passes(55)
    gate = asyncio.Event()
    stage.says(body=b"new", gate=gate)
    told = await stage.asks("/mine", authorization=ONE)
    assert (told.outcome, told.body, told["age"]) == ("hit_memory", b"old", "55")
    assert (await stage.asks("/mine", authorization=ONE)).body == b"old", "nobody waits"
    gate.set()
    await stage.at_rest()
    assert [outgoing.headers.get(b"authorization") for outgoing in stage.origin.heard] == [
        ONE.encode(), TWO.encode(), ONE.encode(),
    ]  # fmt: skip
    stage.passes(50)
    told = await stage.asks("/mine", authorization=ONE)
    assert (told.outcome, told.body, told["age"]) == ("hit_memory", b"new", "50")


async def test_who_is_not_there_causes_no_fetch(stage):
    await stored(stage)
    stage.passes(600)
    await stage.at_rest()
    assert len(stage.origin.heard) == 1


@pytest.mark.parametrize(
    ("target", "fields", "seconds"),
    [
        pytest.param("/mine", {"authorization": ONE}, 53, id="not late enough"),
        pytest.param("/plans/1", {}, 55, id="what is everybody's"),
        pytest.param("/mine", {"authorization": ONE, "cache_control": "only-if-cached"}, 55, id="from the cache alone"),
    ],
)
async def test_other_hits_refresh_nothing(stage, target, fields, seconds):
    stage.says()
    await stage.asks(target, **{name: value for name, value in fields.items() if name == "authorization"})
    await stage.at_rest()
    stage.passes(seconds)
    assert (await stage.asks(target, **fields)).outcome == "hit_memory"
    await stage.at_rest()
    assert len(stage.origin.heard) == 1


async def test_what_may_never_be_stale_is_refreshed_ahead_too(stage):
    await stored(stage, cache_control="max-age=100, must-revalidate", etag='"1"')
    stage.passes(95)
    stage.says(304, b"", cache_control="max-age=100, must-revalidate", etag='"1"')
    assert (await stage.asks("/mine", authorization=ONE)).outcome == "hit_memory"
    await stage.at_rest()
    assert stage.origin.heard[-1].headers.get(b"if-none-match") == b'"1"'
    stage.passes(50)
    assert (await stage.asks("/mine", authorization=ONE))["age"] == "50"


def a_token(exp):
    part = base64.urlsafe_b64encode(json.dumps({"sub": "one", "exp": exp}).encode()).rstrip(b"=").decode()
    return f"Bearer h.{part}.s"


async def test_where_the_credential_ends_first_there_is_nothing_to_gain(stage):
    token = a_token(NOON + 58)
    await stored(stage, token=token)
    stage.passes(56)
    assert (await stage.asks("/mine", authorization=token)).outcome == "hit_memory"
    await stage.at_rest()
    assert len(stage.origin.heard) == 1


@pytest.mark.parametrize(
    "says",
    [
        pytest.param({"status": 503}, id="an error"),
        pytest.param({"error": OriginError("no answer", 504)}, id="nothing"),
    ],
)
async def test_a_backend_that_fails_is_asked_once_for_each_copy(stage, says):
    await stored(stage)
    stage.passes(55)
    stage.says(**says)
    for _ in range(5):
        assert (await stage.asks("/mine", authorization=ONE)).body == b"old"
        await stage.at_rest()
    assert len(stage.origin.heard) == 2


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_who_may_no_longer_see_it_does_not_see_it(stage, status):
    await stored(stage)
    stage.passes(55)
    stage.says(status, b"gone", cache_control="no-store")
    await stage.asks("/mine", authorization=ONE)
    await stage.at_rest()
    stage.says(status, b"gone", cache_control="no-store")
    told = await stage.asks("/mine", authorization=ONE)
    assert (told.status, told.body) == (status, b"gone")


async def test_a_purge_during_the_refresh_is_not_undone(stage):
    await stored(stage)
    stage.passes(55)
    gate = asyncio.Event()
    stage.says(body=b"read before the purge", gate=gate)
    await stage.asks("/mine", authorization=ONE)
    await stage.heard(2)
    await stage.ledger.purge(["route:mine"], soft=False, now=stage.clock())
    gate.set()
    await stage.at_rest()
    stage.says(body=b"new")
    assert (await stage.asks("/mine", authorization=ONE)).body == b"new"


async def test_who_waits_for_a_fetch_and_finds_a_late_copy_gets_it(stage):
    """(1) one misses, (2) before its flight looks again there is a copy, near its end."""
    await stored(stage)
    stage.passes(55)
    request = stage.request("/mine", authorization=ONE)
    visit = _visit(stage, request)
    flight = stage.parts.flights.start_alone(visit.key.cache.digest, Crew(stage.parts, visit).fly, leader=True)
    landing = await flight.lead()
    assert landing.how == "found"
    assert len(stage.origin.heard) == 1


def _visit(stage, request):
    matched = stage.parts.book.route_for(b"GET", request.path)
    key = keys.key_for(request, matched, stage.parts.book)
    return Visit(request, matched, key, stage.parts.book, stage.parts.forwarding, None)


@pytest.mark.parametrize("seconds", [pytest.param(55, id="ahead"), pytest.param(75, id="behind a stale answer")])
async def test_after_the_refresh_the_credential_is_nowhere(stage, seconds):
    await stored(stage, token=NOWHERE)
    stage.passes(seconds)
    stage.says(body=b"new")
    told = await stage.asks("/mine", authorization=NOWHERE)
    assert told.body == b"old"
    await stage.at_rest()
    assert (await stage.asks("/mine", authorization=NOWHERE)).body == b"new"
    assert stage.origin.heard[-1].headers.get(b"authorization") == NOWHERE.encode()
    stage.origin.heard.clear()
    stage.origin.bodies.clear()
    del told
    gc.collect()

    requests = [one for one in gc.get_objects() if isinstance(one, Request)]
    assert [one for one in requests if one.headers.get(b"authorization") == NOWHERE.encode()] == []
    assert len(stage.parts.popularity) == 0
    assert "s3cret" not in repr(vars(stage.store)) + repr(vars(stage.parts.tried))
    assert not [event for event in stage.facts.told if "s3cret" in repr(event)]


def test_copies_that_were_tried_for_are_remembered_within_a_bound(monkeypatch):
    monkeypatch.setattr(ahead, "MOST", 2)
    tried = Tried()
    assert [tried.is_first("a", 1.0), tried.is_first("a", 1.0), tried.is_first("a", 2.0)] == [True, False, True]
    assert [tried.is_first("b", 1.0), tried.is_first("c", 1.0), tried.is_first("a", 2.0)] == [True, True, True]
    assert len(tried._copies) <= 2
