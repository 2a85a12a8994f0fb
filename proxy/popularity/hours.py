"""The hours of a week: what is read on Mondays from nine to ten comes again on Monday at nine."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import tzinfo

HOURS: Final = 168
A_DAY: Final = 24


def hour_of(moment: float, zone: tzinfo) -> int:
    """Return the hour of the week, 0 on Monday at midnight, of wall-clock seconds as that zone's clocks show it."""
    local = datetime.fromtimestamp(moment, zone)
    return local.weekday() * A_DAY + local.hour


def a_day_before(hour: int) -> int:
    """Return the same hour of the day before."""
    return (hour - A_DAY) % HOURS
