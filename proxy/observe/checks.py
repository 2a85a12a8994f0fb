"""What a value read from elsewhere has to be: a name, a count, an amount. What is not exactly one is refused.

Counters travel through a Redis that others write to, and between versions.
"""

from __future__ import annotations

import math
from typing import Any, Final

LONGEST_NAME: Final = 512
"""Characters: routes and namespaces are identifiers, operations and kinds words of ours."""


def name_of(value: Any) -> str:
    """Return a string of at most ``LONGEST_NAME`` characters. Raises ValueError for anything else."""
    if not isinstance(value, str) or len(value) > LONGEST_NAME:
        raise ValueError("expected a name")
    return value


def count_of(value: Any) -> int:
    """Return a whole number from 0. Raises ValueError for anything else; ``true`` is no number."""
    if type(value) is not int or value < 0:
        raise ValueError("expected a count")
    return value


def amount_of(value: Any) -> float:
    """Return a finite number from 0. Raises ValueError for anything else; ``true`` is no number."""
    if type(value) not in {int, float} or not 0 <= value < math.inf:
        raise ValueError("expected an amount")
    return float(value)


def flag_of(value: Any) -> bool:
    """Return true or false. Raises ValueError for anything else, also for 0 and 1."""
    if not isinstance(value, bool):
        raise ValueError("expected true or false")  # noqa: TRY004 - bad data, not a caller's mistake
    return value
