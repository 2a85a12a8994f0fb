"""Who may ask: the Host and Origin that a request claims, and its token.

A web page can make the browser of anybody on this machine send requests to a loopback port, and by rebinding its own
name to 127.0.0.1 read the answers. Such a request names the page's host in ``Host``, and any request of a script that
changes something carries ``Origin``. One that changes nothing (an image, a script) may carry neither, and its answer
cannot be read; yet it would be answered, so ``Sec-Fetch-Site`` is looked at as well.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
from typing import TYPE_CHECKING, Final

from aiohttp import web

from proxy.admin.options import UnixAddress, is_loopback
from proxy.admin.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    from aiohttp.typedefs import Handler, Middleware

    from proxy.admin.options import Address

_READING: Final = frozenset({"GET", "HEAD"})
_HOST: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:/@\s]+))(?::[0-9]{0,5})?")


def guarding(
    address: Address,
    admit: Callable[[list[str]], bool],
    hosts: tuple[str, ...],
    public: Container[str] = frozenset(),
) -> Middleware:
    """Return a middleware that lets pass what is addressed to ``address`` or ``hosts`` and whose Authorization is admitted.

    ``public`` are paths that may be read without one: the page on which a token is typed in.
    """
    names = frozenset(name.lower() for name in hosts)

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        # No browser reaches a unix socket, so no name can be rebound to it.
        if not isinstance(address, UnixAddress):
            claimed = request.headers.getall("Host", [])
            if len(claimed) != 1 or not is_ours(claimed[0], names | {address.host.lower()}, _local_address(request)):
                raise Problem(421, "this listener does not answer for that Host")
        origins = request.headers.getall("Origin", [])
        if not all(is_same_origin(origin, request.headers.get("Host", "")) for origin in origins):
            raise Problem(403, "requests from pages of another origin are refused")
        if not is_asked_for(request.headers, request.path):
            raise Problem(403, "requests from pages of another site are refused")
        is_public = request.method in _READING and request.path in public
        if not is_public and not admit(request.headers.getall("Authorization", [])):
            raise Problem(401, "a bearer token is needed", headers={"WWW-Authenticate": 'Bearer realm="sapwood"'})
        return await handler(request)

    return guard


def is_ours(host_field: str, names: Container[str], local_address: str) -> bool:
    """Say whether a Host field means this listener: loopback, a name of ours, the address that was reached."""
    found = _HOST.fullmatch(host_field)
    if found is None:
        return False
    host = (found[1] or found[2]).lower()
    if is_loopback(host) or _same_address(host, local_address):
        return True
    # A name of ours may have been written with its port.
    return host in names or f"[{host}]" in names or host_field.lower() in names


def _same_address(one: str, other: str) -> bool:
    try:
        return _plain(one) == _plain(other)
    except ValueError:
        return False


def _plain(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    # A socket that listens on [::] sees IPv4 peers under mapped addresses.
    address = ipaddress.ip_address(text)
    return (isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped) or address


def _local_address(request: web.Request) -> str:
    name = request.transport.get_extra_info("sockname") if request.transport is not None else None
    return str(name[0]) if isinstance(name, tuple) else ""


def is_same_origin(origin: str, host_field: str) -> bool:
    """Say whether a page of that origin was served by this very host; ``null`` is nobody's."""
    return bool(host_field) and origin.lower() in {f"{scheme}://{host_field.lower()}" for scheme in ("http", "https")}


def is_asked_for(fields: Mapping[str, str], path: str) -> bool:
    """Say whether a browser sent this for a page of ours or at its user's own wish, or no browser did.

    A link elsewhere may lead to the page, to nothing else (Fetch Metadata, section 2).
    """
    if fields.get("Sec-Fetch-Site", "none").lower() in {"none", "same-origin"}:
        return True
    return path == "/" and fields.get("Sec-Fetch-Mode", "").lower() == "navigate"


def carries(authorization: list[str], token: str) -> bool:
    """Say whether the one Authorization field is that bearer token; takes equally long wherever they differ."""
    if len(authorization) != 1:
        return False
    scheme, _, given = authorization[0].partition(" ")
    same = hmac.compare_digest(_octets(given.strip(" ")), _octets(token))
    return same and scheme.lower() == "bearer"


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
