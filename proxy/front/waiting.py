"""What a connection waits for, and how long it does."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from proxy.front.options import FrontOptions

LINGER_LONGEST: Final = 30.0  # nginx's lingering_time and
_LINGER_SILENT: Final = 5.0  # lingering_timeout


class Waiting(Enum):
    """Ends of waiting are told apart, because what is left to say differs."""

    NOTHING = auto()  # the handler is at work, or a tunnel runs: their own limits hold
    HEAD = auto()  # the rest of a head, or the first one
    NEXT = auto()  # another request, or the end of a tunnel's last direction
    BODY = auto()  # more of a body
    READER = auto()  # the client to read
    GOODBYE = auto()  # the client's end, so that our closing cannot destroy an answer on its way


def patience(waiting: Waiting, options: FrontOptions) -> float | None:
    """Return how many seconds that may take, None for ever."""
    match waiting:
        case Waiting.HEAD:
            return options.head_timeout
        case Waiting.NEXT:
            return options.keep_alive
        case Waiting.BODY:
            return options.body_timeout
        case Waiting.READER:
            return options.write_timeout
        case Waiting.GOODBYE:
            return _LINGER_SILENT
        case Waiting.NOTHING:
            return None
