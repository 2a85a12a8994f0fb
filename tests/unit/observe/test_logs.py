import io
import logging
import random
import statistics

import orjson
import pytest
import structlog

from proxy.message.errors import OriginError
from proxy.observe.events import (
    BreakerMoved,
    OriginAnswered,
    Outcome,
    Purged,
    RequestServed,
    ResponseStored,
    StoreAnswered,
    TaskFailed,
    WorkerEnded,
)
from proxy.observe.linewriter import LineWriter
from proxy.observe.logs import SECONDS_BETWEEN_FAILURES, Logs
from proxy.observe.options import LogOptions

SECRETS = (
    "hunter2",
    "s3cr3t-token",
    "sessionid",
    "zip_code=78701",
    "czNjcjN0LXRva2Vu",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl",
)


class Paper:
    """Logs whose lines can be read, with a clock and a draw that the test holds."""

    def __init__(self, options=None):
        self.stream = io.BytesIO()
        self.writer = LineWriter(self.stream)
        self.now = 0.0
        self.drawn = 0.5
        self.logs = Logs(options or LogOptions(hits=0.1), self.writer, draw=lambda: self.drawn, clock=lambda: self.now)

    def text(self):
        self.writer.close()
        return self.stream.getvalue().decode()

    def lines(self):
        return [orjson.loads(line) for line in self.text().splitlines()]


def served(outcome=Outcome.MISS, status=200, path="/plans/7", **more):
    given = {"request_id": "r-1", "client": "10.0.0.1", **more}
    return RequestServed("plan", outcome, "GET", path, status, 0.1234567, 512, **given)


def test_one_line_per_request_with_route_outcome_and_times():
    paper = Paper()
    paper.logs.tell(served(namespace="plans", detail="uri-miss", ttl=60.0, age=0.0))
    (line,) = paper.lines()
    assert line.pop("time").endswith("Z")
    assert line == {
        "event": "request",
        "level": "info",
        "route": "plan",
        "outcome": "miss",
        "status": 200,
        "method": "GET",
        "path": "/plans/7",
        "seconds": 0.123457,
        "bytes": 512,
        "client": "10.0.0.1",
        "request_id": "r-1",
        "namespace": "plans",
        "detail": "uri-miss",
        "ttl": 60.0,
        "age": 0.0,
    }


@pytest.mark.parametrize(
    ("event", "drawn", "lines"),
    [
        pytest.param(served(Outcome.HIT_REDIS), 0.05, 1, id="a hit within the share"),
        pytest.param(served(Outcome.HIT_REDIS), 0.1, 0, id="a hit beyond the share"),
        pytest.param(served(Outcome.HIT_MEMORY), 0.5, 0, id="a hot hit beyond the share"),
        pytest.param(served(Outcome.HIT_REDIS, status=503), 0.99, 1, id="a stored error is no quiet hit"),
        pytest.param(served(Outcome.ERROR, status=502), 0.99, 1, id="an error always"),
        pytest.param(served(Outcome.STALE), 0.99, 1, id="a stale answer always"),
        pytest.param(served(Outcome.BYPASS), 0.99, 1, id="what passes by always"),
    ],
)
def test_hits_are_sampled_and_errors_never(event, drawn, lines):
    paper = Paper()
    paper.drawn = drawn
    paper.logs.use(paper.logs.options)
    paper.logs.tell(event)
    assert len(paper.lines()) == lines


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01])
def test_as_many_hits_get_a_line_as_were_asked_for(share):
    logs = Logs(LogOptions(hits=share), None, draw=random.Random(7).random)
    drawn = [logs.draws() for _ in range(200_000)]
    assert sum(drawn) == pytest.approx(200_000 * share, rel=0.05)
    runs = [sum(drawn[at : at + 1000]) for at in range(0, 200_000, 1000)]
    assert statistics.variance(runs) == pytest.approx(1000 * share * (1 - share), rel=0.3)  # by chance, not every nth


def test_another_share_counts_from_the_next_hit_on():
    logs = Logs(LogOptions(hits=0.0), None)
    assert not logs.draws()
    logs.use(LogOptions(hits=1.0))
    assert logs.draws()


def test_a_share_of_nothing_or_everything():
    for share, count in ((0.0, 0), (1.0, 1)):
        paper = Paper(LogOptions(hits=share))
        paper.drawn = 0.0 if share == 0.0 else 0.999999
        paper.logs.use(paper.logs.options)
        paper.logs.tell(served(Outcome.HIT_MEMORY))
        assert len(paper.lines()) == count


@pytest.mark.parametrize("style", ["json", "console"])
def test_no_secret_reaches_a_line_wherever_it_was_planted(style):
    paper = Paper(LogOptions(format=style, hits=1.0))
    jwt = SECRETS[-1]
    error = ValueError("redis://:hunter2@h and Cookie: sessionid=9")
    for event in (
        served(path="/plans?zip_code=78701&token=s3cr3t-token"),
        served(path=f"/reset/{jwt}", request_id="Bearer s3cr3t-token"),
        served(outcome=Outcome.ERROR, status=502, detail="Basic czNjcjN0LXRva2Vu"),
        StoreAnswered("load", 1.0, "cannot reach redis://user:hunter2@cache:6379/0"),
        OriginAnswered("plan", 0, 1.0, "sent Authorization: Bearer s3cr3t-token"),
        Purged("api", "hard", ("url:/plans?zip_code=78701", f"user:{jwt}"), "e:1", "Bearer s3cr3t-token"),
        Purged("api", "hard", ("tag:a",), "", failure="redis://:hunter2@h"),
        BreakerMoved(is_open=True, detail="redis://:hunter2@h timed out"),
        TaskFailed("refresh", error),
    ):
        paper.logs.tell(event)
    paper.logs.log.info(
        "started", authorization="s3cr3t-token", cookie="sessionid=9", token="hunter2", query="zip_code=78701"
    )
    paper.logs.log.error("odd", exc_info=error, body=b"sessionid=9", thing={"password": "hunter2"})
    text = paper.text()
    assert len(text.splitlines()) == 11
    for secret in SECRETS:
        assert secret not in text


@pytest.mark.parametrize("style", ["json", "console"])
@pytest.mark.parametrize(
    "text",
    ['/a\n{"event":"purge"}', "/a\r\nrequest outcome=hit", "/a\x1b[31m", "/a\u2028b", "/a\udcff"],
    ids=["JSON line", "console line", "terminal colours", "Unicode line end", "no UTF-8"],
)
def test_what_a_client_writes_cannot_pass_for_a_line_of_ours(style, text):
    paper = Paper(LogOptions(format=style))
    paper.logs.tell(served(path=text, request_id=text))
    written = paper.text()
    assert len(written.splitlines()) == 1
    assert "\x1b" not in written
    if style == "json":
        assert orjson.loads(written)["event"] == "request"


def test_a_purge_says_what_and_how_far():
    paper = Paper()
    paper.logs.tell(Purged("write", "soft", ("tag:plans", "url:/a?b=1"), "k3f9:17", "r-9"))
    paper.logs.tell(Purged("api", "hard", ("tag:plans",), "", "r-9", failure="timed out"))
    done, failed = paper.lines()
    assert (done["event"], done["level"], done["seq"], done["kind"], done["mode"]) == (
        "purge",
        "info",
        "k3f9:17",
        "write",
        "soft",
    )
    assert done["selectors"] == ["tag:plans", "url:/a?..."]
    assert done["request_id"] == "r-9"
    assert (failed["event"], failed["level"], failed["failure"]) == ("purge_failed", "error", "timed out")


def test_each_move_of_the_breaker_has_its_line():
    paper = Paper()
    paper.logs.tell(BreakerMoved(is_open=True, detail="5 failures"))
    paper.logs.tell(BreakerMoved(is_open=False))
    assert [(line["event"], line["level"]) for line in paper.lines()] == [
        ("breaker_opened", "warning"),
        ("breaker_closed", "info"),
    ]


def test_a_dead_store_says_so_now_and_then_and_how_often_it_failed_meanwhile():
    paper = Paper()
    for _ in range(100):
        paper.logs.tell(StoreAnswered("load", 2.0, "timed out"))
    paper.logs.tell(StoreAnswered("save", 2.0, "timed out"))
    paper.logs.tell(StoreAnswered("load", 0.001))
    paper.now = SECONDS_BETWEEN_FAILURES
    paper.logs.tell(StoreAnswered("load", 2.0, "refused"))
    lines = paper.lines()
    assert [(line["operation"], line["failure"], line["more_since_last_line"]) for line in lines] == [
        ("load", "timed out", 0),
        ("save", "timed out", 0),
        ("load", "refused", 99),
    ]


def test_a_backend_that_does_not_answer_is_told_once_per_while():
    paper = Paper()
    for _ in range(3):
        paper.logs.tell(OriginAnswered("plan", 0, 30.0, "timeout"))
    paper.logs.tell(OriginAnswered("plan", 503, 0.1))
    (line,) = paper.lines()
    assert (line["event"], line["route"], line["failure"]) == ("upstream_failed", "plan", "timeout")


def failing(error):
    try:
        raise error
    except type(error) as raised:
        return raised


def test_a_failed_task_is_told_with_its_way_and_only_our_own_words():
    paper = Paper()
    paper.logs.tell(TaskFailed("refresh", failing(OriginError("no answer within 30 s", 504))))
    paper.logs.tell(TaskFailed("refresh", failing(KeyError("their words"))))
    own, foreign = paper.lines()
    assert (own["task"], own["error"], own["said"]) == ("refresh", "OriginError", "no answer within 30 s")
    assert (foreign["error"], foreign["said"]) == ("KeyError", "")
    assert foreign["way"][-1].startswith("test_logs.py:")


def test_what_succeeds_is_counted_not_logged():
    paper = Paper()
    for event in (OriginAnswered("plan", 200, 0.1), StoreAnswered("load", 0.1), ResponseStored("plan", "", 1, 1.0)):
        paper.logs.tell(event)
    assert paper.lines() == []


def test_the_level_is_kept_and_a_reload_changes_it():
    paper = Paper(LogOptions(level="warning"))
    paper.logs.tell(served())
    paper.logs.tell(served(outcome=Outcome.ERROR, status=502))
    paper.logs.use(LogOptions(level="info"))
    paper.logs.tell(served())
    assert [line["level"] for line in paper.lines()] == ["warning", "info"]


def test_two_services_log_apart_and_nothing_global_is_touched():
    before = (structlog.get_config()["processors"], logging.getLogger().handlers[:], structlog.is_configured())
    quiet, loud = Paper(LogOptions(level="error")), Paper(LogOptions(level="debug", format="console"))
    for paper in (quiet, loud):
        paper.logs.tell(served())
    assert quiet.text() == ""
    assert "request" in loud.text()
    assert (structlog.get_config()["processors"], logging.getLogger().handlers[:], structlog.is_configured()) == before


def test_a_worker_that_ended_is_told_with_what_follows():
    paper = Paper()
    paper.logs.tell(WorkerEnded(1, "killed by SIGKILL", 0.2))
    (line,) = paper.lines()
    said = {name: line[name] for name in ("event", "level", "worker", "how", "restart_in")}
    assert said == {
        "event": "worker_ended", "level": "error", "worker": 1, "how": "killed by SIGKILL", "restart_in": 0.2,
    }  # fmt: skip
