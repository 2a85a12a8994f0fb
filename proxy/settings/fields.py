"""Names that HTTP gives meaning to: field names, methods, media types, origins."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from proxy.settings.kinds import by
from proxy.settings.nearest import did_you_mean
from proxy.settings.network import authority

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)  # RFC 9110 section 5.6.2
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9!#$&^_.+-]+/(?:\*|[a-z0-9!#$&^_.+-]+)", re.ASCII)

#: What llhttp knows and RFC 9110 section 9.2.1 does not call safe; anything else would be answered 501.
WRITE_METHODS: Final = frozenset(
    [
        "ACL",
        "BIND",
        "CHECKOUT",
        "COPY",
        "DELETE",
        "LINK",
        "LOCK",
        "MERGE",
        "MKACTIVITY",
        "MKCALENDAR",
        "MKCOL",
        "MOVE",
        "NOTIFY",
        "PATCH",
        "POST",
        "PROPPATCH",
        "PUT",
        "REBIND",
        "SUBSCRIBE",
        "UNBIND",
        "UNLINK",
        "UNLOCK",
        "UNSUBSCRIBE",
    ]
)


def _token(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise ValueError
    return text


def _field_name(text: str) -> bytes:
    return _token(text).lower().encode()


def _field_pattern(text: str) -> bytes:
    if "*" in text[:-1]:
        raise ValueError
    return _field_name(text)


def _media_type(text: str) -> bytes:
    if not _MEDIA_TYPE.fullmatch(text.lower()):
        raise ValueError
    return text.lower().encode()


def _origin(text: str) -> bytes:
    if text == "*":
        return b"*"
    try:
        split = urlsplit(text)
        authority(split.netloc)
    except ValueError:
        raise ValueError from None
    if text.lower() != f"{split.scheme}://{split.netloc}".lower() or not split.scheme:
        raise ValueError
    return text.lower().encode()


def cached_methods(text: str) -> frozenset[bytes]:
    """Read the methods of a route. Raises ValueError."""
    methods = _methods(text)
    if methods - {"GET", "HEAD"}:
        raise ValueError(f'only GET can be cached (it stands for HEAD too), got "{text}"')
    return frozenset({b"GET"})


def write_methods(text: str) -> frozenset[bytes]:
    """Read the methods of an ``after``. Raises ValueError."""
    methods = _methods(text)
    for method in sorted(methods - WRITE_METHODS):
        if method in {"GET", "HEAD", "OPTIONS", "TRACE"}:
            raise ValueError(f"{method} is no write, so nothing is purged after it")
        raise ValueError(f'unknown method "{method}"{did_you_mean(method, WRITE_METHODS)}')
    return frozenset(method.encode() for method in methods)


def _methods(text: str) -> frozenset[str]:
    methods = text.split(",")
    if not all(method.isascii() and method.isupper() and _TOKEN.fullmatch(method) for method in methods):
        raise ValueError
    return frozenset(methods)


FIELD: Final = by(_field_name, 'a field name like "X-Tenant"', bytes.decode)
FIELD_PATTERN: Final = by(_field_pattern, 'a field name like "X-Request-ID" or "X-RateLimit-*"', bytes.decode)
COOKIE: Final = by(lambda text: _token(text).encode(), 'a cookie name like "session"', bytes.decode)
METHOD: Final = by(lambda text: _token(text).encode(), 'a method like "GET"', bytes.decode)
MEDIA_TYPE: Final = by(_media_type, 'a media type like "application/json" or "text/*"', bytes.decode)
ORIGIN: Final = by(_origin, 'an origin like "https://app.example" or "*"', bytes.decode)
