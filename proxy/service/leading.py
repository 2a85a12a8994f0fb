"""What the admin listener may do with a sidecar of several processes: what one of them does, and what only all can."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from proxy.popularity.counts import MOST_SHOWN, Estimate
from proxy.service.control import Steering

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.admin.health import HealthFacts
    from proxy.observe.gauges import Gauges
    from proxy.observe.options import LogOptions
    from proxy.observe.pulse import Pulse
    from proxy.service.crew import Crew
    from proxy.service.running import Service


class LeadersSteering(Steering):
    """The Control over a leader. Purges, entries, explanations and the configuration are the leader's own affair."""

    def __init__(self, service: Service, crew: Crew) -> None:
        super().__init__(service)
        self._crew = crew

    async def would_hit(self, selectors: Sequence[str]) -> Estimate:
        """Estimate what a purge would hit: an entry that several workers know of is counted once, its reads all."""
        known = await self._crew.ask("would_hit", selectors=list(selectors))
        shown = dict.fromkeys(target for said in known for target in said["most_read"])
        return Estimate(
            # Clients are dealt out by chance, so workers know of the same entries, some of one that others know not.
            max((said["entries"] for said in known), default=0),
            sum(said["reads"] for said in known),
            tuple(shown)[:MOST_SHOWN],
        )

    async def refresh(self, selectors: Sequence[str], most: int) -> int:
        """Let the worker that has seen most reads fetch again what a purge has hit; return how many those are."""
        at = self._service.house.ledger.known()
        return await self._crew.refresh(selectors, most, "" if at is None else str(at))

    async def health(self) -> HealthFacts:
        """Ask the store for a sign of life, and the workers how they find it."""
        await self._crew.count()
        facts, store = await super().health(), self._service.house.counters.store
        down = len(self._crew.members) - self._crew.up
        return replace(facts, breaker_open=facts.breaker_open or store.breaker_open, workers_down=down)

    async def stats(self) -> dict[str, Any]:
        """Return the statistics of all."""
        await self._crew.count()
        return await super().stats()

    async def pulse(self) -> Pulse:
        """Return the sums of all and what they hold right now."""
        await self._crew.count()
        pulse, held = await super().pulse(), self.gauges()
        return replace(
            pulse,
            in_flight=held.upstream_in_flight,
            memory_bytes=held.memory_bytes,
            memory_entries=held.memory_entries,
        )

    async def reset_stats(self) -> None:
        """Begin the statistics of all again at zero."""
        await self._crew.count()
        await super().reset_stats()

    async def metrics(self) -> tuple[bytes, str]:
        """Return the metrics of all and their content type."""
        await self._crew.count()
        return await super().metrics()

    async def use_log(self, options: LogOptions) -> None:
        """Let all log so until the next reload."""
        await super().use_log(options)
        await self._crew.use_log(options)

    def gauges(self) -> Gauges:
        """Return the gauges of all."""
        return self._crew.gauges(super().gauges())
