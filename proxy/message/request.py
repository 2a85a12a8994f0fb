"""One request as it was understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.message.values import value

if TYPE_CHECKING:
    from proxy.message.headers import Headers


@value(frozen=True, slots=True)
class Request:
    """A request head after strict reading; what a client sent, but for scheme, authority, client and id.

    ``target`` is origin-form (path and query, bytes as sent) or ``*``; ``scheme`` is ``b"http"`` or ``b"https"``
    (from a trusted ``X-Forwarded-Proto``); ``authority`` is lower-case without the scheme's default port;
    ``client`` is the address of the peer, or of the client that a trusted proxy named; ``forwarded_for`` is the
    ``X-Forwarded-For`` to send on: the believed chain, ended by the peer. ``unasked``: no client has asked, the sidecar
    asks for itself, so it says nothing of what is popular.
    """

    method: bytes
    target: bytes
    headers: Headers
    authority: bytes
    scheme: bytes = b"http"
    version: tuple[int, int] = (1, 1)
    client: str = ""
    forwarded_for: bytes = b""
    request_id: bytes = b""
    has_body: bool = False
    upgrade: bool = False
    unasked: bool = False

    @property
    def path(self) -> bytes:
        """The target up to the first question mark."""
        return self.target.partition(b"?")[0]

    @property
    def query(self) -> bytes | None:
        """What follows the first question mark; None without one (``/a?`` has an empty query, ``/a`` none)."""
        path, mark, query = self.target.partition(b"?")
        del path
        return query if mark else None
