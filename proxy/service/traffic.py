"""Where clients come in: a listener of this process, or worker processes that have one each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from proxy.front.listener import Front
from proxy.observe.events import Outcome, RequestServed, TaskFailed
from proxy.pipeline.render import undressed

if TYPE_CHECKING:
    import socket

    from proxy.service.house import House
    from proxy.settings import Settings


class Traffic(Protocol):
    """What accepts and what drains."""

    @property
    def port(self) -> int:
        """The port clients use; 0 on a unix socket."""
        ...

    async def start(self) -> None:
        """Listen. Raises OSError or SapwoodError."""
        ...

    async def drain(self, seconds: float) -> None:
        """Stop listening, let every accepted request be answered, and end what is not done by then."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """What a worker has from its leader: the store that it started, and the unix socket on which it listens."""

    store_url: str | None = None
    listening: socket.socket | None = None


def front_of(settings: Settings, house: House, place: Place | None) -> Front:
    """Return the traffic listener of this process, not started."""
    return Front(
        settings.front,
        house.timed,
        on_failure=lambda name, error: house.observer.tell(TaskFailed(name, error)),
        decorate=undressed,
        probe=house.pipeline.probe,
        on_refused=lambda status, _, peer: house.observer.tell(refused(status, peer)),
        listening=place.listening if place is not None else None,
    )


def refused(status: int, peer: str) -> RequestServed:
    """Return what is told of bytes that were no request: there is no method and no path to name."""
    return RequestServed(
        route="none",
        outcome=Outcome.REFUSED,
        method="",
        path="",
        status=status,
        seconds=0.0,
        sent_bytes=0,
        request_id="",
        client=peer,
        detail="not-understood",
    )
