"""``Server-Timing``: for who has the token, and for nobody else, not even by what the next one gets."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import pytest

from proxy.message.headers import Headers
from proxy.message.response import Response
from proxy.observe.events import OriginAnswered, StoreAnswered
from proxy.pipeline.reply import Answer, Facts
from proxy.pipeline.timing import _WATCH, Stopwatch, Timed, Waits, timing
from tests.pipeline.stage import Stage

TOKEN = "s3cr3t-t\u00f6ken"


class Ticks:
    """A clock that goes a millisecond further each time it is asked."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 0.001
        return self.now


@pytest.fixture
def stage():
    stage = Stage()
    stage.pipeline = Timed(stage.pipeline, TOKEN, Ticks())
    return stage


async def asked(stage, *given, target="/a"):
    request = stage.request(target)
    lines = [(b"Sapwood-Debug", value.encode("utf-8")) for value in given]
    request = replace_headers(request, request.headers.plus(lines))
    return await stage.pipeline.answer(request, None, None)


def replace_headers(request, headers):
    return replace(request, headers=headers)


async def test_with_the_token_it_says_how_long_it_took_and_why(stage):
    stage.says(cache_control="max-age=60")
    answer = await asked(stage, TOKEN)
    assert answer.response.headers.get(b"server-timing") == (
        b'total;dur=1.000, cache;desc="miss", route;desc="implicit"'
    )


@pytest.mark.parametrize(
    "given",
    [
        pytest.param([], id="not asked for"),
        pytest.param([""], id="an empty token"),
        pytest.param(["guess"], id="a wrong token"),
        pytest.param([TOKEN[:-1]], id="most of the token"),
        pytest.param([f"Bearer {TOKEN}"], id="as a bearer"),
        pytest.param([TOKEN, TOKEN], id="twice"),
        pytest.param(["guess", TOKEN], id="a guess before it"),
    ],
)
async def test_without_it_the_answer_is_what_everybody_gets(stage, given):
    stage.says(cache_control="max-age=60")
    await asked(stage)
    plain = await asked(stage)
    answer = await asked(stage, *given)
    assert plain.facts.outcome.value == "hit_memory"
    assert (answer.response, answer.body, answer.facts) == (plain.response, plain.body, plain.facts)
    assert b"server-timing" not in answer.response.headers


async def test_without_a_token_configured_nobody_may_ask(stage):
    stage.pipeline.use(None)
    stage.says(cache_control="max-age=60")
    assert b"server-timing" not in (await asked(stage, "")).response.headers
    stage.pipeline.use("")
    assert b"server-timing" not in (await asked(stage, "")).response.headers


async def test_another_token_from_now_on(stage):
    stage.pipeline.use("new")
    stage.says(cache_control="max-age=60")
    assert b"server-timing" not in (await asked(stage, TOKEN)).response.headers
    assert b"server-timing" in (await asked(stage, "new")).response.headers


async def test_the_backend_never_sees_the_field_whether_or_not_it_is_stored(stage):
    for target in ("/a", "/b"):
        stage.says(cache_control="max-age=60")
        await asked(stage, TOKEN, target=target)
    stage.says(cache_control="max-age=60")
    request = stage.request("/c", method="POST")
    await stage.pipeline.answer(replace_headers(request, request.headers.plus([(b"SAPWOOD_Debug", b"x")])), None, None)
    assert len(stage.origin.heard) == 3
    for outgoing in stage.origin.heard:
        assert b"sapwood-debug" not in {name.lower().replace(b"_", b"-") for name, _ in outgoing.headers.lines}


async def test_the_copy_that_is_kept_has_no_timing(stage):
    stage.says(cache_control="max-age=60")
    await asked(stage, TOKEN)
    plain = await asked(stage)
    assert plain.facts.outcome.value == "hit_memory"
    assert b"server-timing" not in plain.response.headers


class Repeatable:
    """A pipeline whose answers may be repeated, and which waits for others."""

    finished = None

    async def answer(self, request, body, interim):
        waits = Waits()
        waits.tell(StoreAnswered("load", 0.002))
        await asyncio.create_task(self.flight(waits))
        return Answer(stage_response(), b"", Facts(route="plan", detail="uri-miss"), repeat="anything")

    async def flight(self, waits):
        waits.tell(OriginAnswered("plan", 200, 0.3))
        waits.tell(StoreAnswered("save", 0.001))


def stage_response():
    return Response(200, Headers([]))


@pytest.mark.parametrize("given", [pytest.param(TOKEN, id="the token"), pytest.param("guess", id="a guess")])
async def test_who_asks_never_leaves_an_answer_for_the_next(given):
    stage = Stage()
    stage.pipeline = Timed(Repeatable(), TOKEN, Ticks())
    assert (await asked(stage, given)).repeat is None
    assert (await asked(stage)).repeat == "anything"


async def test_waits_of_the_flight_it_began_are_its_own_and_of_others_are_not():
    stage = Stage()
    stage.pipeline = Timed(Repeatable(), TOKEN, Ticks())
    Waits().tell(StoreAnswered("load", 9.0))
    both = await asyncio.gather(asked(stage, TOKEN), asked(stage, TOKEN))
    for answer in both:
        said = answer.response.headers.get(b"server-timing").decode()
        assert re.findall(r"(store|backend);dur=([\d.]+);desc=\"(\d)x\"", said) == [
            ("store", "3.000", "2"),
            ("backend", "300.000", "1"),
        ]
    Waits().tell(OriginAnswered("plan", 200, 9.0))


async def test_the_watch_ends_with_its_request():
    stage = Stage()
    stage.pipeline = Timed(Repeatable(), TOKEN, Ticks())
    await asked(stage, TOKEN)
    assert _WATCH.get() is None


def test_the_value():
    watch = Stopwatch()
    watch.add("store", 0.0005)
    answer = Answer(stage_response(), facts=Facts(route="plan"))
    assert timing(answer, watch, 0.0012) == (
        b'total;dur=1.200, cache;desc="bypass", route;desc="plan", store;dur=0.500;desc="1x"'
    )
