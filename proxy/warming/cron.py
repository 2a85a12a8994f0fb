"""A cron expression, and when it is due next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

_DAYS_AHEAD: Final = 9 * 366  # from one 29th of February to the next it may be eight years


@dataclass(frozen=True, slots=True)
class Cron:
    """When all fields agree; weekdays count from 0, Sunday.

    ``either``: day of the month and weekday were both restricted, and then one of them is enough, as cron has it.
    """

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool = False

    def due_after(self, moment: float, zone: tzinfo) -> float:
        """Return the first due time after ``moment``, both wall-clock seconds.

        In the hour that clocks repeat it is due twice; one that they skip is due as if they had not. A purge too many
        harms nobody. Raises ValueError for an expression that never comes.
        """
        day = datetime.fromtimestamp(moment, zone).date()
        for _ in range(_DAYS_AHEAD):
            due = min((at for at in self._times(day, zone) if at > moment), default=None)
            if due is not None:
                return due
            day += timedelta(days=1)
        raise ValueError(f'"{self.text}" never comes')

    def _times(self, day: date, zone: tzinfo) -> Iterator[float]:
        if not self._is_on(day):
            return
        for hour in self.hours:
            for minute in self.minutes:
                local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                yield (first := local.timestamp())
                if (again := local.replace(fold=1).timestamp()) > first:
                    yield again

    def _is_on(self, day: date) -> bool:
        by_date, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and (by_date or by_weekday if self.either else by_date and by_weekday)
