"""What the pipeline hands to the front: a head, a body, and the facts to be told once it was sent."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from proxy.message.values import value
from proxy.observe.events import Outcome

if TYPE_CHECKING:
    from proxy.message.body import Body, Tunnel
    from proxy.message.response import Response
    from proxy.pipeline.probe import Repeat


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
