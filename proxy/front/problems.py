"""Our own error answers (RFC 9457)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from proxy.message.response import Response
from proxy.observe.events import Outcome
from proxy.pipeline.problems import problem
from proxy.pipeline.reply import Answer, Facts

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.message.headers import Field
    from proxy.message.request import Request

    Decorate = Callable[[Request | None, Response], Response]

_SERVER: Final = 500
LEFT: Final = 499  # nginx's status for a client that left before its answer; never sent, only told


def refused(
    status: int, detail: str, request: Request | None, decorate: Decorate, fields: tuple[Field, ...] = ()
) -> Answer:
    """Return the front's own answer of that status; ``detail`` is shown to the client."""
    answer = problem(status, detail, fields=fields)
    outcome = Outcome.ERROR if status >= _SERVER else Outcome.REFUSED
    facts = Facts(outcome=outcome, detail=f"front-{status}")
    return replace(answer, response=decorate(request, answer.response), facts=facts)


def nothing() -> Answer:
    """Return what is told of a request whose client left before there was an answer."""
    return Answer(Response(LEFT), b"", Facts(outcome=Outcome.ERROR, detail="client-left"))
