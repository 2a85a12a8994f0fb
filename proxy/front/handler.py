"""What the front calls; the pipeline is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.message.body import Body
    from proxy.message.request import Request
    from proxy.message.response import Response
    from proxy.pipeline.reply import Answer


class Handler(Protocol):
    """Answers requests, and is told what became of each answer."""

    async def answer(self, request: Request, body: Body | None, interim: Callable[[Response], None]) -> Answer:
        """Answer one request; cancelled when its client leaves.

        ``interim`` passes a 1xx head on. An OriginError or MessageError becomes a problem answer of its status,
        anything else one of status 500.
        """
        ...

    def finished(self, request: Request, answer: Answer, *, seconds: float, sent_bytes: int, aborted: bool) -> None:
        """Take note: called once for each request, with what was answered, were it by the front itself."""
        ...
