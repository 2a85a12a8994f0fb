"""A response that the backend hands over unasked: which fields of the call are the response's, and which routes take it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.message.headers import Headers
from proxy.message.response import Response
from proxy.policy.rules import Credentials

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.message.headers import Field
    from proxy.policy.rules import Route

# A call carries fields of its own, its token and those of tracing libraries among them: only what describes the
# representation, says how to cache it or names its tags is the response's. Set-Cookie is here to be judged.
OF_THE_RESPONSE: Final = frozenset(
    {
        b"cache-control",
        b"cache-groups",
        b"cache-tag",
        b"cdn-cache-control",
        b"content-disposition",
        b"content-language",
        b"content-location",
        b"content-security-policy",
        b"content-type",
        b"etag",
        b"expires",
        b"last-modified",
        b"link",
        b"set-cookie",
        b"surrogate-control",
        b"surrogate-key",
        b"vary",
        b"x-content-type-options",
        b"xkey",
    }
)


def response_of(lines: Iterable[Field]) -> Response:
    """Return the head of the response that a call with these field lines hands over."""
    return Response(200, Headers((name, value) for name, value in lines if name.lower() in OF_THE_RESPONSE))


def one_copy_missing(route: Route) -> str:
    """Say why a URL alone does not name one copy that this route keeps; empty where it does."""
    if route.scope == "credential":
        return "the route keeps one copy per credential, and a URL names none"
    if route.key_headers:
        names = ", ".join(name.decode("latin-1") for name in route.key_headers)
        return f"the route keeps one copy per value of {names}, and a URL names none"
    if not isinstance(route.cookies, Credentials) and route.cookies:
        return "the route keeps one copy per value of its cookies, and a URL names none"
    return ""
