"""One response head, final or interim."""

from __future__ import annotations

from proxy.message.headers import EMPTY, Headers
from proxy.message.values import value


@value(frozen=True, slots=True)
class Response:
    """A response head. ``status`` is 100 to 999; ``reason`` is the phrase as sent, possibly empty."""

    status: int
    headers: Headers = EMPTY
    reason: bytes = b""
    version: tuple[int, int] = (1, 1)


def has_no_content(method: bytes, status: int) -> bool:
    """Say whether a response to that method never has content (RFC 9112 section 6.3, items 1 and 2)."""
    return (
        method == b"HEAD"
        or status in {204, 304}
        or 100 <= status < 200
        or (method == b"CONNECT" and 200 <= status < 300)
    )
