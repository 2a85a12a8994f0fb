"""What the pipeline hands to the front: a head, a body, and the facts to be told once it was sent."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, Never, Protocol

from proxy.message.values import value
from proxy.observe.events import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from proxy.message.body import Body, Tunnel
    from proxy.message.response import Response
    from proxy.pipeline.probe import Repeat

    Rest = Callable[[], Coroutine[Any, Any, "Answer"]]


@value(frozen=True, slots=True)
class Facts:
    """What is known of an answer before its first byte leaves."""

    route: str = "none"
    namespace: str = ""
    outcome: Outcome = Outcome.BYPASS
    detail: str = ""
    ttl: float | None = None
    age: float | None = None
    seconds_saved: float = 0.0


@value(frozen=True, slots=True)
class Answer:
    """One answer: end-to-end fields only in ``response``, framing is the front's.

    ``body`` as bytes has its exact length; as a Body it is pulled while the client reads, and closed by the front
    whatever happens; as a Tunnel both directions are spliced after the head. ``repeat``: a like request would get the
    same, as long as that holds.
    """

    response: Response
    body: bytes | Body | Tunnel = b""
    facts: Facts = field(default_factory=Facts)
    repeat: Repeat | None = None


async def raising(error: Exception) -> Never:
    """Raise it where somebody awaits: what is left to do of what has failed already."""
    raise error


class Asker(Protocol):
    """Who has asked without waiting, and is told once: ``answered`` or ``goes_on``, perhaps before ``ask`` returns."""

    @property
    def has_left(self) -> bool:
        """Say whether nobody wants the answer any more."""
        ...

    def interim(self, response: Response) -> None:
        """Pass a 1xx head on."""
        ...

    def answered(self, answer: Answer) -> None:
        """Take the answer, whose body is here."""
        ...

    def goes_on(self, rest: Rest) -> None:
        """Go the rest of the way in a task: it comes to the answer."""
        ...
