"""The ``Cache-Status`` field (RFC 9211), and ``X-Cache-Status``, which today's clients read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.message import structured
from proxy.message.values import value

if TYPE_CHECKING:
    from proxy.message.headers import Headers

CACHE_NAME: Final = b"sapwood"

_X_CACHE_STATUS: Final = {
    "hit_memory": b"HIT",
    "hit_redis": b"HIT",
    "stale": b"STALE",
    "revalidated": b"REVALIDATED",
    "miss": b"MISS",
    "collapsed": b"MISS",
    "error": b"MISS",
    "bypass": b"BYPASS",
    "refused": b"BYPASS",
}


@value(frozen=True, slots=True)
class CacheStatus:
    """What this cache did with one request (RFC 9211 section 2); ``ttl`` is in seconds, below 0 when stale."""

    hit: bool = False
    fwd: str | None = None
    fwd_status: int | None = None
    stored: bool = False
    collapsed: bool = False
    ttl: int | None = None
    detail: str | None = None
    key: str | None = None

    def render(self) -> bytes:
        """Write the list member: this cache's name and the parameters in the order of the RFC."""
        parts = [CACHE_NAME]
        if self.hit:
            parts.append(b"hit")
        if self.fwd is not None:
            parts.append(b"fwd=" + self.fwd.encode())
        if self.fwd_status is not None:
            parts.append(b"fwd-status=%d" % self.fwd_status)
        if self.ttl is not None:
            parts.append(b"ttl=%d" % self.ttl)
        if self.stored:
            parts.append(b"stored")
        if self.collapsed:
            parts.append(b"collapsed")
        if self.key is not None:
            parts.append(b"key=" + structured.string(_printable(self.key)))
        if self.detail is not None:
            parts.append(b"detail=" + structured.token_or_string(_printable(self.detail)))
        return b"; ".join(parts)


def _printable(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if " " <= character <= "~" else "?" for character in text)


def appended(headers: Headers, status: CacheStatus) -> Headers:
    """Add our member behind those of the caches that are nearer to the origin (RFC 9211 section 2)."""
    return headers.plus([(b"Cache-Status", status.render())])


def x_cache_status(outcome: str) -> bytes:
    """Return the one word for an outcome's name (``Outcome`` of ``observe``). Raises KeyError for any other."""
    return _X_CACHE_STATUS[outcome]
