"""Where a head ends in bytes that come in pieces; no byte is searched twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.wire.limits import WireLimits


class HeadSearch:
    """The search for one head after the other; ``check`` refuses an unfinished one that no further byte can mend."""

    __slots__ = ("_check", "_limits", "_searched")

    def __init__(self, check: Callable[[bytes, int, WireLimits], None], limits: WireLimits) -> None:
        self._check = check
        self._limits = limits
        self._searched = 0  # how much of an unfinished head is known not to hold its end

    def end(self, data: bytes, at: int) -> int:
        """Return the position after the next head's empty line, -1 if that is yet to come. Raises what ``check`` does."""
        end = data.find(b"\r\n\r\n", max(at, self._searched - 3))
        if end < 0:
            self._check(data, at, self._limits)
            self._searched = len(data) - at
            return -1
        self._searched = 0
        return end + 4
