"""Cron expressions: five fields, read before anything waits for them."""

from __future__ import annotations

from typing import Final

from proxy.warming.cron import Cron

_MONTHS: Final = dict(
    zip(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], range(1, 13), strict=True)
)
_DAYS: Final = dict(zip(["sun", "mon", "tue", "wed", "thu", "fri", "sat"], range(7), strict=True))
_LONGEST: Final = {month: 31 - (month in {4, 6, 9, 11}) - 2 * (month == 2) for month in range(1, 13)}  # noqa: PLR2004 - February
_FIELDS: Final[tuple[tuple[str, int, int, dict[str, int]], ...]] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),  # 0 and 7 are Sunday
)


def parse_cron(text: str) -> Cron:
    """Read ``minute hour day month weekday``. Raises ValueError that names the field."""
    parts = text.split()
    if len(parts) != len(_FIELDS):
        raise ValueError(f'expected five fields like "*/30 * * * *", got "{text}"')
    fields: list[frozenset[int]] = []
    for part, (name, least, most, words) in zip(parts, _FIELDS, strict=True):
        values: set[int] = set()
        for item in part.split(","):
            chosen = _values(item.lower(), least, most, words)
            if chosen is None:
                raise ValueError(f'expected a {name} from {least} to {most} in "{text}", got "{item}"')
            values |= set(chosen)
        fields.append(frozenset(values))
    minutes, hours, days, months, weekdays = fields
    either = not parts[2].startswith("*") and not parts[4].startswith("*")
    if not either and not any(day <= _LONGEST[month] for day in days for month in months):
        raise ValueError(f'"{text}" never comes: no such month has that day')
    return Cron(text, minutes, hours, days, months, frozenset(day % 7 for day in weekdays), either)


def _values(item: str, least: int, most: int, words: dict[str, int]) -> range | None:
    """Return what one item of a field stands for; None if it is none."""
    span, slash, step = item.partition("/")
    if slash and not (_is_number(step) and 1 <= int(step) <= most):
        return None
    stride = int(step) if slash else 1
    if span == "*":
        return range(least, most + 1, stride)
    first, dash, last = span.partition("-")
    low = _value(first, words)
    high = _value(last, words) if dash else most if slash else low  # "5/10" goes on to the end, as in every cron
    if low is None or high is None or not least <= low <= high <= most:
        return None
    return range(low, high + 1, stride)


def _value(text: str, words: dict[str, int]) -> int | None:
    if text in words:
        return words[text]
    return int(text) if _is_number(text) else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 2  # noqa: PLR2004 - no field goes beyond 59
