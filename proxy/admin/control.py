"""What a service lets the admin listener do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.admin.health import HealthFacts
    from proxy.admin.warming import WarmOrder
    from proxy.fetch.spool import Budget
    from proxy.message.selectors import Seq
    from proxy.observe.options import LogOptions
    from proxy.observe.pulse import Pulse
    from proxy.pipeline.handover import Offer, Verdict
    from proxy.policy.rules import RuleBook
    from proxy.popularity.counts import Estimate
    from proxy.purge.options import PurgeOptions
    from proxy.purge.replicas import Replicas


class Mistake(Protocol):
    """One thing wrong in a configuration, with its address; its text is the whole line."""

    @property
    def source(self) -> str:
        """The file, variable or flag."""
        ...

    @property
    def line(self) -> int:
        """From 1; 0 where there are no lines."""
        ...

    @property
    def column(self) -> int:
        """From 1; 0 where there are no lines."""
        ...

    @property
    def path(self) -> str:
        """Like ``routes[2].ttl``."""
        ...

    @property
    def message(self) -> str:
        """What was expected, and what was there."""
        ...


class Control(Protocol):
    """The running service, as the admin listener sees it. Documents are JSON values with every secret hidden."""

    @property
    def book(self) -> RuleBook:
        """The running rules."""
        ...

    async def purge(self, selectors: Sequence[str], *, soft: bool, request_id: str) -> Seq:
        """Write the purge into the ledger and tell the observers; returns once acknowledged. Raises StoreError."""
        ...

    async def would_hit(self, selectors: Sequence[str]) -> Estimate:
        """Estimate, from what this replica has seen read, what a purge would hit."""
        ...

    async def refresh(self, selectors: Sequence[str], most: int) -> int:
        """Begin to fetch again the ``most`` most read entries that a purge of these has hit; return how many those are."""
        ...

    async def position(self) -> Seq:
        """Return the ledger's position as this replica knows it. Raises StoreError."""
        ...

    @property
    def purge_limits(self) -> PurgeOptions:
        """What one call may purge, and how many calls a second are taken."""
        ...

    async def replicas(self, seq: Seq) -> Replicas:
        """Ask how many replicas there are, and how many have seen this purge. Raises StoreError."""
        ...

    async def reload(self) -> Sequence[Mistake]:
        """Take the configuration anew; on any mistake keep the running one and return all of them."""
        ...

    def config(self) -> dict[str, Any]:
        """Return the running configuration and its hash."""
        ...

    async def health(self) -> HealthFacts:
        """Ask the store for a sign of life. Never raises StoreError."""
        ...

    async def stats(self) -> dict[str, Any]:
        """Return the document of ``proxy.observe.stats``. Never raises StoreError."""
        ...

    async def pulse(self) -> Pulse:
        """Return the sums that are compared each second. Never raises StoreError."""
        ...

    async def recent_purges(self) -> Sequence[dict[str, Any]]:
        """Return the last purges of all replicas, newest first, with their receipts. Raises StoreError."""
        ...

    async def followers(self) -> Sequence[dict[str, Any]]:
        """Return the replicas that follow the purge ledger, this one first. Raises StoreError."""
        ...

    async def reset_stats(self) -> None:
        """Begin the statistics of all replicas again at zero. Never raises StoreError."""
        ...

    async def entries(self, url: str) -> Sequence[dict[str, Any]]:
        """Return what is stored for a URL, without bodies. Raises ValueError if it is none, StoreError."""
        ...

    async def hand_over(self, url: str, offer: Offer) -> Verdict:
        """Store a response for a URL. Raises ValueError if it is none, StoreError."""
        ...

    @property
    def max_body(self) -> int:
        """How many bytes a stored body may have."""
        ...

    @property
    def budget(self) -> Budget:
        """The bytes that bodies on their way into the store may take together."""
        ...

    def explain(self, method: str, url: str, headers: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """Say what the running rules do with a request. Raises ValueError if it cannot be one."""
        ...

    @property
    def warmers(self) -> Sequence[str]:
        """The names of the running warmers."""
        ...

    async def warm(self, order: WarmOrder) -> dict[str, Any] | None:
        """Begin to warm and return the job; None where too many are under way.

        Raises ValueError for a URL that nobody but its owner can ask for, or that no route serves.
        """
        ...

    async def warming(self) -> dict[str, Any]:
        """Return every warmer with its last run, and the last jobs. Never raises StoreError."""
        ...

    @property
    def log_options(self) -> LogOptions:
        """What is logged now."""
        ...

    async def use_log(self, options: LogOptions) -> None:
        """Log so until the next reload, in every process of this sidecar."""
        ...

    def alive(self) -> bool:
        """Say whether the loop turns."""
        ...

    def ready(self) -> bool:
        """Say whether the traffic listener is open under a valid configuration and not draining."""
        ...

    async def metrics(self) -> tuple[bytes, str]:
        """Return the metrics and their content type."""
        ...
