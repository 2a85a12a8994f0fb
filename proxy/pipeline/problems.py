"""Answers of our own that say what went wrong (RFC 9457)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from proxy.message.headers import Headers
from proxy.message.phrases import PHRASES
from proxy.message.response import Response
from proxy.pipeline.reply import Answer

if TYPE_CHECKING:
    from proxy.message.headers import Field


def problem(status: int, detail: str, *, retry_after: int | None = None, fields: tuple[Field, ...] = ()) -> Answer:
    """Return an error answer. ``detail`` is shown to the client and never holds what one sent; seconds to wait."""
    lines = [(b"Content-Type", b"application/problem+json"), (b"Cache-Control", b"no-store"), *fields]
    if retry_after is not None:
        lines.append((b"Retry-After", b"%d" % retry_after))
    title = PHRASES.get(status, "Error")
    body = orjson.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail})
    return Answer(Response(status, Headers(lines)), body)
