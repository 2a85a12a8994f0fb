"""A head to a Request, or to the status that refuses it; one function per reason."""

from __future__ import annotations

import string
import uuid
from typing import TYPE_CHECKING, Final

from proxy.front.forwarded import believed, scheme_of
from proxy.message.errors import MessageError
from proxy.message.request import Request
from proxy.wire.authority import normalised
from proxy.wire.framing import connection_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proxy.front.options import FrontOptions
    from proxy.message.headers import Headers
    from proxy.wire.events import RequestHead

LONGEST_ID: Final = 128
"""Bytes of a client's request id: two UUIDs and more; it is in every answer and line."""

_ID_OCTETS: Final = string.ascii_letters.encode() + string.digits.encode() + b"._~:/+=-"

# What Connection may name: its own options, and the fields that are hop-by-hop anyway (RFC 9110 section 7.6.1).
# Any other would let a client take away what a proxy before us has put there, Authorization as well as X-User.
_HOP_BY_HOP: Final = frozenset({
    b"close", b"keep-alive", b"upgrade", b"te", b"trailer", b"trailers", b"transfer-encoding", b"http2-settings",
    b"proxy-connection", b"proxy-authenticate", b"proxy-authorization",
})  # fmt: skip

# Known, and yet not for this port: tunnels to anywhere, and purging, which is the admin port's.
NOT_HERE: Final = frozenset({b"CONNECT", b"PURGE"})
ALLOWED: Final = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"


def request_from(head: RequestHead, peer: str, options: FrontOptions, *, trusted: bool) -> Request:
    """Understand a head that came from that address. Never refuses: see ``refusal``.

    ``trusted``: the peer is one of ``trusted_proxies``, so its word on client and scheme counts.
    """
    headers = head.headers
    scheme = scheme_of(headers, trusted=trusted)
    chain = chain_of(headers, peer, options, trusted=trusted)
    return Request(
        head.method,
        head.target,
        headers,
        normalised(headers.get(b"host") or b"", scheme),
        scheme,
        head.version,
        chain[0] if chain else "",
        ", ".join(chain).encode(),
        request_id_of(headers),
        head.length != 0,
        head.upgrade,
    )


def chain_of(headers: Headers, peer: str, options: FrontOptions, *, trusted: bool) -> tuple[str, ...]:
    """Return the addresses from the client to the peer; an empty one is a unix socket."""
    if b"x-forwarded-for" not in headers:
        return (peer,)
    return believed(peer, headers, options.trusted_proxies, trusted=trusted)


def request_id_of(headers: Headers) -> bytes:
    """Return the client's own id if it is short and plain, else a fresh one."""
    return plain_id(headers.get(b"x-request-id"))


def plain_id(given: bytes | None) -> bytes:
    """Return this id if it is short and plain, else a fresh one."""
    return given if given is not None and is_plain_id(given) else fresh_id()


def is_plain_id(given: bytes) -> bool:
    """Say whether an id is short and plain: nothing in it could pass for anything else, wherever it is written."""
    return 0 < len(given) <= LONGEST_ID and not given.translate(None, _ID_OCTETS)


def fresh_id() -> bytes:
    """Return an id that no other request has."""
    return uuid.uuid4().hex.encode()


def hosts_by_scheme(hosts: frozenset[bytes] | None) -> Mapping[bytes, frozenset[bytes]] | None:
    """Return the accepted authorities as a request of each scheme would name them, None for any."""
    if hosts is None:
        return None
    return {scheme: frozenset(normalised(host, scheme) for host in hosts) for scheme in (b"http", b"https")}


def refusal(request: Request, hosts: Mapping[bytes, frozenset[bytes]] | None) -> MessageError | None:
    """Say why a well-formed request is not served, None if it is."""
    if hosts is not None and request.authority not in hosts[request.scheme]:
        return MessageError("this authority is not served here", 421)
    if request.method in NOT_HERE:
        return MessageError("this method is not served here", 405)
    if not connection_options(request.headers) <= _HOP_BY_HOP:
        return MessageError("Connection names an end-to-end field")
    return None
