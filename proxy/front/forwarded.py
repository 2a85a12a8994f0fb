"""Whom to believe about the client's address and scheme: trusted proxies, as far as they vouch for each other."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Final

from proxy.message.headers import list_elements

if TYPE_CHECKING:
    from ipaddress import IPv4Address

    from proxy.message.headers import Headers

MOST_HOPS: Final = 32  # far more than anybody has in a row; a head has room for thousands

Networks = tuple[IPv4Network | IPv6Network, ...]


@lru_cache(maxsize=1024)
def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address; an IPv4 one in IPv6 clothes is the IPv4 one."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


@lru_cache(maxsize=1024)
def is_trusted(peer: str, networks: Networks) -> bool:
    """Say whether that peer's word counts. Who reaches a unix socket (no address) was let in by its mode."""
    if not peer:
        return True
    address = _address(peer)
    return address is not None and any(address in network for network in networks)


def _without_port(element: bytes) -> str:
    """Return the address of an ``X-Forwarded-For`` element, which some proxies write with a port or brackets."""
    text = element.decode("latin-1").strip('"')
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def believed(peer: str, headers: Headers, networks: Networks, *, trusted: bool) -> tuple[str, ...]:
    """Return the addresses from the client to the peer: walk ``X-Forwarded-For`` from the right.

    The first that is no trusted proxy is the client: whatever stands left of it was written by who knows whom.
    ``trusted`` says so of the peer.
    """
    chain = [peer] if peer else []
    if not trusted:
        return tuple(chain)
    for element in list_elements(headers, b"x-forwarded-for")[: -MOST_HOPS - 1 : -1]:
        address = _address(_without_port(element))
        if address is None:
            break
        chain.insert(0, str(address))
        if not is_trusted(chain[0], networks):
            break
    return tuple(chain)


def scheme_of(headers: Headers, *, trusted: bool) -> bytes:
    """Return the scheme that the trusted peer itself wrote last, else ours."""
    if trusted and b"x-forwarded-proto" in headers:
        named = list_elements(headers, b"x-forwarded-proto")
        if named and named[-1].lower() == b"https":
            return b"https"
    return b"http"
