"""The sidecar's own CORS answers (Fetch standard, "CORS protocol"): one stored answer fits every origin.

With ``cors:`` the backend is asked without Origin and its CORS fields are replaced, so an answer stored for one origin
is right for the next one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.message.headers import Headers, list_elements
from proxy.message.response import Response

if TYPE_CHECKING:
    from proxy.message.headers import Field
    from proxy.message.request import Request
    from proxy.policy.rules import Cors, RuleBook

CORS_FIELDS: Final = frozenset(
    {
        b"access-control-allow-credentials",
        b"access-control-allow-headers",
        b"access-control-allow-methods",
        b"access-control-allow-origin",
        b"access-control-allow-private-network",
        b"access-control-expose-headers",
        b"access-control-max-age",
    }
)
"""Response fields that speak to one origin: never stored under ``cors:``."""

_ASKED_METHOD: Final = b"access-control-request-method"
_ASKED_HEADERS: Final = b"access-control-request-headers"
_PREFLIGHT_VARY: Final = (b"Vary", b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
_ANY: Final = b"*"


def is_preflight(request: Request) -> bool:
    """Say whether a browser asks if it may send another request."""
    return request.method == b"OPTIONS" and b"origin" in request.headers and _ASKED_METHOD in request.headers


def is_answered_here(request: Request, book: RuleBook) -> bool:
    """Say whether it is a preflight for a path that a cached route serves."""
    return book.cors is not None and is_preflight(request) and book.route_for(b"GET", request.path) is not None


def preflight(request: Request, cors: Cors) -> Response:
    """Answer a preflight: 204, with leave where origin, method and fields are all allowed, and without otherwise."""
    headers = request.headers
    origin = _origin(request)
    asked_method = headers.get(_ASKED_METHOD) or b""
    asked_headers = [name.lower() for name in list_elements(headers, _ASKED_HEADERS)]
    allowed_headers = {name.lower() for name in cors.headers}
    lines: list[Field] = []
    if (
        _is_allowed(origin, cors)
        and (asked_method in cors.methods or _ANY in cors.methods)
        and (allowed_headers.issuperset(asked_headers) or _ANY in allowed_headers)
    ):
        lines += _leave(origin, cors)
        # What was asked for is what "*" means, also to the browsers that do not know "*".
        methods = [asked_method] if _ANY in cors.methods else cors.methods
        names = asked_headers if _ANY in allowed_headers else cors.headers
        lines.append((b"Access-Control-Allow-Methods", b", ".join(methods)))
        if names:
            lines.append((b"Access-Control-Allow-Headers", b", ".join(names)))
        lines.append((b"Access-Control-Max-Age", b"%d" % cors.max_age))
    return Response(204, Headers([*lines, _PREFLIGHT_VARY]))


def decorated(headers: Headers, request: Request, cors: Cors) -> Headers:
    """Return response fields with this house's CORS fields instead of the backend's, and ``Vary: Origin`` in any case."""
    origin = _origin(request)
    lines: list[Field] = []
    if _is_allowed(origin, cors):
        lines += _leave(origin, cors)
        if cors.expose:
            lines.append((b"Access-Control-Expose-Headers", b", ".join(cors.expose)))
    varied = {name.lower() for name in list_elements(headers, b"vary")}
    if varied.isdisjoint({b"origin", _ANY}):
        lines.append((b"Vary", b"Origin"))
    return without_cors(headers).plus(lines)


def without_cors(headers: Headers) -> Headers:
    """Return a backend's response fields as they may be stored under ``cors:``."""
    return headers.without(CORS_FIELDS)


def _origin(request: Request) -> bytes:
    """Return the origin that asks; none where several lines claim to say it."""
    origins = request.headers.get_all(b"origin")
    return origins[0] if len(origins) == 1 else b""


def _is_allowed(origin: bytes, cors: Cors) -> bool:
    return bool(origin) and (origin in cors.origins or _says_any(cors))


def _says_any(cors: Cors) -> bool:
    return _ANY in cors.origins and not cors.credentials


def _leave(origin: bytes, cors: Cors) -> list[Field]:
    if _says_any(cors):
        return [(b"Access-Control-Allow-Origin", _ANY)]
    lines = [(b"Access-Control-Allow-Origin", origin)]
    if cors.credentials:
        lines.append((b"Access-Control-Allow-Credentials", b"true"))
    return lines
