"""The hours of a week, as a zone's clocks show them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from proxy.popularity.hours import HOURS, a_day_before, hour_of


@pytest.mark.parametrize(
    ("text", "zone", "hour"),
    [
        pytest.param("2026-06-01 00:00", "UTC", 0, id="Monday begins"),
        pytest.param("2026-06-01 00:59:59", "UTC", 0, id="and lasts an hour"),
        pytest.param("2026-06-07 23:30", "UTC", 167, id="Sunday ends"),
        pytest.param("2026-06-01 07:00", "Europe/Berlin", 9, id="nine in Berlin, in summer"),
        pytest.param("2026-12-07 08:00", "Europe/Berlin", 9, id="nine in Berlin, in winter"),
        pytest.param("2026-06-01 02:00", "America/New_York", 166, id="Sunday still"),
    ],
)
def test_which_hour_it_is(text, zone, hour):
    assert hour_of(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp(), ZoneInfo(zone)) == hour


@pytest.mark.parametrize(("hour", "before"), [(33, 9), (9, HOURS - 15), (0, HOURS - 24)])
def test_the_day_before(hour, before):
    assert a_day_before(hour) == before
