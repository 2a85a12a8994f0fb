"""The bearer token as it changes: the one in force, and for a while the one before it."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final

from proxy.admin.guard import carries

if TYPE_CHECKING:
    from collections.abc import Callable

OVERLAP: Final = 120.0
"""Seconds for which the token before is still taken. A kubelet brings a changed secret to its pods one after another,
each within its sync period and its cache's age, about 90 s: a purger elsewhere may have the old one that long."""


class Tokens:
    """``clock`` gives seconds that never go back. No token at all stays none: that needs a restart."""

    def __init__(self, token: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._token = token
        self._before: str | None = None
        self._until = -math.inf

    def use(self, token: str | None) -> None:
        """Take another token from now on. Raises ValueError where there was none, or would be none any more."""
        if (token is None) != (self._token is None):
            raise ValueError("whether a token is needed is settled at the start")
        if token != self._token:
            self._before, self._token, self._until = self._token, token, self._clock() + OVERLAP

    def admit(self, authorization: list[str]) -> bool:
        """Say whether a request with these Authorization fields may pass."""
        if self._token is None:
            return True
        given = carries(authorization, self._token)
        if self._before is not None and self._clock() < self._until:
            return carries(authorization, self._before) or given
        return given
