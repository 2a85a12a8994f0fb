"""What may come of the question whether a response is stored."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from proxy.message.values import value

if TYPE_CHECKING:
    from proxy.message.headers import Headers
    from proxy.message.stored import Freshness


class DiscardReason(StrEnum):
    """Why a response is not stored; a word for ``Cache-Status`` and for logs."""

    METHOD = "method"
    STATUS = "status"
    NOT_UNDERSTOOD = "not-understood"
    REQUEST_NO_STORE = "request-no-store"
    NO_STORE = "no-store"
    PRIVATE = "private"
    AUTHORIZATION = "authorization"
    NO_LIFETIME = "no-lifetime"
    EXPIRED = "expired"
    VARY = "vary"
    SET_COOKIE = "set-cookie"
    EVENT_STREAM = "event-stream"
    CONTENT_TYPE = "content-type"
    TOO_LARGE = "too-large"  # found by who collects the body, as is all below
    NO_ROOM = "no-room"
    TAGS = "tags"


MARKED: Final = frozenset(
    {
        DiscardReason.PRIVATE,
        DiscardReason.NO_STORE,
        DiscardReason.VARY,
        DiscardReason.SET_COOKIE,
        DiscardReason.EVENT_STREAM,
        DiscardReason.TOO_LARGE,
        DiscardReason.TAGS,
    }
)


@value(frozen=True, slots=True)
class Keep:
    """Store it: ``headers`` as they are stored, the names of ``Vary``, and for how many ``seconds`` a store holds it."""

    headers: Headers
    freshness: Freshness
    vary: tuple[bytes, ...]
    initial_age: float
    seconds: float


@value(frozen=True, slots=True)
class Discard:
    """Do not store it; with ``mark`` the next one will not be storable either, so nobody should wait for it."""

    reason: DiscardReason

    @property
    def mark(self) -> bool:
        """Whether an uncacheable mark is left in its place."""
        return self.reason in MARKED
