"""When a cron expression is due next."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from proxy.settings.cron import parse_cron

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone=UTC) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


@pytest.mark.parametrize(
    ("text", "moment", "due"),
    [
        pytest.param("*/30 * * * *", "2026-05-01 12:00:00", "2026-05-01 12:30", id="not the moment itself"),
        pytest.param("*/30 * * * *", "2026-05-01 11:59:59.9", "2026-05-01 12:00", id="just before"),
        pytest.param("0 3 * * *", "2026-05-01 03:00:01", "2026-05-02 03:00", id="tomorrow"),
        pytest.param("0 0 1 1 *", "2026-01-01 00:00", "2027-01-01 00:00", id="next year"),
        pytest.param("0 0 29 2 *", "2096-03-01 00:00", "2104-02-29 00:00", id="the century without a leap day"),
        pytest.param("0 0 * * 0", "2026-05-01 00:00", "2026-05-03 00:00", id="Sunday"),
        pytest.param("0 0 13 * fri", "2026-05-01 00:00", "2026-05-08 00:00", id="a Friday or a 13th"),
        pytest.param("0 0 13 * fri", "2026-05-08 00:00", "2026-05-13 00:00", id="a 13th or a Friday"),
    ],
)
def test_due_times(text, moment, due):
    assert parse_cron(text).due_after(at(moment), UTC) == at(due)


def test_the_clock_is_the_zones():
    assert parse_cron("0 3 * * *").due_after(at("2026-07-01 00:00"), BERLIN) == at("2026-07-01 01:00")


def due_times(text, start, end):
    cron, found, moment = parse_cron(text), [], at(start)
    while (moment := cron.due_after(moment, BERLIN)) < at(end):
        found.append(datetime.fromtimestamp(moment, UTC).strftime("%H:%M"))
    return found


def test_an_hour_that_clocks_skip_is_due_as_if_they_had_not():
    assert due_times("30 2 * * *", "2026-03-28 12:00", "2026-03-29 12:00") == ["01:30"]  # half past three there


def test_an_hour_that_clocks_repeat_is_due_twice():
    assert due_times("30 2 * * *", "2026-10-24 12:00", "2026-10-25 12:00") == ["00:30", "01:30"]
    assert due_times("*/30 1-3 * * *", "2026-10-24 22:00", "2026-10-25 02:00") == [
        "23:00", "23:30", "00:00", "00:30", "01:00", "01:30",
    ]  # fmt: skip


def test_what_never_comes_ends():
    cron = parse_cron("0 0 28 2 *")
    never = type(cron)(cron.text, cron.minutes, cron.hours, frozenset({30}), cron.months, cron.weekdays)
    with pytest.raises(ValueError, match="never comes"):
        never.due_after(0.0, UTC)
