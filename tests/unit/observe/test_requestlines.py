import io

import orjson
import pytest

from proxy.observe.events import Outcome, RequestServed
from proxy.observe.linewriter import LineWriter
from proxy.observe.logger import make_logger
from proxy.observe.logs import Logs
from proxy.observe.options import LogOptions
from proxy.observe.requestlines import as_json, fields_of


def served(**more):
    given = {
        "route": "plan",
        "outcome": Outcome.MISS,
        "method": "GET",
        "path": "/plans/7?zip=1",
        "status": 200,
        "seconds": 0.1234567,
        "sent_bytes": 512,
        "request_id": "r-1",
        "client": "10.0.0.1",
    }
    return RequestServed(**{**given, **more})


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(served(), id="what each has"),
        pytest.param(served(namespace="plans", detail="uri-miss", ttl=60.0, age=0.0, aborted=True), id="all there is"),
        pytest.param(served(path="/Bearer%20abcdefgh/\x1b[2J\u2028"), id="a path that means harm"),
        pytest.param(served(request_id="eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2ln"), id="a token for an id"),
        pytest.param(served(client="\x00", method="G\nT", path="/" + "x" * 900), id="what no reader would let through"),
    ],
)
@pytest.mark.parametrize("level", ["info", "warning"])
def test_it_says_what_structlog_would_have_said(event, level):
    stream = io.BytesIO()
    writer = LineWriter(stream)
    getattr(make_logger(LogOptions(level="debug"), writer), level)("request", **fields_of(event))
    writer.close()
    line, expected = orjson.loads(as_json(event, level)), orjson.loads(stream.getvalue())
    assert list(line) == list(expected)
    assert len(line.pop("time")) == len(expected.pop("time"))
    assert line == expected


@pytest.mark.parametrize(
    ("level", "good", "bad"),
    [("debug", 1, 1), ("info", 1, 1), ("warning", 0, 1), ("error", 0, 0)],
)
@pytest.mark.parametrize("style", ["json", "console"])
def test_the_level_decides_in_both_formats(level, good, bad, style):
    for status, expected in ((200, good), (502, bad)):
        stream = io.BytesIO()
        writer = LineWriter(stream)
        Logs(LogOptions(level=level, format=style), writer).tell(served(status=status))
        writer.close()
        assert stream.getvalue().count(b"\n") == expected
