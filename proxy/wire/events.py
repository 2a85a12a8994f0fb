"""What was read, in the past tense."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from proxy.message.errors import MessageError
from proxy.message.headers import EMPTY, Headers
from proxy.message.values import value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.message.response import Response


class RequestHead(NamedTuple):
    """A request head that passed every check; a tuple, because one is made per request.

    ``target`` is origin-form, ``*`` (OPTIONS) or authority-form (CONNECT). ``length`` is 0 without a body and None
    when ``chunked``. ``upgrade``: bytes after this head belong to nobody until somebody decides.
    """

    method: bytes
    target: bytes
    version: tuple[int, int]
    headers: Headers
    length: int | None = 0
    chunked: bool = False
    keep_alive: bool = True
    expect_continue: bool = False
    upgrade: bool = False

    @property
    def has_body(self) -> bool:
        """Say whether Data may follow."""
        return self.length != 0


@value(frozen=True, slots=True)
class Data:
    """Some content, never empty."""

    data: bytes


@value(frozen=True, slots=True)
class End:
    """The message is complete; each message has one, also without a body.

    ``overrun`` (responses): more bytes came along that no request had asked for. What was read is all that its
    framing said, but should not be kept, and the connection is lost.
    """

    trailers: Headers = EMPTY
    overrun: bool = False


@value(frozen=True, slots=True)
class Refused:
    """What came is no request, or no more of one: always the last event. ``error.status`` is the answer."""

    error: MessageError


@value(frozen=True, slots=True)
class Interim:
    """A 1xx head but 101; the final one is yet to come."""

    response: Response


@value(frozen=True, slots=True)
class Head:
    """A final head. ``length`` is the stated one, None if the framing does not say or states none.

    Without ``has_body`` an End follows at once, and ``length`` is what another method would have had.
    """

    response: Response
    length: int | None
    has_body: bool


@value(frozen=True, slots=True)
class Switched:
    """101, or 2xx to CONNECT: what follows is no HTTP (RFC 9110 sections 7.8 and 9.3.6)."""

    response: Response


RequestEvent: TypeAlias = RequestHead | Data | End | Refused
ResponseEvent: TypeAlias = Interim | Head | Data | End | Switched


class BrokenResponseError(MessageError):
    """A response that is not HTTP or broke off, always 502; ``events`` are those of the same read before it broke."""

    def __init__(self, detail: str, events: Sequence[ResponseEvent] = ()) -> None:
        super().__init__(detail, 502)
        self.events = events
