"""The boundary to the backend: one verb, ``send``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from proxy.message.body import Body
from proxy.message.headers import media_type
from proxy.message.values import value

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.message.body import Tunnel
    from proxy.message.errors import OriginError
    from proxy.message.headers import Headers
    from proxy.message.response import Response


@value(frozen=True, slots=True)
class Outgoing:
    """A request for the backend: end-to-end fields only, ``Host`` among them; framing is the origin's.

    ``body`` stays its owner's: it is pulled, never closed here. ``upgrade``: ``headers`` hold the ``Upgrade`` field,
    and the answer may be a tunnel. ``expect_continue``: the body is not pulled before the backend said 100, or
    nothing for a second (RFC 9110 section 10.1.1). ``is_upload``: the body is not all here yet, so that its sender
    decides how long the request stays with the backend.
    """

    method: bytes
    target: bytes
    headers: Headers
    body: Body | None = None
    upgrade: bool = False
    expect_continue: bool = False
    is_upload: bool = False


class ReplyBody(Body, Protocol):
    """The body of a reply. ``overrun``, complete only after the last chunk: more came than its stated length."""

    @property
    def overrun(self) -> bool:
        """Did bytes follow that belong to no message (RFC 9112 section 6.3)? They were cut off, the connection too."""
        ...


@value(frozen=True, slots=True)
class Reply:
    """The backend's final head as it came, hop-by-hop fields included, and what follows it.

    ``body`` must be read to its end or closed; it is at its end from the start where there is no content. With
    ``tunnel`` set, the tunnel must be closed instead. ``whole``: all of the content, where it came along with the head
    and is as long as stated; then ``body`` needs neither reading nor closing.
    """

    response: Response
    body: ReplyBody
    tunnel: Tunnel | None = None
    whole: bytes | None = None


class Begun(Protocol):
    """A request that was sent at once."""

    def give_up(self) -> None:
        """Want its answer no more: nobody is told of it. Idempotent."""
        ...


class Origin(Protocol):
    """The backend, as the pipeline sees it."""

    @property
    def in_flight(self) -> int:
        """Requests that count toward ``max_concurrent`` now."""
        ...

    @property
    def limit(self) -> int:
        """How many may count at once."""
        ...

    @property
    def waiting(self) -> int:
        """Requests that wait for a place."""
        ...

    async def send(self, request: Outgoing, interim: Callable[[Response], None] | None = None) -> Reply:
        """Return the reply once its head is complete; ``interim`` gets each 1xx before it but 100 and 101.

        Raises OriginError with the status we answer: 502 for no or a broken answer, 503 where there was no room
        within ``queue_timeout``, 504 for silence. What ``request.body.read`` raises comes through as it is.
        """
        ...

    def begin(
        self,
        request: Outgoing,
        heard: Callable[[Reply | OriginError | None], None],
        interim: Callable[[Response], None] | None = None,
    ) -> Begun | None:
        """Send a request without a body at once, where it need not wait; None: nothing was done, ``send`` it.

        ``heard`` is called once, in a later turn of the loop, with what ``send`` would have returned or raised; with
        None where the request has to be sent anew. It must not raise.
        """
        ...

    async def close(self) -> None:
        """End every connection; whoever still waits gets OriginError."""
        ...


def is_event_stream(response: Response) -> bool:
    """Say whether it goes on for as long as its reader wants: then it must not hold a place."""
    return media_type(response.headers) == b"text/event-stream"
