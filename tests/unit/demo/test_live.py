import orjson
import pytest

from proxy.demo.live import shown

REQUEST = {
    "event": "request", "outcome": "hit_redis", "seconds": 0.0021, "status": 200, "method": "GET", "path": "/plans",
}  # fmt: skip


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(orjson.dumps(REQUEST), "A  hit_redis       2.1 ms  200  GET /plans", id="a request"),
        pytest.param(
            orjson.dumps({"event": "purge", "selectors": ["tag:plans", "user:7"]}),
            "A  purge       tag:plans user:7",
            id="a purge",
        ),
        pytest.param(b"Traceback", "A  Traceback", id="no log line"),
        pytest.param(b'{"event":"x","level":"error"}', 'A  {"event":"x","level":"error"}', id="a failure, as it is"),
        pytest.param(b'{"event":"x","level":"info"}', None, id="anything else is not shown"),
    ],
)
def test_a_log_line_is_shown_in_short(line, expected):
    assert shown("A", line.decode(), in_colour=False) == expected


def test_a_terminal_gets_colours():
    assert "\x1b[32mhit_redis" in shown("A", orjson.dumps(REQUEST).decode(), in_colour=True)
    assert "\x1b" not in shown("A", orjson.dumps({**REQUEST, "outcome": "bypass"}).decode(), in_colour=True)
