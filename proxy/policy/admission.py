"""Which requests have a key at all; all others pass through, uncached."""

from __future__ import annotations

from enum import StrEnum
from itertools import product
from typing import TYPE_CHECKING, Final

from proxy.policy.paths import is_normal
from proxy.policy.rules import Credentials

if TYPE_CHECKING:
    from proxy.message.headers import Headers
    from proxy.message.request import Request
    from proxy.policy.rules import Route, RuleBook


class UnkeyedReason(StrEnum):
    """Why a request has no key: it passes through, uncached."""

    CACHE_OFF = "cache-off"
    DISABLED = "disabled"
    METHOD = "method"
    BODY = "body"
    UPGRADE = "upgrade"
    PATH_NOT_NORMAL = "path-not-normal"
    METHOD_OVERRIDE = "method-override"
    FIELD_NAME = "field-name"
    CONNECTION = "connection"
    AUTHORIZATION = "authorization"
    COOKIE = "cookie"
    NO_CREDENTIAL = "no-credential"
    NO_ID = "no-id"


def _spellings(*names: bytes) -> frozenset[bytes]:
    """Return every spelling that ``hops.as_read`` takes for one of these."""
    return frozenset(
        b"".join(pieces)
        for name in names
        for pieces in product(*((b"-", b"_") if octet == ord("-") else (bytes([octet]),) for octet in name))
    )


METHOD_OVERRIDES: Final = _spellings(b"x-http-method-override", b"x-method-override", b"x-http-method")
"""A backend that knows one of these does something else than GET."""

TARGET_OVERRIDES: Final = _spellings(b"x-original-url", b"x-rewrite-url")
"""A backend that knows one of these answers for another path than the one that is keyed."""

_OVERRIDES: Final = METHOD_OVERRIDES | TARGET_OVERRIDES
_PLAIN_OPTIONS: Final = frozenset(
    {b"", b"close", b"keep-alive", b"te", b"upgrade", b"proxy-connection", b"http2-settings"}
)


def unusable(request: Request, route: Route, book: RuleBook) -> UnkeyedReason | None:
    """Say why a request has no key whatever it carries of its user."""
    if not book.enabled:
        return UnkeyedReason.CACHE_OFF
    if not route.enabled:
        return UnkeyedReason.DISABLED
    if request.method not in {b"GET", b"HEAD"}:
        return UnkeyedReason.METHOD
    if request.has_body:
        return UnkeyedReason.BODY
    if request.upgrade:
        return UnkeyedReason.UPGRADE
    if not is_normal(request.path):
        return UnkeyedReason.PATH_NOT_NORMAL
    if request.headers.has_any(_OVERRIDES):
        return UnkeyedReason.METHOD_OVERRIDE
    if route.implicit and _may_be_read_as_another(request.headers):
        return UnkeyedReason.FIELD_NAME
    if not _names_this_hop_only(request.headers):
        return UnkeyedReason.CONNECTION
    return None


def _may_be_read_as_another(headers: Headers) -> bool:
    """Say whether a name could be another one to its backend: Vary would select by one that the backend did not read.

    ``Accept_Language`` is ``Accept-Language`` to whoever keeps fields as CGI does. Declared routes forward none such.
    """
    return any(b"_" in name for name in headers.names())


def _names_this_hop_only(headers: Headers) -> bool:
    """Say whether Connection names nothing that is keyed or varied by.

    A field named there is not forwarded: keyed by its value, fetched without it, found by all who send it.
    """
    said = headers.combined(b"connection")
    if said is None or said.lower() in _PLAIN_OPTIONS:
        return True
    return all(option.strip(b" \t").lower() in _PLAIN_OPTIONS for option in said.split(b","))


def withheld(headers: Headers, route: Route, keyed: tuple[bytes, ...]) -> UnkeyedReason | None:
    """Say which credential a declared route was not told about: such a request is somebody's own."""
    own = route.credential_headers
    if route.scope == "credential":
        if not any(value for name in own for value in headers.get_all(name)):
            return UnkeyedReason.NO_CREDENTIAL
        keyed = (*keyed, *own)
    if route.authorization is Credentials.UNSET:
        for name in (b"authorization", *own):
            if name in headers and name not in keyed and name != b"cookie":
                return UnkeyedReason.AUTHORIZATION
    if route.cookies is Credentials.UNSET and b"cookie" in headers and b"cookie" not in keyed:
        return UnkeyedReason.COOKIE
    return None
