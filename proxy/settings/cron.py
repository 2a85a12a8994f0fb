"""Cron expressions: five fields, checked before anything waits for them."""

from __future__ import annotations

from typing import Final

_MONTHS: Final = dict(
    zip(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], range(1, 13), strict=True)
)
_DAYS: Final = dict(zip(["sun", "mon", "tue", "wed", "thu", "fri", "sat"], range(7), strict=True))
_FIELDS: Final[tuple[tuple[str, int, int, dict[str, int]], ...]] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),  # 0 and 7 are Sunday
)


def check_cron(text: str) -> str:
    """Check ``minute hour day month weekday``. Raises ValueError that names the field."""
    parts = text.split()
    if len(parts) != len(_FIELDS):
        raise ValueError(f'expected five fields like "*/30 * * * *", got "{text}"')
    for part, (name, least, most, words) in zip(parts, _FIELDS, strict=True):
        for item in part.split(","):
            if not _is_item(item.lower(), least, most, words):
                raise ValueError(f'expected a {name} from {least} to {most} in "{text}", got "{item}"')
    return text


def _is_item(item: str, least: int, most: int, words: dict[str, int]) -> bool:
    span, slash, step = item.partition("/")
    if slash and not (_is_number(step) and 1 <= int(step) <= most):
        return False
    if span == "*":
        return True
    first, dash, last = span.partition("-")
    low = _value(first, words)
    high = _value(last, words) if dash else low
    return low is not None and high is not None and least <= low <= high <= most


def _value(text: str, words: dict[str, int]) -> int | None:
    if text in words:
        return words[text]
    return int(text) if _is_number(text) else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 2  # noqa: PLR2004 - no field goes beyond 59
