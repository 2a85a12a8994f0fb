"""The player itself: what a case may say, and that its pieces say what they are told."""

from __future__ import annotations

import asyncio

import pytest
from playbook.cases import Ask, BadCaseError, Expect, Saw, Say, load, load_all
from playbook.client import Answer, ask, render
from playbook.origin import UNSCRIPTED, Origin, Script
from playbook.origin import render as render_answer
from playbook.stage import EPOCH, Clock, Judge, Stage, Take, http_date
from playbook.wire import Message

GOOD = """
- id: a-case
  section: RFC 9111 4.2
  steps:
    - client asks: GET
      origin says: {headers: ["Cache-Control: max-age=60"]}
      expect: {from: origin}
    - time passes: 5
    - expect: {from: cache, has: ["Age: 5"]}
"""


def test_a_good_case_is_read_whole():
    [case] = load(GOOD, "x.yaml")
    assert (case.id, case.level, case.config, len(case.steps)) == ("a-case", "must", None, 3)
    assert case.steps[0].says == (Say(headers=("Cache-Control: max-age=60",)),)
    assert case.steps[1].passes == 5


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("id: a-case", "id: A case", id="an id that is no slug"),
        pytest.param("RFC 9111 4.2", "9111", id="a section without its RFC"),
        pytest.param("section:", "sektion:", id="an unknown key of a case"),
        pytest.param("expect: {from: origin}", "expect: {from: moon}", id="an unknown source"),
        pytest.param("expect: {from: origin}", "expect: {from: origin, header: []}", id="an unknown key of expect"),
        pytest.param("{headers: [", "{headrs: [", id="an unknown key of origin says"),
        pytest.param("client asks: GET", "client asks: {verb: GET}", id="an unknown key of client asks"),
        pytest.param("time passes: 5", "time passes: soon", id="time that is no number"),
        pytest.param('["Age: 5"]', "[Age: 5]", id="a header that YAML reads as a mapping"),
        pytest.param('origin says: {headers: ["Cache-Control: max-age=60"]}', "", id="an origin without a line"),
        pytest.param("expect: {from: cache,", "expect: {from: sidecar,", id="an own answer without a status"),
    ],
)
def test_what_is_not_understood_is_refused(old, new):
    assert old in GOOD
    with pytest.raises(BadCaseError):
        load(GOOD.replace(old, new), "x.yaml")


def test_each_multiplies_a_case():
    text = GOOD.replace("id: a-case", "id: case-<n>\n  each: [{n: 1, age: 60}, {n: 2, age: 70}]").replace(
        "=60", "=<age>"
    )
    assert [case.id for case in load(text, "x.yaml")] == ["case-1", "case-2"]
    assert load(text, "x.yaml")[1].steps[0].says[0].headers == ("Cache-Control: max-age=70",)


def test_rows_that_name_different_things_are_refused():
    with pytest.raises(BadCaseError):
        load(GOOD.replace("id: a-case", "id: case-<n>\n  each: [{n: 1}, {m: 2}]"), "x.yaml")


def test_every_case_on_disk_is_understood():
    assert len(load_all()) >= 200


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (None, "Fri, 15 Jan 2027 08:00:00 GMT"),
        ("rfc850", "Friday, 15-Jan-27 08:00:00 GMT"),
        ("asctime", "Fri Jan 15 08:00:00 2027"),
    ],
)
def test_the_three_forms_of_a_date(form, text):
    assert http_date(EPOCH, form) == text


def test_client_and_origin_understand_each_other():
    async def talk():
        backend = Origin()
        port = await backend.start()
        say = Say(framing="chunked", trailers=("Sum: 1",))
        script = backend.scripts["/c/x"] = Script([(say, render_answer(say, ("A: 1", "A: 2"), b"abc", "today"))])
        answer = await ask(port, "POST", render("POST", "/c/x?q=1", ("B: 1",), "body"))
        await backend.stop()
        return answer, script

    answer, script = asyncio.run(talk())
    assert (answer.status, answer.message.body, answer.message.value("a")) == (200, b"abc", "1, 2")
    assert answer.message.trailers == (("Sum", "1"),)
    assert (script.seen[0].start, script.seen[0].body) == ("POST /c/x?q=1 HTTP/1.1", b"body")


def test_an_origin_that_closes_says_nothing():
    async def talk():
        backend = Origin()
        port = await backend.start()
        backend.scripts["/c/x"] = Script([(Say(closes=True), b"")])
        try:
            await ask(port, "GET", render("GET", "/c/x", (), ""))
        finally:
            await backend.stop()

    with pytest.raises(EOFError):
        asyncio.run(talk())


HIT = (("Age", "5"), ("Cache-Status", "up; hit, sapwood; hit; ttl=55"), ("X-Cache-Status", "HIT"))
MISS = (("Cache-Status", "sapwood; fwd=uri-miss; stored"), ("X-Cache-Status", "MISS"))
STALE = (("Age", "65"), ("Cache-Status", "sapwood; hit; ttl=-5"), ("X-Cache-Status", "STALE"))
PLAIN = Message("GET /c/x HTTP/1.1", [("Host", "conformance.example")])


def judge(expect, fields, *, status=200, body=b"old", seen=(), scripted=()):
    take = Take("/c/x", Script(seen=list(seen)), [b"old", *scripted])
    stage = Stage(Origin(), None, 0, Clock())
    answer = Answer(status, Message(f"HTTP/1.1 {status} X", list(fields), body))
    Judge(stage, take, Ask(), expect, list(scripted)).judge(answer)


@pytest.mark.parametrize(
    ("expect", "facts"),
    [
        pytest.param(Expect("cache", cache_status=("ttl=55",)), {"fields": HIT}, id="a hit"),
        pytest.param(
            Expect("origin"), {"fields": MISS, "seen": [PLAIN], "scripted": [b"new"], "body": b"new"}, id="a miss"
        ),
        pytest.param(Expect("stale"), {"fields": STALE}, id="a stale hit"),
        pytest.param(
            Expect("stale"), {"fields": STALE, "seen": [PLAIN], "scripted": [b"new"]}, id="a stale hit, refreshed"
        ),
        pytest.param(
            Expect("sidecar", (504,)), {"fields": MISS[:1], "status": 504, "body": b"own"}, id="an answer of its own"
        ),
    ],
)
def test_the_judge_accepts(expect, facts):
    judge(expect, **facts)


@pytest.mark.parametrize(
    ("expect", "facts"),
    [
        pytest.param(Expect("cache"), {"fields": HIT, "seen": [PLAIN]}, id="a hit for which the origin was asked"),
        pytest.param(Expect("cache"), {"fields": HIT[1:]}, id="a hit without Age"),
        pytest.param(Expect("cache"), {"fields": HIT, "body": b"unheard"}, id="a hit with a body that was never said"),
        pytest.param(Expect("cache"), {"fields": (*HIT[:1], *MISS)}, id="a hit that says miss"),
        pytest.param(Expect("cache"), {"fields": HIT, "status": 404}, id="another status"),
        pytest.param(Expect("cache", has=("A",)), {"fields": HIT}, id="a field that is missing"),
        pytest.param(Expect("cache", has=("Age: 6",)), {"fields": HIT}, id="a field with another value"),
        pytest.param(Expect("cache", lacks=("age",)), {"fields": HIT}, id="a field too many"),
        pytest.param(Expect("cache", interim=(103,)), {"fields": HIT}, id="an interim answer that is missing"),
        pytest.param(
            Expect("origin"), {"fields": MISS, "scripted": [b"new"], "body": b"new"}, id="a miss nobody heard of"
        ),
        pytest.param(
            Expect("origin"), {"fields": MISS, "seen": [PLAIN], "scripted": [b"new"]}, id="a miss with an old body"
        ),
        pytest.param(
            Expect("origin"), {"fields": HIT, "seen": [PLAIN], "scripted": [b"old"]}, id="a miss that says hit"
        ),
        pytest.param(
            Expect("origin"), {"fields": (), "seen": [PLAIN], "scripted": [b"old"]}, id="a miss that says nothing"
        ),
        pytest.param(
            Expect("revalidated"), {"fields": MISS, "seen": [PLAIN], "scripted": [b""]}, id="no condition sent"
        ),
        pytest.param(
            Expect("sidecar", (502,)), {"fields": MISS, "status": 502}, id="an own answer with the origin's body"
        ),
        pytest.param(Expect("stale"), {"fields": STALE, "status": UNSCRIPTED}, id="a question that no script foresaw"),
        pytest.param(
            Expect("stale", saw=Saw(has=("If-None-Match",))), {"fields": STALE, "seen": [PLAIN]}, id="a field not sent"
        ),
    ],
)
def test_the_judge_refuses(expect, facts):
    with pytest.raises(AssertionError):
        judge(expect, **facts)
