"""Counting hits that are answered like the one before: an addition each, and a line for a few."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy.observe.counters import Counters
    from proxy.observe.events import Observer, RequestServed
    from proxy.observe.logs import Logs


@dataclass(frozen=True, slots=True)
class Repeats:
    """The same observers as elsewhere, without an event for each hit; ``watch`` is told every one, if there is one."""

    counters: Counters
    logs: Logs
    watch: Observer | None = None

    def wants_event(self) -> bool:
        """Say whether ``tell`` is to be called for this hit: it is watched, or chance wants a line."""
        return self.watch is not None or self.logs.draws()

    def tell(self, event: RequestServed) -> None:
        """Tell of a hit that is counted already."""
        if self.watch is None:
            self.logs.write(event)
            return
        if self.logs.draws():
            self.logs.write(event)
        self.watch.tell(event)
