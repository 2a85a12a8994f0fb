"""Our own error answers (RFC 9457)."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from proxy.message.headers import Headers
from proxy.message.response import Response
from proxy.observe.events import Outcome
from proxy.pipeline.reply import Answer, Facts

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.message.headers import Field
    from proxy.message.request import Request

    Decorate = Callable[[Request | None, Response], Response]

_TITLES: Final = {status.value: status.phrase for status in HTTPStatus}
_SERVER: Final = 500
LEFT: Final = 499  # nginx's status for a client that left before its answer; never sent, only told


def problem(
    status: int, detail: str, request: Request | None, decorate: Decorate, fields: tuple[Field, ...] = ()
) -> Answer:
    """Return the answer for that status; ``detail`` is shown to the client."""
    title = _TITLES.get(status, "Error")
    body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail}).encode()
    headers = Headers([(b"Content-Type", b"application/problem+json"), (b"Cache-Control", b"no-store"), *fields])
    outcome = Outcome.ERROR if status >= _SERVER else Outcome.REFUSED
    return Answer(decorate(request, Response(status, headers)), body, Facts(outcome=outcome, detail=f"front-{status}"))


def nothing() -> Answer:
    """Return what is told of a request whose client left before there was an answer."""
    return Answer(Response(LEFT), b"", Facts(outcome=Outcome.ERROR, detail="client-left"))
