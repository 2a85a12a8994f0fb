"""What of a request goes to the backend, what of a response to the client.

A request that passes through keeps its end-to-end fields. A fetch that may be stored carries, on a declared route, only
what is keyed and what is harmless: ``keys`` has the one list of what is keyed. Framing is the origin's.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from proxy.message.cachecontrol import delta_seconds
from proxy.message.headers import Headers
from proxy.message.request import Request
from proxy.message.values import value
from proxy.policy.hops import CONDITIONS, FOR_CACHES, FORWARDED, HARMLESS, HOP_BY_HOP, as_read, of_this_hop
from proxy.policy.keys import keyed_cookies, keyed_fields

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.message.headers import Field
    from proxy.policy.keys import Key
    from proxy.policy.rules import Route

_COUNTED_METHODS: Final = frozenset({b"OPTIONS", b"TRACE"})
_NOT_PASSED_ON: Final = HOP_BY_HOP | FORWARDED | {b"content-length"}
_NOT_FETCHED: Final = CONDITIONS | {b"content-length", b"expect", b"surrogate-capability"}
"""Besides conditions: a fetch has no content, and who can process edge includes for itself is not who all share with."""


@value(frozen=True, slots=True)
class Forwarding:
    """How requests are signed. ``host`` None: the client's authority; ``via`` is the entry for HTTP/1.1."""

    host: bytes | None
    upstream_authority: bytes
    via: bytes = b"1.1 sapwood"


def passed_through(request: Request, options: Forwarding) -> tuple[bytes, Headers]:
    """Return target and fields of a request that no cache answers: as it came, but for what ends at this hop."""
    here = of_this_hop(request.headers)
    dropped = _NOT_PASSED_ON if here is HOP_BY_HOP else _NOT_PASSED_ON | here
    if request.upgrade:
        dropped -= {b"upgrade"}
    lines = [line for line in request.headers.lines if as_read(line[0]) not in dropped]
    left = max_forwards(request)
    if left is not None:
        lines = [line for line in lines if line[0].lower() != b"max-forwards"]
        lines.append((b"Max-Forwards", b"%d" % max(left - 1, 0)))
    host = options.host or request.authority or options.upstream_authority
    return request.target, Headers(_signed(lines, request, options, host, request.authority))


def fetch_for(request: Request, fetched: Request, key: Key, options: Forwarding) -> tuple[bytes, Headers]:
    """Return target and fields of a fetch whose answer may be stored; ``fetched`` is the request ``as_fetched``.

    Its method is GET. The client's authority is told only where it is keyed.
    """
    host = options.host or key.authority or options.upstream_authority
    return key.target, Headers(_signed(fetched.headers.lines, request, options, host, key.authority))


def as_fetched(request: Request, route: Route, *, cors: bool) -> Request:
    """Return the request with the fields that a fetch for it carries: what Vary selects by on this route."""
    lines = _implicit(request, cors=cors) if route.implicit else _declared(request, route, cors=cors)
    return Request(
        request.method,
        request.target,
        Headers(lines),
        request.authority,
        request.scheme,
        request.version,
        request.client,
        request.forwarded_for,
        request.request_id,
        request.has_body,
        request.upgrade,
        request.unasked,
    )


def max_forwards(request: Request) -> int | None:
    """Return ``Max-Forwards`` of OPTIONS and TRACE; at 0 the request is answered here (RFC 9110 section 7.6.2)."""
    value = request.headers.get(b"max-forwards") if request.method in _COUNTED_METHODS else None
    return delta_seconds(value) if value is not None else None


def to_client(headers: Headers, *, upgraded: bool = False, without: frozenset[bytes] = frozenset()) -> Headers:
    """Return a response's end-to-end fields without those meant for caches, and without those names.

    ``upgraded`` keeps ``Upgrade`` of a 101.
    """
    if not upgraded:
        dropped = _not_for_clients(without)
        kept = [line for line in headers.lines if line[0].lower() not in dropped]
        if len(kept) == len(headers.lines) or b"connection" not in headers:
            return Headers(kept)
    dropped = of_this_hop(headers) | FOR_CACHES | without
    return headers.without(dropped - {b"upgrade"} if upgraded else dropped)


@lru_cache(maxsize=64)  # a few sets that the code names
def _not_for_clients(others: frozenset[bytes]) -> frozenset[bytes]:
    return HOP_BY_HOP | FOR_CACHES | others


def _implicit(request: Request, *, cors: bool) -> list[Field]:
    """Keep all end-to-end fields, Authorization and Cookie too: RFC 9111 section 3.5 and Vary guard the answer."""
    dropped = of_this_hop(request.headers) | FORWARDED | _NOT_FETCHED
    if cors:
        dropped |= {b"origin"}
    return [line for line in request.headers.lines if line[0].lower() not in dropped]


def _declared(request: Request, route: Route, *, cors: bool) -> list[Field]:
    """Keep what is keyed and what is harmless."""
    own = route.credential_headers if route.scope == "credential" else ()
    wanted = _wanted(keyed_fields(route, cors=cors), own)
    if not wanted.isdisjoint(here := of_this_hop(request.headers)):
        wanted -= here
    lines = [line for line in request.headers.lines if line[0].lower() in wanted]
    pairs = [name + b"=" + value for name, values in keyed_cookies(request.headers, route) for value in values]
    if pairs and b"cookie" not in wanted:
        lines.append((b"Cookie", b"; ".join(pairs)))
    return lines


@lru_cache(maxsize=1024)  # one for each route of the last few reloads; nothing here comes from clients
def _wanted(keyed: tuple[bytes, ...], own: tuple[bytes, ...]) -> frozenset[bytes]:
    return HARMLESS.union(keyed, own) - FORWARDED - _NOT_FETCHED


def _signed(
    lines: Iterable[Field], request: Request, options: Forwarding, host: bytes, told: bytes | None
) -> list[Field]:
    """Put Host first (RFC 9110 section 7.2) and this house's fields last."""
    signed = [(b"Host", host), *lines, (b"Via", _via(request, options))]
    if request.forwarded_for:
        signed.append((b"X-Forwarded-For", request.forwarded_for))
    signed.append((b"X-Forwarded-Proto", request.scheme))
    if told:
        signed.append((b"X-Forwarded-Host", told))
    if request.request_id:
        signed.append((b"X-Request-ID", request.request_id))
    return signed


def _via(request: Request, options: Forwarding) -> bytes:
    """Append to Via, with the version that was received (RFC 9110 section 7.6.3)."""
    entry = options.via if request.version >= (1, 1) else b"1.0" + options.via.removeprefix(b"1.1")
    before = request.headers.combined(b"via")
    return before + b", " + entry if before else entry
