"""A request that went out at once, on a connection that rested: who hears of its answer, and what is given back when."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from proxy.fetch.origin import Reply
from proxy.message.errors import OriginError

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.fetch.exchange import Exchange
    from proxy.fetch.origin import Outgoing
    from proxy.fetch.places import Place


class Begun:
    """One exchange under way. ``heard`` is called as ``Origin.begin`` says."""

    __slots__ = ("_exchange", "_heard", "_place")

    def __init__(self, exchange: Exchange, place: Place, heard: Callable[[Reply | OriginError | None], None]) -> None:
        self._exchange = exchange
        self._place = place
        self._heard: Callable[[Reply | OriginError | None], None] | None = heard

    def start(self, request: Outgoing) -> None:
        """Send it. Raises MessageError for what would be read as more than one head; then nothing was sent."""
        try:
            self._exchange.start(request, self._outcome)
        except BaseException:
            self.give_up()
            raise

    def give_up(self) -> None:
        """Want its answer no more."""
        self._heard = None
        self._exchange.close()
        self._place.give_back()

    def _outcome(self, outcome: Reply | BaseException) -> None:
        if isinstance(outcome, Reply):
            if outcome.whole is not None:
                self._tell(outcome)
            else:  # what follows the head often comes in the same turn, in another read
                asyncio.get_running_loop().call_soon(self._late, outcome)
            return
        self._place.give_back()
        if self._exchange.was_dropped:  # a connection that had rested may be closed at any time: nothing was answered
            self._tell(None)
        else:
            self._tell(outcome if isinstance(outcome, OriginError) else OriginError(str(outcome)))

    def _late(self, reply: Reply) -> None:
        self._tell(self._exchange.with_all(reply))

    def _tell(self, outcome: Reply | OriginError | None) -> None:
        heard, self._heard = self._heard, None
        if heard is not None:
            heard(outcome)
