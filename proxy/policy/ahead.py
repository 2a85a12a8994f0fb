"""Refreshing a user's own entry before its end, while that user is there.

Nobody else can fetch what is kept per credential, and the credential is nowhere but in the user's own requests. So the
only ones who can refresh such an entry ahead are the hits that come late in its life, each with its own credential:
who is active finds fresh data without waiting, and who is not causes no fetch.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from proxy.policy.freshness import is_fresh, lifetime_ends

if TYPE_CHECKING:
    from proxy.message.selectors import Standing
    from proxy.message.stored import StoredResponse

LAST_PART: Final = 0.1
"""Of a lifetime: an entry that is asked for once in a tenth of it never ends, and costs a ninth more fetches."""


def ahead_from(stored: StoredResponse) -> float:
    """Return the wall-clock time from which a hit refreshes the entry; infinity where a new one would end no later."""
    ends = lifetime_ends(stored)
    credential = stored.expires_with_credential
    if credential is not None and credential <= ends:
        return math.inf
    return ends - LAST_PART * stored.freshness.lifetime


def is_late(stored: StoredResponse, standing: Standing, now: float) -> bool:
    """Say whether a hit on it now is a fresh one that refreshes it."""
    return now >= ahead_from(stored) and is_fresh(stored, standing, now)
