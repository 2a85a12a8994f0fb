"""Which fields end at this hop (RFC 9110 section 7.6.1), and which are this house's own to write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.message.headers import list_elements

if TYPE_CHECKING:
    from proxy.message.headers import Headers

HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"http2-settings",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authentication-info",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Of one connection, or (the Proxy- ones, section 11.7) between a client and the proxy it has chosen."""

DEBUG: Final = b"sapwood-debug"
"""Carries the admin token of who asks how long an answer took."""

FORWARDED: Final = frozenset(
    {
        DEBUG,
        b"cache-group-invalidation",  # a client must not purge with it (RFC 9875 section 3)
        b"forwarded",  # says what X-Forwarded-* says, and nobody has vouched for it
        b"host",
        b"via",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-prefix",
        b"x-forwarded-proto",
        b"x-forwarded-protocol",
        b"x-forwarded-scheme",
        b"x-forwarded-server",
        b"x-forwarded-ssl",
        b"x-request-id",
    }
)
"""Request fields that are never forwarded as they came: written anew, or left out."""

CONDITIONS: Final = frozenset(
    {b"if-match", b"if-modified-since", b"if-none-match", b"if-range", b"if-unmodified-since", b"range"}
)
"""The client's conditions and Range: a fetch that may be stored asks for the whole (RFC 9111 section 4.3.1)."""

HARMLESS: Final = frozenset(
    {
        b"accept",
        b"accept-charset",
        b"accept-encoding",
        b"accept-language",
        b"b3",
        b"traceparent",
        b"tracestate",
        b"uber-trace-id",
        b"user-agent",
        b"x-amzn-trace-id",
        b"x-b3-flags",
        b"x-b3-parentspanid",
        b"x-b3-sampled",
        b"x-b3-spanid",
        b"x-b3-traceid",
        b"x-cloud-trace-context",
        b"x-correlation-id",
    }
)
"""Forwarded although not keyed: a backend that answers by one of the first four or by User-Agent says so in Vary.

``baggage`` is not here: applications read it.
"""

FOR_CACHES: Final = frozenset({b"cache-tag", b"surrogate-control", b"surrogate-key", b"xkey"})
"""Response fields that were meant for this cache."""


_NAMING_NOTHING: Final = frozenset({None, b"keep-alive", b"Keep-Alive"})
"""What Connection usually says: nothing, or the name of a field that ends here anyway."""


def as_read(name: bytes) -> bytes:
    """Return a name as backends read it that keep fields as CGI does (RFC 3875 section 4.1.18): "_" is "-" there."""
    return name.lower().replace(b"_", b"-")


def of_this_hop(headers: Headers) -> frozenset[bytes]:
    """Return the lower-case names that end here: the table's, and those that Connection nominates."""
    if headers.combined(b"connection") in _NAMING_NOTHING:
        return HOP_BY_HOP
    return HOP_BY_HOP.union(option.lower() for option in list_elements(headers, b"connection"))
