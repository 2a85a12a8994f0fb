"""A warmer is due when the first of its schedules is, as its zone's clocks show it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from proxy.settings.cron import parse_cron
from proxy.warming.warmers import Popular, Warmer

MIDNIGHT = 1_800_000_000 // 86400 * 86400.0  # in January: Berlin is an hour ahead


def test_it_is_due_at_the_first_of_its_times():
    crons = (parse_cron("0 3 * * *"), parse_cron("30 2 * * *"))
    warmer = Warmer("w", "d", Popular(), ZoneInfo("Europe/Berlin"), crons=crons)
    assert warmer.due_after(MIDNIGHT) == MIDNIGHT + 1.5 * 3600
    assert warmer.due_after(MIDNIGHT + 1.5 * 3600) == MIDNIGHT + 2 * 3600
