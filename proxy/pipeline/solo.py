"""The usual miss, without a crew: it sets out at once, and what the answer asks for is done when the answer is here.

Usual is: the look is as fresh as a second one would be, nothing stored is to be validated, no lifetime follows the
traffic, a connection to the backend is free, and the whole answer comes in one piece and is to be kept.
Whatever turns out otherwise is gone on with by a ``fill.Crew`` in a task, from where it is:

1. no connection rests, or no place is free: the crew does all of it
2. the connection that had rested was closed: the crew asks anew
3. the content is not all here, or the answer is not to be kept: the crew takes it from the head
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from proxy.fetch.flights import Failed
from proxy.fetch.origin import Outgoing
from proxy.message.errors import MessageError, OriginError
from proxy.message.stored import StoredResponse
from proxy.observe.events import OriginAnswered
from proxy.pipeline.fill import land_whole
from proxy.pipeline.judging import Draft, Heard
from proxy.policy import forwarding
from proxy.policy.hops import DEBUG

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.fetch.flights import Flight
    from proxy.fetch.origin import Reply
    from proxy.pipeline.fill import Crew
    from proxy.pipeline.lookup import Looked


def set_out(crew: Crew, flight: Flight) -> Callable[[], None] | None:
    """Send the request of a flight, where it is a usual one; return how to give it up, None where nothing was done."""
    looked, visit = crew.looked, crew.visit
    if looked is None or isinstance(looked.entry, StoredResponse) or visit.route.adaptive:
        return None
    if DEBUG in visit.request.headers:  # what is waited for is told in the context of who wants to know: a task has it
        return None
    return _Solo(crew, flight, looked).begin()


class _Solo:
    """One flight that has set out."""

    __slots__ = ("_began", "_crew", "_flight", "_looked", "_request_time")

    def __init__(self, crew: Crew, flight: Flight, looked: Looked) -> None:
        self._crew = crew
        self._flight = flight
        self._looked = looked
        self._request_time = crew.parts.wall()
        self._began = asyncio.get_running_loop().time()

    def begin(self) -> Callable[[], None] | None:
        """Send the request."""
        visit, parts, flight = self._crew.visit, self._crew.parts, self._flight
        target, headers = forwarding.fetch_for(visit.request, visit.asked, visit.key, visit.forwarding)
        outgoing = Outgoing(method=b"GET", target=target, headers=headers)
        try:
            begun = parts.origin.begin(outgoing, self._heard, visit.interim if flight.has_leader else None)
        except MessageError:
            return None  # the crew meets it too, where somebody awaits it
        if begun is None:
            return None

        def give_up() -> None:
            begun.give_up()
            flight.end()

        return give_up

    def _heard(self, outcome: Reply | OriginError | None) -> None:
        crew, flight = self._crew, self._flight
        if flight.has_ended:  # it was given up in the meantime
            return
        try:
            if outcome is None:
                crew.parts.flights.go_on(flight, crew.fly(flight))
            elif isinstance(outcome, OriginError):
                self._tell(0, str(outcome.status))
                flight.land(Failed(outcome))
                flight.end()
            else:
                self._answered(outcome)
        except Exception as error:  # noqa: BLE001 - the connection that calls this has done nothing wrong
            crew.parts.background.failed("flight", error)
            flight.end()

    def _tell(self, status: int, detail: str = "") -> float:
        crew = self._crew
        seconds = asyncio.get_running_loop().time() - self._began
        crew.parts.observer.tell(OriginAnswered(crew.visit.route.name, status, seconds, detail))
        return seconds

    def _answered(self, reply: Reply) -> None:
        crew, flight, looked = self._crew, self._flight, self._looked
        parts, whole = crew.parts, reply.whole
        seconds = self._tell(reply.response.status)
        heard = Heard(reply.response, self._request_time, parts.wall(), seconds)
        if whole is not None and len(whole) <= parts.options.max_body:
            kept = crew.judge(looked, heard, whole)
            if isinstance(kept, Draft) and parts.budget.take(len(whole)):
                # On its way before anybody can ask for it again.
                parts.flights.go_on(flight, crew.keep(looked, kept))
                land_whole(flight, looked, whole, heard, kept)
                return
        parts.flights.go_on(flight, crew.answered(flight, looked, reply, heard))
