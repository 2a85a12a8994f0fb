"""Each line that can be written is in docs/logs.md, event by event, with its level and no field that is not there."""

import io
import re
from pathlib import Path

import orjson
import pytest

from proxy.message.errors import OriginError
from proxy.observe.events import (
    BreakerMoved,
    DictionaryTrained,
    ExportFailed,
    OriginAnswered,
    Outcome,
    Purged,
    RequestServed,
    ResponseStored,
    StoreAnswered,
    TaskFailed,
    WarmerRan,
)
from proxy.observe.linewriter import LineWriter
from proxy.observe.logs import Logs
from proxy.observe.options import LogOptions

DOCUMENT = (Path(__file__).parents[3] / "docs" / "logs.md").read_text("utf-8")

SERVED = RequestServed(
    *("plan", Outcome.MISS, "GET", "/", 200, 0.1, 1, "r", "::1"),
    namespace="n",
    detail="d",
    ttl=1.0,
    age=1.0,
    aborted=True,
)
FACTS = [
    SERVED,
    RequestServed("plan", Outcome.ERROR, "GET", "/", 502, 0.1, 1, "r", "::1"),
    Purged("api", "hard", ("tag:a",), "e:1"),
    Purged("api", "hard", ("tag:a",), "", failure="away"),
    DictionaryTrained("9e854d4a1de2203b", 200, 0.12, 0.25, 0.05),
    WarmerRan("plans", "startup", {"warmed": 1, "fresh": 0, "failed": 0, "skipped": 0}, 0.1),
    WarmerRan("plans", "startup", {"warmed": 0, "fresh": 0, "failed": 1, "skipped": 0}, 0.1, "no list"),
    StoreAnswered("load", 0.1),
    StoreAnswered("load", 0.1, "timeout"),
    OriginAnswered("plan", 200, 0.1),
    OriginAnswered("plan", 0, 0.1, "timeout"),
    ResponseStored("plan", "plans", 10, 60.0),
    BreakerMoved(is_open=True, detail="timeout"),
    BreakerMoved(is_open=False),
    ExportFailed("cloudwatch", "ClientError AccessDenied"),
    TaskFailed("refresh", OriginError("away", 502)),
]


def documented():
    """Return each event with its level and fields."""
    rows = [
        line.split(" | ")
        for line in DOCUMENT.splitlines()
        if re.match(r"\| `\w+` \| (?:debug|info|warning|error)", line)
    ]
    return {row[0].strip("| `"): (row[1], set(re.findall(r"`(\w+)`", row[2]))) for row in rows}


def lines_of(facts):
    stream = io.BytesIO()
    writer = LineWriter(stream)
    logs = Logs(LogOptions(level="debug", hits=1.0), writer)
    for fact in facts:
        logs.tell(fact)
    logs.change(LogOptions(level="error"))
    writer.close()
    return [orjson.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("line", lines_of(FACTS), ids=lambda line: f"{line['event']} at {line['level']}")
def test_a_line_has_its_documented_level_and_fields(line):
    level, fields = documented()[line["event"]]
    assert line["level"] in level
    assert set(line) - {"time", "level", "event"} <= fields


def test_every_documented_field_is_written_by_some_line():
    written = {}
    for line in lines_of(FACTS):
        written.setdefault(line["event"], set()).update(set(line) - {"time", "level", "event"})
    elsewhere = {"log_lines_dropped", "worker_ended", "metrics"}
    assert written == {event: fields for event, (_, fields) in documented().items() if event not in elsewhere}


def test_without_debug_what_succeeded_has_no_line():
    stream = io.BytesIO()
    writer = LineWriter(stream)
    logs = Logs(LogOptions(level="info"), writer)
    for fact in (StoreAnswered("load", 0.1), OriginAnswered("plan", 200, 0.1), ResponseStored("plan", "", 1, 1.0)):
        logs.tell(fact)
    writer.close()
    assert stream.getvalue() == b""


def test_a_change_is_written_even_into_a_log_that_keeps_only_errors():
    line = lines_of([])[-1]
    assert (line["event"], line["to_level"], line["hits"]) == ("log_changed", "error", 0.01)
