"""The fields that say how a request to the backend is framed; all others are the pipeline's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from proxy.fetch.origin import Outgoing
    from proxy.message.headers import Field

_OURS: Final = frozenset({b"connection", b"content-length", b"transfer-encoding"})
_ENCLOSING: Final = frozenset({b"POST", b"PUT", b"PATCH"})


def framed(request: Outgoing, host: bytes | None) -> list[Field]:
    """Return the request's fields with our framing; ``host`` replaces the authority it names."""
    fields = [line for line in request.headers.lines if line[0].lower() not in _OURS]
    if host is not None:
        fields = [line for line in fields if line[0].lower() != b"host"]
        fields.append((b"Host", host))
    if request.expect_continue and b"expect" not in request.headers:
        fields.append((b"Expect", b"100-continue"))
    if request.body is not None or request.upgrade or request.method in _ENCLOSING:
        fields += _framing(request)
    return fields


def _framing(request: Outgoing) -> list[Field]:
    if request.upgrade:
        return [(b"Connection", b"upgrade")]  # RFC 9110 section 7.8: Upgrade is hop-by-hop
    if request.body is None:
        # RFC 9110 section 8.6: where content is to be expected, its absence is said.
        return [(b"Content-Length", b"0")]
    if request.body.length is None:
        return [(b"Transfer-Encoding", b"chunked")]
    return [(b"Content-Length", b"%d" % request.body.length)]
