"""Leading a flight without a task: whoever asked is told when it lands.

1. Nobody flies for this key yet: the asker starts the flight and leads it. Who follows does so in a task, by ``flying``.
2. The landing is all here, as it nearly always is: the asker has its answer without a task.
3. It is anything else (a stream, a failure, somebody's own): the asker goes on in a task.
4. The asker leaves before it is told, or before that task has begun: what was set aside for it is given up.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from proxy.fetch.flights import Handed, Shared
from proxy.pipeline import flying
from proxy.pipeline.fill import Crew
from proxy.pipeline.reply import raising
from proxy.pipeline.solo import set_out

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.fetch.flights import Flight, Landing
    from proxy.pipeline.parts import Parts
    from proxy.pipeline.reply import Answer, Asker, Rest
    from proxy.pipeline.visit import Quest


def lead(parts: Parts, quest: Quest, asker: Asker, goes_on: Callable[[Rest], None]) -> bool:
    """Start the flight of a quest for somebody who is told; False, and nothing done, where one is under way.

    ``goes_on``: as the asker's own, for what may raise OriginError.
    """
    digest = quest.looked.place.digest
    if parts.flights.under_way(digest) is not None:
        return False
    crew = Crew(parts, quest.visit, flying.still_so(parts, quest))
    leader = _Leader(parts, quest, asker, goes_on)
    parts.flights.start(digest, crew.fly, leader=leader, set_out=partial(set_out, crew))
    return True


class _Leader:
    """One who asked and is told."""

    __slots__ = ("_asker", "_flight", "_goes_on", "_has_gone_on", "_landing", "_parts", "_quest")

    def __init__(self, parts: Parts, quest: Quest, asker: Asker, goes_on: Callable[[Rest], None]) -> None:
        self._parts = parts
        self._quest = quest
        self._asker = asker
        self._goes_on = goes_on
        self._has_gone_on = False

    @property
    def has_left(self) -> bool:
        """Say whether nobody is there any more."""
        return self._asker.has_left

    def landed(self, flight: Flight, landing: Landing) -> None:
        """Answer whoever asked, if that is still there."""
        self._flight, self._landing = flight, landing
        if self._asker.has_left:
            self._give_up()
            return
        if isinstance(landing, Shared) and flying.is_at_once(landing):
            try:
                answer = self._answer(landing)
            except Exception as error:  # noqa: BLE001 - the asker's, as if it had awaited it
                self._goes_on(partial(raising, error))
            else:
                self._asker.answered(answer)
            return
        self._goes_on(self._rest)
        asyncio.get_running_loop().call_soon(self._look_back)  # behind the first step of that task

    def _answer(self, landing: Shared) -> Answer:
        stale = flying.stale_instead(self._parts, self._quest, landing.response.status)
        return stale if stale is not None else flying.at_once(self._parts, self._quest, landing, leading=True)

    async def _rest(self) -> Answer:
        self._has_gone_on = True
        return await flying.led(self._parts, self._quest, self._flight, self._landing)

    def _look_back(self) -> None:
        if not self._has_gone_on:
            self._give_up()

    def _give_up(self) -> None:
        body = self._flight.leader_body
        if isinstance(self._landing, Handed):
            body = self._landing.reply.body
        if body is not None:
            self._parts.background.start(body.aclose(), name="close an answer that nobody takes")
