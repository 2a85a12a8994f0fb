"""The hit lane is a shorter way to the same answer: with it and without it, the same bytes and the same counters."""

import asyncio
import math
import uuid
from dataclasses import replace
from time import monotonic

import orjson
import pytest
from clocks import NOON
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lanes import House, masked
from paper import Paper

from proxy.front.lane import MOST_CLIENTS, MOST_OF_ONE
from proxy.front.manners import Kind
from proxy.message.stored import CacheKey, VaryRecord
from proxy.observe.events import RequestServed
from proxy.pipeline.probe import WORTH_IT

RULES = """
version: 1
defaults: {ttl: 60s, stale_while_revalidate: 20s, stale_if_error: 10m}
routes:
  - {name: obeys, match: GET /obeys/**, authorization: ignore, cookies: ignore, client_control: obey, tags: [all]}
  - {name: own, match: GET /own/**, scope: credential, cookies: ignore, user: "{jwt.sub}"}
  - {name: keyed, match: GET /keyed/**, authorization: ignore, cookies: [lang], key: {headers: [X-Tenant], query: [a, b]}}
  - {name: assets, match: GET /assets/**, authorization: ignore, cookies: ignore, browser: {max_age: 1h}}
  - {name: strict, match: GET /strict/**}
  - {name: open, match: GET /open/**, authorization: ignore, cookies: ignore, tags: [all, "x:{query.a}"]}
"""
CORS = RULES + "cors: {origins: ['https://app.example'], methods: [GET], headers: [], expose: [X-Cache-Status]}\n"

PATHS = [
    f"/{room}/{kind}"
    for room in ("open", "obeys", "own", "keyed", "strict", "assets", "elsewhere")
    for kind in ("plain", "tagged", "varied", "absent", "brief", "large", "undated")
]
TARGETS = [
    *PATHS[:7],
    *PATHS,
    *(f"{path}?{query}" for path in PATHS[:3] for query in ("a=1", "b=2&a=1", "a=1&b=2", "")),
]
FIELDS = [
    "Accept: application/json", "Accept-Language: de", "Accept-Language: fr, en;q=0.5", "Accept-Encoding: gzip",
    "User-Agent: test/1", "X-Tenant: one", "X-Tenant: two", "Cookie: lang=de", "Cookie: lang=fr; other=1",
    "Authorization: Bearer a", "Authorization: Bearer b", "Origin: https://app.example", "Origin: https://evil.example",
    'If-None-Match: "one"', 'If-None-Match: W/"one"', 'If-None-Match: "two", "one"', "If-None-Match: *",
    "If-Modified-Since: Tue, 14 Nov 2023 00:00:00 GMT", "If-Modified-Since: Mon, 13 Nov 2023 00:00:00 GMT",
    'If-Match: "one"', "Range: bytes=0-3", "Cache-Control: no-cache", "Cache-Control: only-if-cached",
    "Cache-Control: max-age=0", "Pragma: no-cache", "Connection: keep-alive", "Connection: close",
    "Connection: X-Tenant", "Connection: Keep-Alive, TE", "TE: trailers", "X-Request-ID: one", "X-Request-ID: b@d",
    "X-HTTP-Method-Override: PUT", "X_Tenant: one", "X-Forwarded-Proto: https", "X-Forwarded-Proto: http",
    "X-Forwarded-For: 198.51.100.7", "Content-Length: 0", "Expect: 100-continue", "Max-Forwards: 0", "X-Odd:   spaced \t ",
    "X-Empty:", "X-Obs: caf\u00e9", "Sapwood-Debug: guess",
]  # fmt: skip
HOSTS = ["Host: api.example", "Host: api.example", "Host: API.example:80", "host:other.example"]
EXAMPLES = 250
"""For each set of rules: 20 s in all. A story that a broken lane fails is among the first 100, for each way to break it."""

METHODS = ["GET"] * 20 + ["HEAD"] * 6 + ["POST", "OPTIONS", "DELETE"]


def head(method, target, version, fields):
    return (
        f"{method} {target} HTTP/{version}\r\n".encode()
        + "".join(f"{line}\r\n" for line in fields).encode("latin-1")
        + b"\r\n"
    )


def _upper(line):
    name, colon, value = line.partition(":")
    return name.upper() + colon + value


def _lower(line):
    name, colon, value = line.partition(":")
    return name.lower() + colon + value


@st.composite
def stories(draw):
    """A few requests that are alike, each told from the others by little, and what may come between them."""
    targets = draw(st.lists(st.sampled_from(TARGETS), min_size=1, max_size=2, unique=True))
    common = draw(st.lists(st.sampled_from(FIELDS), max_size=2, unique=True))
    told_by = draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=3, unique=True))

    def request():
        fields = [draw(st.sampled_from(HOSTS)), *common, *draw(st.lists(st.sampled_from(told_by), max_size=2))]
        if draw(st.booleans()):
            fields = draw(st.permutations(fields))
            fields = [draw(st.sampled_from([str, _upper, _lower]))(line) for line in fields]
        version = draw(st.sampled_from(["1.1"] * 15 + ["1.0"]))
        return head(draw(st.sampled_from(METHODS)), draw(st.sampled_from(targets)), version, fields)

    steps = []
    for _ in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from(["say"] * 5 + ["wait", "purge", "reload"]))
        if kind == "say":
            chosen = [request() for _ in range(draw(st.integers(1, 2)))] * draw(st.integers(1, 3))
            if draw(st.booleans()):
                steps += [("say", [each]) for each in chosen]
                continue
            stream = b"".join(chosen)
            cuts = sorted(draw(st.sets(st.integers(1, len(stream) - 1), max_size=3)))
            steps.append(("say", [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]))
        elif kind == "wait":
            steps.append(("wait", draw(st.sampled_from([0.25, 1.0, 2.0, 15.0, 61.0, 4000.0]))))
        elif kind == "purge":
            steps.append((draw(st.sampled_from(["purge", "soften"])), draw(st.sampled_from(["tag:all", "route:open"]))))
        else:
            steps.append(("reload", None))
    return steps


async def act(house, step, what):
    if step == "say":
        return await house.hears(*what)
    parts = house.stage.parts
    if step == "wait":
        house.stage.passes(what)
    elif step == "reload":
        parts.book = replace(parts.book, generation=parts.book.generation + 1, enabled=not parts.book.enabled)
    else:
        await parts.ledger.purge([what], soft=step == "soften", now=house.stage.clock.now)
    return b""


@pytest.fixture
def one_id(monkeypatch):
    """Give every request without a proper id the same one."""
    monkeypatch.setattr("proxy.front.incoming.uuid.uuid4", lambda: uuid.UUID(int=7))


@pytest.mark.parametrize("rules", [RULES, CORS, None], ids=["declared", "with CORS", "implicit"])
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=stories())
def test_the_lane_changes_no_byte_and_no_counter(one_id, rules, steps):
    async def story():
        with_lane, without = House(rules), House(rules, lane=False)
        for step, what in steps:
            said = await act(with_lane, step, what)
            expected = await act(without, step, what)
            assert masked(said) == masked(expected), (step, what)
        await with_lane.ends()
        await without.ends()
        assert with_lane.counted() == without.counted()
        assert len(with_lane.stage.origin.heard) == len(without.stage.origin.heard)

    asyncio.run(story())


# What the lane must not overlook, one story for each: learned from the first lines, asked with the last.
TALES = {
    "another origin": (CORS, "/open/plain", [], ["Origin: https://app.example"]),
    "a credential that is keyed": (RULES, "/own/plain", ["Authorization: Bearer a"], ["Authorization: Bearer b"]),
    "no credential": (RULES, "/own/plain", ["Authorization: Bearer a"], []),
    "a credential that nobody spoke of": (RULES, "/strict/plain", [], ["Authorization: Bearer a"]),
    "a cookie that nobody spoke of": (RULES, "/strict/plain", [], ["Cookie: lang=de"]),
    "a keyed cookie": (RULES, "/keyed/plain", [], ["Cookie: lang=de"]),
    "a keyed field": (RULES, "/keyed/plain", ["X-Tenant: one"], ["X-Tenant: two"]),
    "a field that the answer varies by": (RULES, "/open/varied", ["Accept-Language: de"], ["Accept-Language: fr"]),
    "a condition": (RULES, "/open/tagged", [], ['If-None-Match: "one"']),
    "another condition": (RULES, "/open/tagged", ['If-None-Match: "one"'], ['If-None-Match: "two"']),
    "a range": (RULES, "/open/plain", [], ["Range: bytes=0-3"]),
    "a wish that is obeyed": (RULES, "/obeys/plain", [], ["Cache-Control: no-cache"]),
    "another method behind": (RULES, "/open/plain", [], ["X-HTTP-Method-Override: PUT"]),
    "another method behind, as CGI reads it": (RULES, "/open/plain", [], ["X_HTTP_Method_Override: PUT"]),
    "the end of the connection": (RULES, "/open/plain", [], ["Connection: close"]),
    "a field for this hop": (RULES, "/keyed/plain", ["X-Tenant: one"], ["X-Tenant: one", "Connection: X-Tenant"]),
    "a body": (RULES, "/open/plain", [], ["Content-Length: 0"]),
    "two of one": (RULES, "/keyed/plain", ["X-Tenant: two"], ["X-Tenant: one", "X-Tenant: two"]),
    "another scheme, from whom nobody trusts": (RULES, "/open/plain", [], ["X-Forwarded-Proto: https"]),
    "another id": (RULES, "/open/plain", ["X-Request-ID: one"], ["X-Request-ID: two"]),
    "a malformed line": (RULES, "/open/plain", [], ["no colon"]),
    "a field name with a space": (RULES, "/open/plain", [], ["Accept : x"]),
}


@pytest.mark.parametrize(("rules", "target", "first", "then"), TALES.values(), ids=TALES)
async def test_a_request_that_differs_in_what_matters_gets_its_own_answer(one_id, rules, target, first, then):
    with_lane, without = House(rules), House(rules, lane=False)
    learned = 0
    for fields in (first, first, first, then, first, then, then):
        request = head("GET", target, "1.1", ["Host: api.example", *fields])
        assert masked(await with_lane.hears(request)) == masked(await without.hears(request)), fields
        learned = max(learned, with_lane.on_lane)
    assert learned  # else nothing was shown
    await with_lane.ends()
    await without.ends()
    assert with_lane.counted() == without.counted()


@pytest.mark.parametrize(
    ("step", "what"),
    [
        pytest.param("purge", "tag:all", id="it is purged"),
        pytest.param("soften", "tag:all", id="it is softly purged"),
        pytest.param("wait", 61.0, id="it is stale"),
        pytest.param("wait", 5000.0, id="it has gone"),
        pytest.param("reload", None, id="the rules are others"),
        pytest.param("wait", 1.0, id="it is a second older"),
    ],
)
async def test_what_happens_between_two_requests_holds_for_the_second(one_id, step, what):
    with_lane, without = House(RULES), House(RULES, lane=False)
    request = head("GET", "/open/plain", "1.1", ["Host: api.example"])
    for _ in range(3):
        assert masked(await with_lane.hears(request)) == masked(await without.hears(request))
    assert with_lane.on_lane == 1
    await act(with_lane, step, what)
    await act(without, step, what)
    for _ in range(3):
        assert masked(await with_lane.hears(request)) == masked(await without.hears(request))
    await with_lane.ends()
    await without.ends()
    assert with_lane.counted() == without.counted()


@pytest.mark.parametrize(
    "peers", [("10.0.0.1", "192.0.2.1"), ("192.0.2.1", "10.0.0.1")], ids=["trusted first", "trusted last"]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_what_a_trusted_peer_says_of_the_scheme_is_not_said_by_another(one_id, peers, scheme):
    with_lane, without = House(RULES), House(RULES, lane=False)
    request = head("GET", "/open/plain", "1.1", ["Host: api.example", f"X-Forwarded-Proto: {scheme}"])
    for peer in (peers[0], peers[0], peers[1], peers[1], peers[0]):
        with_lane.connects(peer)
        without.connects(peer)
        for _ in range(2):
            assert masked(await with_lane.hears(request)) == masked(await without.hears(request))
    assert with_lane.on_lane
    assert with_lane.counted() == without.counted()


async def test_who_watches_hears_of_each_hit_and_a_share_gets_a_line(one_id):
    request = head(
        "GET", "/open/plain?a=1", "1.1", ["Host: api.example", "X-Forwarded-For: 203.0.113.9", "X-Request-ID: one"]
    )
    told = []
    for lane in (True, False):
        house = House(RULES, lane=lane, logged=1.0)
        house.connects("10.0.0.1")
        for _ in range(4):
            await house.hears(request)
        events = [replace(event, seconds=0, seconds_saved=0) for event in house.stage.facts.of(RequestServed)]
        lines = [{**orjson.loads(line), "seconds": 0, "time": 0} for line in house.lines]
        told.append((events, lines))
    assert told[0] == told[1]
    assert [event.client for event in told[0][0]] == ["203.0.113.9"] * 4
    assert [line["outcome"] for line in told[0][1]] == ["miss", "hit_memory", "hit_memory", "hit_memory"]


async def test_a_line_is_drawn_for_by_chance_alone_where_nobody_watches():
    house = House(RULES, watched=False, logged=0.25)
    house.logs._draw = iter([0.3, 0.2, 0.3]).__next__  # one hit is passed over, none, one
    house.logs.use(house.logs.options)
    request = head("GET", "/open/plain", "1.1", ["Host: api.example"])
    for _ in range(5):
        await house.hears(request)
    assert [orjson.loads(line)["outcome"] for line in house.lines] == ["miss", "hit_memory", "hit_memory"]
    assert house.counted()[0] == {
        ("open", "", "miss", (0, 0, 1, 0, 0, 0, 0), False, 1, NOON),
        ("open", "", "hit_memory", (0, 0, 4, 0, 0, 0, 0), True, 4, NOON),
    }


async def test_a_hit_costs_no_task_on_the_lane():
    house = House(RULES)
    request = head("GET", "/open/large", "1.1", ["Host: api.example"])
    first = await house.hears(request)
    await house.hears(request)
    before = house.whole_ways
    house.connection.data_received(request)
    assert masked(house.wire.written).endswith(masked(first).partition(b"\r\n\r\n")[2])
    assert (len(house.front.background), house.whole_ways - before) == (0, 0)


async def test_what_pipelines_and_does_not_read_gets_no_more_answers_until_it_does():
    house = House(RULES)
    request = head("GET", "/open/plain", "1.1", ["Host: api.example"])
    for _ in range(3):
        await house.hears(request)
    one = await house.hears(request)
    before = len(house.wire.written)
    house.wire.write = lambda data: (Paper.write(house.wire, data), house.connection.pause_writing())

    house.connection.data_received(request * 3)
    assert len(house.wire.written) - before == len(one)
    house.connection.resume_writing()
    await house.rests()
    assert len(house.wire.written) - before == 2 * len(one)
    house.wire.write = lambda data: Paper.write(house.wire, data)
    house.connection.resume_writing()
    await house.rests()
    assert len(house.wire.written) - before == 3 * len(one)
    await house.ends()


async def test_an_entry_that_leaves_takes_its_answers_along():
    house = House(RULES)
    request = head("GET", "/open/plain", "1.1", ["Host: api.example"])
    for _ in range(2):
        await house.hears(request)
    (kept,) = house.stage.store._responses.values()
    assert (house.on_lane, kept.rendered_size > 500) == (1, True)
    await house.stage.store.drop(kept.digest)
    assert (house.on_lane, len(house.front.lane), house.stage.store.size) == (0, 0, 0)


async def test_one_entry_has_so_many_answers_and_no_more():
    house = House(CORS)
    for number in range(20):
        for _ in range(2):
            await house.hears(
                head("GET", "/open/plain", "1.1", ["Host: api.example", f"Origin: https://{number}.example"])
            )
    assert house.on_lane == MOST_OF_ONE


async def test_a_lane_that_fails_leaves_the_request_to_the_whole_way(one_id):
    house = House(RULES)
    request = head("GET", "/open/plain", "1.1", ["Host: api.example"])
    for _ in range(2):
        expected = await house.hears(request)

    def fails(*_):
        raise ValueError("a bug")

    house.probe.holds = fails
    assert masked(await house.hears(request)) == masked(expected)
    assert [(name, str(error)) for name, error in house.stage.failures] == [("lane", "a bug")]


async def test_a_late_hit_on_a_users_own_entry_takes_the_long_way_and_refreshes_it():
    house = House(RULES)
    asking = head("GET", "/own/plain", "1.1", ["Host: api.example", "Authorization: Bearer a"])
    for _ in range(3):
        await house.hears(asking)
    await house.stage.at_rest()
    house.stage.passes(53)
    assert b"X-Cache-Status: HIT" in await house.hears(asking)
    assert len(house.stage.origin.heard) == 1
    house.stage.passes(2)
    assert b"X-Cache-Status: HIT" in await house.hears(asking)
    await house.stage.at_rest()
    assert len(house.stage.origin.heard) == 2


async def test_who_counts_and_fails_costs_nobody_the_answer(one_id):
    house = House(RULES)
    request = head("GET", "/open/plain", "1.1", ["Host: api.example"])
    for _ in range(2):
        expected = await house.hears(request)

    def fails(*_, **__):
        raise ValueError("a bug")

    house.probe.tell = fails
    assert masked(await house.hears(request * 2)) == masked(expected * 2)
    assert [(name, str(error)) for name, error in house.stage.failures] == [("lane", "a bug")] * 2


async def test_a_hit_is_told_with_the_id_that_its_answer_has():
    house = House(RULES)
    request = head("GET", "/open/plain", "1.1", ["Host: api.example"])
    for _ in range(3):
        said = await house.hears(request)
    told = house.stage.facts.of(RequestServed)
    assert f"\r\nX-Request-ID: {told[-1].request_id}\r\n".encode() in said
    assert len({event.request_id for event in told}) == 3


async def test_nothing_is_answered_at_once_while_what_is_known_of_purges_is_too_old():
    house = House(RULES)
    request = head("GET", "/open/plain", "1.1", ["Host: api.example"])
    for _ in range(3):
        await house.hears(request)
    house.probe._is_trusted_until = house.trusted_until = monotonic() - 0.001
    before = house.whole_ways
    await house.hears(request)
    assert house.whole_ways - before == 1
    house.trusted_until = math.inf
    await house.hears(request)
    assert house.whole_ways - before == 1


async def test_what_is_no_longer_counted_goes_the_whole_way_and_is_counted_anew(one_id):
    with_lane, without = House(RULES), House(RULES, lane=False)
    request = head("GET", "/open/plain", "1.1", ["Host: api.example"])
    for _ in range(2):
        for house in (with_lane, without):
            for _ in range(3):
                await house.hears(request)
            popularity = house.stage.parts.popularity
            popularity._most = len(popularity)
            popularity.begin("another", next(iter(popularity._rows.values())).recipe, (), reads=99)
            popularity.begin("one more", next(iter(popularity._rows.values())).recipe, (), reads=99)
            popularity._most = 99
    for house in (with_lane, without):
        for _ in range(3):
            await house.hears(request)
    assert with_lane.counted() == without.counted()


async def test_a_hit_on_the_lane_is_a_use_of_the_entry():
    house = House(RULES)
    for _ in range(9):
        await house.hears(head("GET", "/open/plain", "1.1", ["Host: api.example"]))
    (kept,) = house.stage.store._responses.values()
    assert (kept.hits, house.whole_ways) == (8, 2)


async def test_a_vary_record_that_comes_to_lie_there_is_seen(one_id):
    with_lane, without = House(RULES), House(RULES, lane=False)
    request = head("GET", "/open/plain", "1.1", ["Host: api.example", "Accept-Language: de"])
    for house in (with_lane, without):
        for _ in range(3):
            await house.hears(request)
        (kept,) = house.stage.store._responses.values()
        key = CacheKey(kept.digest, kept.material)
        house.stage.store.hold_vary(key, VaryRecord((b"accept-language",), ()), 60.0)
    assert with_lane.on_lane == 1
    said = [masked(await house.hears(request)) for house in (with_lane, without)]
    assert said[0] == said[1]
    assert b"X-Cache-Status: MISS" in said[0]


async def test_who_is_asked_while_all_are_sent_away_says_that_it_is_the_last_answer():
    house = House(RULES)
    request = head("GET", "/open/plain", "1.1", ["Host: api.example"])
    for _ in range(3):
        await house.hears(request)
    house.front.is_draining = True
    assert b"\r\nConnection: close\r\n" in await house.hears(request)


async def test_a_head_that_is_too_long_is_refused_though_its_parts_are_known(one_id):
    house = House(RULES, longest_head=400)
    said = f"X-Padding: {'x' * 250}"
    target = f"/open/plain?{'a' * 250}"
    for _ in range(3):
        assert b" 200 " in await house.hears(head("GET", target, "1.1", ["Host: api.example"]))
        assert b" 200 " in await house.hears(head("GET", "/open/plain", "1.1", ["Host: api.example", said]))
    assert house.on_lane == 2
    assert (await house.hears(head("GET", target, "1.1", ["Host: api.example", said]))).startswith(b"HTTP/1.1 431 ")


async def test_an_entry_whose_answers_came_to_depend_on_more_is_learned_again():
    house = House(RULES)
    plain = head("GET", "/open/plain", "1.1", ["Host: api.example"])
    for number in range(2 * MOST_OF_ONE):
        for _ in range(2):
            await house.hears(plain)
        assert house.on_lane == 1
        (spot,) = house.front.lane._spots.values()
        spot.kind = Kind((b"host", b"x-%d" % number), frozenset(), frozenset())  # as under another Vary
        house.connection._manner = None
    for _ in range(2):
        await house.hears(plain)
    before = house.whole_ways
    await house.hears(plain)
    assert house.whole_ways == before


async def test_who_was_answered_at_once_may_be_silent_for_as_long_as_anybody():
    house = House(RULES)
    request = head("GET", "/open/plain", "1.1", ["Host: api.example"])
    for _ in range(2):
        await house.hears(request)
    for times in (1, 2):  # alone, and with another behind it
        house.connection._alarm.set(0.5)
        house.connection.data_received(request * times)
        left = house.connection._alarm._due - asyncio.get_running_loop().time()
        assert left == pytest.approx(house.front.options.keep_alive, abs=1.0)
    await house.ends()


async def test_a_client_is_told_by_its_own_peer_and_only_so_many_are_remembered():
    house = House(RULES)
    request = head("GET", "/open/plain", "1.1", ["Host: api.example", "X-Forwarded-For: 203.0.113.9"])
    peers = ["10.0.0.1", "192.0.2.1", "192.0.2.2", *(f"10.0.1.{number}" for number in range(MOST_CLIENTS))]
    for peer in [*peers, *peers]:
        house.connects(peer)
        for _ in range(2):
            await house.hears(request)
            assert house.stage.facts.of(RequestServed)[-1].client == ("203.0.113.9" if peer.startswith("10.") else peer)
    assert len(house.connection._manner.clients) <= MOST_CLIENTS


async def test_what_is_asked_for_seldom_gets_nothing_made_ready():
    house = House(RULES, worth_it=WORTH_IT)
    request = head("GET", "/open/plain", "1.1", ["Host: api.example"])
    ready = []
    for _ in range(4):
        await house.hears(request)
        ready.append(house.on_lane)
    assert ready == [0, 0, 1, 1]  # a miss, the first hit, the second
    assert house.whole_ways == 3


async def test_a_hit_off_the_lane_is_one_use_of_the_entry_too():
    house = House(RULES, worth_it=9)
    for _ in range(6):
        await house.hears(head("GET", "/open/plain", "1.1", ["Host: api.example"]))
    (kept,) = house.stage.store._responses.values()
    assert kept.hits == 5
