"""Which due time is to be run now."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def last_due(
    due_after: Callable[[float], float], handled: float, now: float, late: float
) -> tuple[float | None, float]:
    """Return the due time to be run, None if there is none, and the one after it.

    ``handled``: up to when all was seen to; ``late``: by how much a run may be late. All in wall-clock seconds.
    """
    # A clock that was set back: what it handled in the future it has not handled.
    handled = min(max(handled, now - late), now)
    due, coming = None, due_after(handled)
    while coming <= now:  # of several that have passed the last one stands for all
        due, coming = coming, due_after(coming)
    return due, coming
