"""What a client gets from the cache: hits, stale answers, conditions, ranges, HEAD, and the fields of ours."""

import asyncio

import pytest

from proxy.message.errors import OriginError, StoreError
from proxy.observe.events import OriginAnswered, ResponseStored
from proxy.store.memory import MemoryStore
from proxy.store.options import StoreOptions
from tests.pipeline.rules import PLANS
from tests.pipeline.stage import Stage

TOKEN_ONE = "Bearer one"
TOKEN_TWO = "Bearer two"


@pytest.fixture
def stage():
    return Stage(PLANS)


async def test_a_miss_then_a_hit(stage):
    stage.says(200, b"plan", content_type="text/plain", x_twice="a")
    miss = await stage.asks("/plans/1")
    await stage.at_rest()
    stage.passes(10)
    hit = await stage.asks("/plans/1")
    assert (miss.outcome, hit.outcome) == ("miss", "hit_memory")
    assert miss["cache-status"] == "sapwood; fwd=uri-miss; fwd-status=200; stored"
    assert hit["cache-status"] == "sapwood; hit; ttl=50"
    assert (miss["x-cache-status"], hit["x-cache-status"]) == ("MISS", "HIT")
    assert (miss["age"], hit["age"]) == (None, "10")
    assert hit.body == b"plan"
    assert hit["content-type"] == "text/plain"
    assert hit.facts.age == 10
    (stored,) = stage.facts.of(ResponseStored)
    assert (stored.route, stored.namespace, stored.ttl) == ("plan", "plans", 60)
    assert [event.status for event in stage.facts.of(OriginAnswered)] == [200]


async def test_what_is_not_keyed_is_not_forwarded(stage):
    stage.says()
    await stage.asks("/plans/1?zip=7&utm_source=x", authorization=TOKEN_ONE, cookie="a=b", x_secret="s", accept="*/*")
    (asked,) = stage.origin.heard
    assert asked.target == b"/plans/1?zip=7"
    for name in (b"authorization", b"cookie", b"x-secret"):
        assert name not in asked.headers
    assert asked.headers.get(b"accept") == b"*/*"
    await stage.at_rest()
    assert (await stage.asks("/plans/1?zip=7", authorization=TOKEN_TWO)).outcome == "hit_memory"


async def test_two_users_never_see_each_others_data(stage):
    stage.says(200, b"one's")
    await stage.asks("/mine", authorization=TOKEN_ONE)
    stage.says(200, b"two's")
    await stage.asks("/mine", authorization=TOKEN_TWO)
    await stage.at_rest()
    assert (await stage.asks("/mine", authorization=TOKEN_ONE)).body == b"one's"
    assert (await stage.asks("/mine", authorization=TOKEN_TWO)).body == b"two's"
    stage.says(401, b"who are you")
    nobody = await stage.asks("/mine")
    assert (nobody.status, nobody.outcome) == (401, "bypass")


async def test_a_silent_backend_under_credentials_keeps_browsers_from_reusing(stage):
    stage.says(200, b"one's")
    told = await stage.asks("/mine", authorization=TOKEN_ONE)
    assert told["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        pytest.param({"authorization": TOKEN_ONE}, "authorization", id="a credential on a route that is silent of it"),
        pytest.param({"cookie": "a=b"}, "cookie", id="a cookie on a route that is silent of it"),
        pytest.param({"x_http_method_override": "DELETE"}, "write", id="a method override"),
    ],
)
async def test_what_a_route_is_silent_of_passes_through(stage, headers, reason):
    for number in (b"1", b"2"):
        stage.says(200, number)
        told = await stage.asks("/guarded", **headers)
        assert (told.body, told.outcome, told.facts.detail) == (number, "bypass", reason)
    for name, value in headers.items():
        assert stage.origin.heard[-1].headers.get(name.replace("_", "-").encode()) == value.encode()


async def test_no_route_no_cache(stage):
    stage.says(200, b"x", cache_control="max-age=60")
    told = await stage.asks("/elsewhere")
    assert told["cache-status"].startswith("sapwood; fwd=bypass")
    assert told["cache-status"].endswith("detail=no-route")
    assert told["x-cache-status"] == "BYPASS"
    stage.says(200, b"y")
    assert (await stage.asks("/elsewhere")).body == b"y"


async def test_not_found_is_kept_for_a_while(stage):
    stage.says(404, b"no such plan")
    await stage.asks("/plans/9")
    await stage.at_rest()
    hit = await stage.asks("/plans/9")
    assert (hit.status, hit.body, hit.outcome) == (404, b"no such plan", "hit_memory")
    stage.passes(11)
    stage.says(200, b"now there is")
    assert (await stage.asks("/plans/9")).status == 200


async def test_stale_while_revalidate_refreshes_once_behind_the_answer(stage):
    stage.says(200, b"old")
    await stage.asks("/plans/1")
    await stage.at_rest()
    stage.passes(70)
    gate = asyncio.Event()
    stage.says(200, b"new", gate=gate)
    told = [await stage.asks("/plans/1") for _ in range(5)]
    assert {(answer.body, answer.outcome) for answer in told} == {(b"old", "stale")}
    assert "ttl=-10" in told[0]["cache-status"]
    gate.set()
    await stage.at_rest()
    assert len(stage.origin.heard) == 2
    assert (await stage.asks("/plans/1")).body == b"new"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_stale_if_error_hides_a_backend_that_fails(stage, status):
    stage.says(200, b"old")
    await stage.asks("/plans/1")
    await stage.at_rest()
    stage.passes(100)
    stage.says(status, b"broken")
    told = await stage.asks("/plans/1")
    assert (told.status, told.body, told.outcome) == (200, b"old", "stale")


async def test_stale_if_error_hides_a_backend_that_is_gone_from_all_who_wait(stage):
    stage.says(200, b"old")
    await stage.asks("/plans/1")
    await stage.at_rest()
    stage.passes(100)
    gate = asyncio.Event()
    stage.says(error=OriginError("gone"), gate=gate)
    askers = [stage.asking("/plans/1") for _ in range(5)]
    await stage.settled()
    gate.set()
    assert {answer.outcome for answer in await asyncio.gather(*askers)} == {"stale"}


async def test_stale_if_error_hides_a_failing_backend_from_followers_who_ask_nobody(stage):
    stage.says(200, b"old")
    await stage.asks("/plans/1")
    await stage.at_rest()
    stage.passes(100)
    gate = asyncio.Event()
    stage.says(500, b"broken", gate=gate)
    askers = [stage.asking("/plans/1") for _ in range(5)]
    await stage.settled()
    gate.set()
    assert {answer.body for answer in await asyncio.gather(*askers)} == {b"old"}
    assert len(stage.origin.heard) == 2


async def test_beyond_the_stale_window_the_error_is_told(stage):
    stage.says(200, b"old")
    await stage.asks("/plans/1")
    await stage.at_rest()
    stage.passes(60 + 3601)
    stage.says(error=OriginError("gone"))
    told = await stage.asks("/plans/1")
    assert (told.status, told.outcome) == (502, "error")
    assert told["content-type"] == "application/problem+json"
    assert told["cache-status"].startswith("sapwood")


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_a_refresh_that_is_refused_drops_the_old_entry(stage, status):
    stage.says(200, b"old")
    await stage.asks("/mine", authorization=TOKEN_ONE)
    await stage.at_rest()
    stage.passes(70)
    stage.says(status, b"no")
    assert (await stage.asks("/mine", authorization=TOKEN_ONE)).body == b"old"
    await stage.at_rest()
    stage.says(status, b"no")
    assert (await stage.asks("/mine", authorization=TOKEN_ONE)).status == status


async def test_a_stale_entry_whose_refresh_is_uncacheable_leaves_a_mark(stage):
    stage.says(200, b"old")
    await stage.asks("/plans/1")
    await stage.at_rest()
    stage.passes(70)
    stage.says(200, b"mine alone", cache_control="private")
    assert (await stage.asks("/plans/1")).body == b"old"
    await stage.at_rest()
    assert stage.origin.bodies[-1].closed
    stage.says(200, b"mine", cache_control="private")
    assert (await stage.asks("/plans/1")).body == b"mine"


async def test_a_304_freshens_what_is_stored(stage):
    stage.says(200, b"plan", etag='"1"', cache_control="max-age=10, must-revalidate", x_version="a")
    await stage.asks("/plans/1")
    await stage.at_rest()
    stage.passes(20)
    stage.says(304, b"", etag='"1"', x_version="b")
    told = await stage.asks("/plans/1")
    assert stage.origin.heard[-1].headers.get(b"if-none-match") == b'"1"'
    assert (told.status, told.body, told.outcome, told["x-version"]) == (200, b"plan", "revalidated", "b")
    assert told["x-cache-status"] == "REVALIDATED"
    assert "fwd-status=304" in told["cache-status"]
    await stage.at_rest()
    assert (await stage.asks("/plans/1")).outcome == "hit_memory"


async def test_a_304_that_makes_uncacheable_is_the_leaders_and_drops_the_entry(stage):
    stage.says(200, b"plan", etag='"1"', cache_control="max-age=10, must-revalidate")
    await stage.asks("/plans/1")
    await stage.at_rest()
    stage.passes(20)
    stage.says(304, b"", etag='"1"', cache_control="no-store")
    told = await stage.asks("/plans/1")
    assert (told.status, told.body) == (200, b"plan")
    await stage.at_rest()
    stage.says(200, b"again")
    assert (await stage.asks("/plans/1")).body == b"again"


@pytest.mark.parametrize("warm", [pytest.param(True, id="from the store"), pytest.param(False, id="from the fetch")])
async def test_the_clients_own_condition_is_answered_here(stage, warm):
    stage.says(200, b"plan", etag='"1"', content_type="text/plain")
    if warm:
        await stage.asks("/plans/1")
        await stage.at_rest()
    told = await stage.asks("/plans/1", if_none_match='W/"1"')
    assert (told.status, told.body, told["etag"]) == (304, b"", '"1"')
    assert b"if-none-match" not in stage.origin.heard[0].headers
    assert (await stage.asks("/plans/1", if_none_match='"2"')).status == 200


@pytest.mark.parametrize("warm", [pytest.param(True, id="from the store"), pytest.param(False, id="from the fetch")])
async def test_ranges_are_cut_from_the_whole(stage, warm):
    stage.says(200, b"0123456789", content_type="text/plain")
    if warm:
        await stage.asks("/plans/1")
        await stage.at_rest()
    told = await stage.asks("/plans/1", range="bytes=2-4")
    assert (told.status, told.body, told["content-range"]) == (206, b"234", "bytes 2-4/10")
    assert b"range" not in stage.origin.heard[0].headers
    many = await stage.asks("/plans/1", range="bytes=0-1,8-")
    assert many.status == 206
    assert many["content-type"].startswith("multipart/byteranges; boundary=")
    over = await stage.asks("/plans/1", range="bytes=20-")
    assert (over.status, over["content-range"]) == (416, "bytes */10")


async def test_head_reads_what_get_stored_and_a_cold_head_passes(stage):
    stage.says(200, b"12345")
    cold = await stage.asks("/plans/1", method="HEAD")
    assert (cold.outcome, stage.origin.heard[-1].method) == ("bypass", b"HEAD")
    stage.says(200, b"12345")
    await stage.asks("/plans/1")
    await stage.at_rest()
    warm = await stage.asks("/plans/1", method="HEAD")
    assert (warm.outcome, warm.body, warm["content-length"]) == ("hit_memory", b"", "5")


async def test_head_teaches_a_stale_entry(stage):
    stage.says(200, b"12345", etag='"1"', cache_control="max-age=10, must-revalidate", content_length="5")
    await stage.asks("/plans/1")
    await stage.at_rest()
    stage.passes(20)
    stage.says(200, b"12345", etag='"1"', cache_control="max-age=100", x_new="yes", content_length="5")
    told = await stage.asks("/plans/1", method="HEAD")
    assert told["x-new"] == "yes"
    assert stage.origin.heard[-1].method == b"HEAD"
    hit = await stage.asks("/plans/1")
    assert (hit.outcome, hit["x-new"], hit.body) == ("hit_memory", "yes", b"12345")


async def test_head_without_a_validator_keeps_no_old_body_alive(stage):
    stage.says(200, b"price 1")
    await stage.asks("/plans/1")
    await stage.at_rest()
    stage.passes(100)  # beyond ttl and stale_while_revalidate
    stage.says(200, b"price 2", content_length="7")
    assert (await stage.asks("/plans/1", method="HEAD")).status == 200
    stage.says(200, b"price 2")
    assert (await stage.asks("/plans/1")).body == b"price 2"


async def test_head_without_a_validator_undoes_no_soft_purge():
    stage = Stage()
    stage.says(200, b"price 1", cache_control="max-age=10, must-revalidate")
    await stage.asks("/plans/1")
    await stage.at_rest()
    await stage.ledger.purge(["url:/plans/1"], soft=True, now=stage.clock.now)
    stage.passes(1)
    stage.says(200, b"price 2", content_length="7")
    await stage.asks("/plans/1", method="HEAD")
    stage.says(200, b"price 2")
    assert (await stage.asks("/plans/1")).body == b"price 2"


async def test_head_that_disagrees_makes_a_stale_entry_useless(stage):
    stage.says(200, b"12345", etag='"1"', cache_control="max-age=10, must-revalidate")
    await stage.asks("/plans/1")
    await stage.at_rest()
    stage.passes(20)
    stage.says(200, b"12345", etag='"2"')
    await stage.asks("/plans/1", method="HEAD")
    stage.says(200, b"again")
    assert (await stage.asks("/plans/1")).body == b"again"
    assert b"if-none-match" not in stage.origin.heard[-1].headers


async def test_request_ids_are_the_clients_never_stored_ones(stage):
    stage.says(200, b"x", x_request_id="stored")
    await stage.asks("/plans/1")
    await stage.at_rest()
    assert (await stage.asks("/plans/1"))["x-request-id"] == "id-1"


async def test_tags_for_us_stay_here(stage):
    stage.says(
        200, b"x", surrogate_key="a b", cache_tag="c", xkey="d", surrogate_control="max-age=9", cache_groups='"g"'
    )
    for told in (await stage.asks("/plans/1"), await stage.asks("/plans/1")):
        for name in ("surrogate-key", "cache-tag", "xkey", "surrogate-control"):
            assert told[name] is None
        assert told["cache-groups"] == '"g"'


async def test_interim_responses_reach_the_one_who_leads(stage):
    seen = []
    stage.says(interim=[103])
    await stage.asks("/plans/1", interim=seen.append)
    assert [response.status for response in seen] == [103]


async def test_only_if_cached_asks_nobody(stage):
    told = await stage.asks("/plans/1", cache_control="only-if-cached")
    assert (told.status, told.outcome) == (504, "refused")
    assert stage.origin.heard == []


async def test_variants_are_kept_apart_and_bounded():
    stage = Stage(PLANS, variants=2)
    for language in ("de", "en", "fr"):
        stage.says(200, language.encode(), vary="Accept-Language")
        await stage.asks("/plans/1", accept_language=language)
        await stage.at_rest()
    for language in ("en", "fr"):
        hit = await stage.asks("/plans/1", accept_language=language)
        assert (hit.outcome, hit.body) == ("hit_memory", language.encode())
    stage.says(200, b"de again", vary="Accept-Language")
    told = await stage.asks("/plans/1", accept_language="de")
    assert "fwd=vary-miss" in told["cache-status"]


async def test_caching_switched_off_goes_on_proxying_and_purging():
    stage = Stage("enabled: false\n" + PLANS)
    for number in (b"1", b"2"):
        stage.says(200, number)
        assert (await stage.asks("/plans/1")).body == number


class GoneStore(MemoryStore):
    """A store that does not answer."""

    async def load(self, key, *, shared=False):
        raise StoreError("gone")

    async def save(self, *arguments, **more):
        raise AssertionError("nothing may be stored without a position in the ledger")


async def test_a_store_that_fails_is_a_miss_and_waiters_still_share(stage):
    stage.parts.store = GoneStore(stage.ledger, StoreOptions(), now=stage.clock)
    gate = asyncio.Event()
    stage.says(gate=gate)
    askers = [stage.asking("/plans/1") for _ in range(5)]
    await stage.heard(1)
    await stage.settled()
    gate.set()
    told = await asyncio.gather(*askers)
    assert [answer.status for answer in told] == [200] * 5
    assert "stored" not in told[0]["cache-status"]


async def test_a_route_may_refuse_while_the_store_is_gone():
    stage = Stage(PLANS.replace("defaults: {", "defaults: {on_store_failure: refuse, "))
    stage.parts.store = GoneStore(stage.ledger, StoreOptions(), now=stage.clock)
    told = await stage.asks("/plans/1")
    assert (told.status, told.outcome) == (503, "refused")


CORS = (
    PLANS
    + """
cors: {origins: ["https://app.example"], methods: [GET], headers: [Authorization], credentials: true, max_age: 10m}
"""
)


async def test_cors_is_answered_here_whoever_asked_first():
    stage = Stage(CORS)
    stage.says(200, b"x", access_control_allow_origin="https://wrong.example")
    first = await stage.asks("/plans/1")
    await stage.at_rest()
    assert b"origin" not in stage.origin.heard[-1].headers
    assert first["access-control-allow-origin"] is None
    hit = await stage.asks("/plans/1", origin="https://app.example")
    assert hit["access-control-allow-origin"] == "https://app.example"
    foreign = await stage.asks("/plans/1", origin="https://evil.example")
    assert foreign["access-control-allow-origin"] is None
    for told in (first, hit, foreign):
        assert "Origin" in told["vary"]


async def test_a_preflight_to_a_cached_path_is_answered_here():
    stage = Stage(CORS)
    told = await stage.asks(
        "/plans/1", method="OPTIONS", origin="https://app.example", access_control_request_method="GET"
    )
    assert (told.status, told["access-control-allow-origin"]) == (204, "https://app.example")
    assert stage.origin.heard == []


async def test_our_own_errors_carry_cors():
    stage = Stage(CORS)
    stage.says(error=OriginError("gone"))
    told = await stage.asks("/plans/1", origin="https://app.example")
    assert (told.status, told["access-control-allow-origin"]) == (502, "https://app.example")


async def test_what_passes_through_on_a_cached_route_has_our_cors_too():
    stage = Stage(CORS)
    stage.says(200, b"x", access_control_allow_origin="https://wrong.example")
    told = await stage.asks("/guarded", origin="https://app.example", authorization=TOKEN_ONE)
    assert (told.outcome, told["access-control-allow-origin"]) == ("bypass", "https://app.example")
    assert "Origin" in told["vary"]


@pytest.mark.parametrize(("method", "status"), [("OPTIONS", 204), ("TRACE", 405)])
async def test_what_was_to_go_no_further_is_answered_here(stage, method, status):
    told = await stage.asks("/guarded", method=method, max_forwards="0")
    assert told.status == status
    assert stage.origin.heard == []


async def test_an_event_stream_on_a_cached_route_is_followed_as_it_comes_and_by_each_alone(stage):
    gate = asyncio.Event()
    pieces = [b"data: 1\n\n", b"data: 2\n\n"]
    stage.says(200, pieces=pieces, length=None, content_type="text/event-stream", gate=gate)
    stage.says(200, pieces=pieces, length=None, content_type="text/event-stream")
    askers = [stage.asking("/plans/1") for _ in range(2)]
    await stage.heard(1)
    await stage.settled()
    gate.set()
    assert {told.body for told in await asyncio.gather(*askers)} == {b"".join(pieces)}
    assert len(stage.origin.heard) == 2
