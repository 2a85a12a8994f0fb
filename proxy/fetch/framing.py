"""The fields that say how a request to the backend is framed; all others are the pipeline's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from proxy.fetch.origin import Outgoing
    from proxy.message.headers import Field, Headers

_OURS: Final = frozenset({b"connection", b"content-length", b"transfer-encoding"})
_ENCLOSING: Final = frozenset({b"POST", b"PUT", b"PATCH"})


def framed(request: Outgoing, host: bytes | None) -> Headers:
    """Return the request's fields with our framing; ``host`` replaces the authority it names."""
    fields = request.headers.without(_OURS)
    if host is not None:
        fields = fields.with_field(b"Host", host)
    if request.expect_continue and b"expect" not in fields:
        fields = fields.plus([(b"Expect", b"100-continue")])
    return fields.plus(_framing(request))


def _framing(request: Outgoing) -> list[Field]:
    if request.upgrade:
        return [(b"Connection", b"upgrade")]  # RFC 9110 section 7.8: Upgrade is hop-by-hop
    if request.body is None:
        # RFC 9110 section 8.6: where content is to be expected, its absence is said.
        return [(b"Content-Length", b"0")] if request.method in _ENCLOSING else []
    if request.body.length is None:
        return [(b"Transfer-Encoding", b"chunked")]
    return [(b"Content-Length", b"%d" % request.body.length)]
