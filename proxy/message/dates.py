"""HTTP-date in its three forms (RFC 9110 section 5.6.7).

Strict in its shape, since a date that other caches cannot read must not be fresh here alone; lenient in one thing,
the letter case of weekday, month and zone. The weekday is not compared with the date.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_MONTH_NUMBERS: Final = {name.lower().encode(): number for number, name in enumerate(MONTHS, 1)}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LEAP_SECOND: Final = 60
_CENTURY: Final = 100
_FIXDATE_LENGTH: Final = len(b"Sun, 06 Nov 1994 08:49:37 GMT")
_TOO_FAR_AHEAD: Final = 50  # years, of a two-digit year

_DAY: Final = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_DAY_LONG: Final = rb"(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"
_MONTH: Final = rb"(?P<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_TIME: Final = rb"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"

_FORMS: Final = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        _DAY + rb", (?P<day>[0-9]{2}) " + _MONTH + rb" (?P<year>[0-9]{4}) " + _TIME + rb" GMT",
        _DAY_LONG + rb", (?P<day>[0-9]{2})-" + _MONTH + rb"-(?P<year>[0-9]{2}) " + _TIME + rb" GMT",
        _DAY + rb" " + _MONTH + rb" (?P<day>[0-9]{2}| [0-9]) " + _TIME + rb" (?P<year>[0-9]{4})",
    )
)


def parse(value: bytes, now: float) -> float | None:
    """Return seconds since the epoch, None if ``value`` is no HTTP-date; ``now`` settles a two-digit year."""
    if len(value) == _FIXDATE_LENGTH:
        return _fixdate(value)
    for form in _FORMS:
        if found := form.fullmatch(value):
            return _seconds(found, now)
    return None


@lru_cache(maxsize=256)  # a backend says the same Date for a second
def _fixdate(value: bytes) -> float | None:
    """Read what may be an IMF-fixdate: the one form of that length, and one that has all digits of its year."""
    found = _FORMS[0].fullmatch(value)
    return _seconds(found, 0.0) if found else None


def _seconds(found: re.Match[bytes], now: float) -> float | None:
    year = _full_year(int(found["year"]), now) if len(found["year"]) == len("yy") else int(found["year"])
    second = int(found["second"])
    leap = second == _LEAP_SECOND
    try:
        moment = datetime(
            year,
            _MONTH_NUMBERS[found["month"].lower()],
            int(found["day"]),
            int(found["hour"]),
            int(found["minute"]),
            second - leap,
            tzinfo=UTC,
        )
    except ValueError:
        return None
    return moment.timestamp() + leap


def _full_year(two_digits: int, now: float) -> int:
    """Take a year more than 50 years ahead for the latest one past that ends so (section 5.6.7)."""
    this_year = datetime.fromtimestamp(now, UTC).year
    year = this_year - this_year % _CENTURY + two_digits
    return year - _CENTURY if year > this_year + _TOO_FAR_AHEAD else year


def render(seconds: float) -> bytes:
    """Write an IMF-fixdate, fractions cut off. Raises OverflowError outside the years 1 to 9999."""
    return _rendered(seconds // 1)


@lru_cache(maxsize=64)
def _rendered(seconds: float) -> bytes:
    moment = _EPOCH + timedelta(seconds=seconds)
    weekday, month = WEEKDAYS[moment.weekday()], MONTHS[moment.month - 1]
    return (
        f"{weekday}, {moment.day:02} {month} {moment.year:04} {moment.hour:02}:{moment.minute:02}:{moment.second:02} GMT"
    ).encode()
