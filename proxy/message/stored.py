"""A response with what a cache must remember of it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from proxy.message.values import value

if TYPE_CHECKING:
    from proxy.message.headers import Headers
    from proxy.message.selectors import Seq


class LifetimeSource(StrEnum):
    """Where a lifetime came from; shown by ``explain`` and in logs."""

    TARGETED = "targeted"
    S_MAXAGE = "s-maxage"
    MAX_AGE = "max-age"
    EXPIRES = "expires"
    HEURISTIC = "heuristic"
    ROUTE = "route"
    NEGATIVE = "negative"
    STATUS = "statuses"
    NONE = "none"


@value(frozen=True, slots=True)
class Freshness:
    """How long a stored response may be used, in seconds; decided once, when it is stored.

    ``must_revalidate``: never served stale, whatever a window or a client says (RFC 9111 section 5.2.2.2, .8, .10).
    ``always_validate``: stored under ``no-cache``, never served without asking (section 5.2.2.4).
    The stale windows start where ``lifetime`` ends.
    """

    lifetime: float
    source: LifetimeSource
    stale_while_revalidate: float = 0.0
    stale_if_error: float = 0.0
    must_revalidate: bool = False
    always_validate: bool = False


@value(frozen=True, slots=True)
class StoredResponse:
    """One variant of one resource.

    Times are wall-clock seconds since the epoch. ``initial_age`` is corrected_initial_age of RFC 9111 section 4.2.3.
    ``vary`` holds each field named by the response's Vary (lower-case) with the normalised value that the stored
    request had, None where it had no such field. ``seq`` is S0: the ledger's position read before the fetch began.
    ``expires_with_credential`` is the wall-clock time at which the credential it was fetched with ends.
    ``body`` has the coding the backend sent, never the store's own compression. ``fetch_seconds`` is what the backend
    took for it, and what a hit saves.
    """

    status: int
    reason: bytes
    headers: Headers
    body: bytes
    request_time: float
    response_time: float
    initial_age: float
    freshness: Freshness
    selectors: tuple[str, ...]
    seq: Seq
    vary: tuple[tuple[bytes, bytes | None], ...] = ()
    expires_with_credential: float | None = None
    fetch_seconds: float = 0.0


@value(frozen=True, slots=True)
class Uncacheable:
    """A mark in the place of a response: it cannot be shared, so nobody should wait for it."""

    reason: str
    until: float


@value(frozen=True, slots=True)
class VaryRecord:
    """The union of request fields that a resource's variants named, and the digests of its newest variants.

    ``fields`` are lower-case and sorted, at most 8. ``variants`` are newest last, at most ``limits.variants``.
    """

    fields: tuple[bytes, ...]
    variants: tuple[str, ...] = ()


@value(frozen=True, slots=True)
class CacheKey:
    """Where something is kept: md5 of the key material in hex, and the material that is compared on read."""

    digest: str
    material: bytes
