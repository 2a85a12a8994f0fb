"""What the front calls; the pipeline is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from proxy.message.body import Body
    from proxy.message.request import Request
    from proxy.pipeline.reply import Answer, Asker


class Handler(Protocol):
    """Answers requests, and is told what became of each answer."""

    def ask(self, request: Request, body: Body | None, asker: Asker) -> None:
        """Begin to answer one request; tell ``asker`` once, at once or later, of the answer or of what it takes.

        What it takes is cancelled when the client leaves. An OriginError or MessageError, raised here or there,
        becomes a problem answer of its status, anything else one of status 500.
        """
        ...

    def finished(self, request: Request, answer: Answer, *, seconds: float, sent_bytes: int, aborted: bool) -> None:
        """Take note: called once for each request, with what was answered, were it by the front itself."""
        ...
