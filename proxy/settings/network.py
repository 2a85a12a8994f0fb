"""Addresses, URLs, networks: what a socket or a client library must be able to use, checked before one is opened."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from proxy.admin.options import TcpAddress, parse_listen
from proxy.fetch.options import parse_address
from proxy.settings.secrets import HIDDEN

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOST_NAME: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?\.?", re.ASCII)
_PORT: Final = re.compile(r"[0-9]{1,5}", re.ASCII)
_LARGEST_PORT: Final = 65535
_UNIX: Final = "unix:"

#: Of what redis-py takes in a query, what is the operator's to say.
_REDIS_OPTIONS: Final = frozenset(
    {"db", "ssl_ca_certs", "ssl_cert_reqs", "ssl_certfile", "ssl_check_hostname", "ssl_keyfile"}
)


def is_host(text: str) -> bool:
    """Say whether it is a name or an address, IPv6 in brackets."""
    if text.startswith("["):
        return text.endswith("]") and _is_ipv6(text[1:-1])
    return _HOST_NAME.fullmatch(text) is not None


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def is_port(text: str) -> bool:
    """Say whether it is a decimal port; 0 lets the system choose."""
    return _PORT.fullmatch(text) is not None and int(text) <= _LARGEST_PORT


def listen_address(text: str) -> str:
    """Check ``host:port`` or ``unix:/absolute/path``. Raises ValueError without words."""
    try:
        address = parse_listen(text)
    except ValueError:
        raise ValueError from None
    if isinstance(address, TcpAddress) and not is_host(text.rpartition(":")[0]):
        raise ValueError
    return text


def authority(text: str) -> bytes:
    """Check ``host`` or ``host:port`` and lower its case. Raises ValueError without words."""
    host, colon, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    if not colon:
        host = text
    if not is_host(host) or (colon and not is_port(port)):
        raise ValueError
    return text.lower().encode()


def network(text: str) -> Network:
    """Check an address or a network in CIDR form. Raises ValueError."""
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        if "host bits" in str(error):
            raise ValueError(
                f"{text} has host bits set: did you mean {ipaddress.ip_network(text, strict=False)}?"
            ) from None
        raise ValueError from None


def backend_url(text: str) -> str:
    """Check ``http://host[:port]``, ``https://host[:port]`` or ``unix:/absolute/path``. Raises ValueError."""
    split = _split(text)
    if split.scheme in {"http", "https"} and split.path not in {"", "/"}:
        raise ValueError("expected no path: every target is forwarded as it came")
    try:
        parse_address(text)
    except ValueError:
        raise ValueError from None
    if not text.startswith(_UNIX) and not _has_server(split):
        raise ValueError
    return text.rstrip("/")


def store_url(text: str) -> str:
    """Check a store's URL in any of the interface's schemes. Raises ValueError."""
    if text in {"memory://", "embedded://"}:
        return text
    scheme = text.partition("://")[0]
    if scheme in {"memory", "embedded"}:
        raise ValueError(f'expected nothing after "{scheme}://"')
    if scheme in {"redis+sentinel", "redis+cluster"}:
        return _many_servers(text, scheme)
    split = _split(text)
    _check_options(split)
    if split.scheme == "unix":
        if not split.path.startswith("/") or split.path == "/":
            raise ValueError
        return text
    if split.scheme not in {"redis", "rediss"} or not _has_server(split):
        raise ValueError
    _check_database(split.path)
    return text


def _many_servers(text: str, scheme: str) -> str:
    rest = text.partition("://")[2].partition("?")[0]
    servers, _, path = rest.rpartition("@")[2].partition("/")
    if not all(_is_server(server) for server in servers.split(",")):
        raise ValueError(f'expected servers like "h1,h2:26379" after "{scheme}://"')
    if scheme == "redis+cluster":
        if path:
            raise ValueError("a cluster has one database: expected nothing after the servers")
        return text
    master, _, database = path.partition("/")
    if not master:
        raise ValueError('expected the name of the monitored primary, like "redis+sentinel://h1,h2/mymaster/0"')
    _check_database(database)
    return text


def _check_database(path: str) -> None:
    if path.strip("/") and not re.fullmatch(r"/?[0-9]{1,5}", path, re.ASCII):
        raise ValueError('expected a database number at the end, like "redis://127.0.0.1:6379/0"')


def _check_options(split: SplitResult) -> None:
    for pair in filter(None, split.query.split("&")):
        if pair.partition("=")[0] not in _REDIS_OPTIONS:
            raise ValueError(
                f'unknown option "{pair.partition("=")[0]}" in the URL, known: {", ".join(sorted(_REDIS_OPTIONS))}'
            )


def _split(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError:
        raise ValueError from None


def _has_server(split: SplitResult) -> bool:
    return _is_server(split.netloc.rpartition("@")[2])


def _is_server(text: str) -> bool:
    if is_host(text):
        return True
    host, colon, port = text.rpartition(":")
    return bool(colon) and is_host(host) and is_port(port)


def with_password(url: str, password: str) -> str:
    """Put a password that came apart from its URL into it. Raises ValueError where there is no room for one."""
    scheme, mark, rest = url.partition("://")
    if scheme in {"memory", "embedded"}:
        raise ValueError(f"{scheme}:// takes no password")
    user, at, server = rest.rpartition("@")
    if ":" in user:
        raise ValueError("the URL has a password of its own")
    return f"{scheme}{mark}{user if at else ''}:{quote(password, safe='')}@{server}"


def without_password(url: str) -> str:
    """Return a URL as it may be shown."""
    scheme, mark, rest = url.partition("://")
    user, at, server = rest.rpartition("@")
    name, colon, _ = user.partition(":")
    return f"{scheme}{mark}{name}:{HIDDEN}@{server}" if mark and at and colon else url
