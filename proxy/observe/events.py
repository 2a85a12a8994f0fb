"""What happened, in the past tense. Observers get each fact once, from the loop's own thread."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from proxy.message.values import value

if TYPE_CHECKING:
    from collections.abc import Mapping


class Outcome(StrEnum):
    """How a request was answered: the metric label, the log field, the test's expectation."""

    HIT_MEMORY = "hit_memory"
    HIT_REDIS = "hit_redis"
    STALE = "stale"
    REVALIDATED = "revalidated"
    MISS = "miss"
    COLLAPSED = "collapsed"
    BYPASS = "bypass"
    REFUSED = "refused"
    ERROR = "error"


HITS: Final = frozenset({Outcome.HIT_MEMORY, Outcome.HIT_REDIS})
"""Answered from here, the backend not asked, and nothing stale about it."""


@value(frozen=True, slots=True)
class RequestServed:
    """An answer has left, or its client did: ``seconds`` from the parsed head to the last byte handed to the socket.

    ``route`` is a declared route's name, ``implicit`` or ``none``. ``detail`` is a fixed word of ours (the plan's
    reason), never user text. ``seconds_saved`` is what the backend took when the served entry was fetched.
    """

    route: str
    outcome: Outcome
    method: str
    path: str  # for logs only, without query; never a label
    status: int
    seconds: float
    sent_bytes: int
    request_id: str
    client: str
    namespace: str = ""
    detail: str = ""
    ttl: float | None = None
    age: float | None = None
    seconds_saved: float = 0.0
    aborted: bool = False


@value(frozen=True, slots=True)
class OriginAnswered:
    """The backend sent a response head, or failed to: then ``status`` is 0 and ``detail`` says how."""

    route: str
    status: int
    seconds: float
    detail: str = ""


@value(frozen=True, slots=True)
class StoreAnswered:
    """One store operation (``load``, ``save``, ``drop``, ``purge``, ``seq``) ended; ``failure`` is empty if it worked."""

    operation: str
    seconds: float
    failure: str = ""


@value(frozen=True, slots=True)
class ResponseStored:
    """A response was saved: its body's bytes and its whole time in the store, seconds."""

    route: str
    namespace: str
    stored_bytes: int
    ttl: float


@value(frozen=True, slots=True)
class LifetimeAdapted:
    """A response is to be stored under a ttl that follows the traffic: ``step`` is ``base``, ``hot`` or ``cold``."""

    route: str
    namespace: str
    step: str


@value(frozen=True, slots=True)
class Purged:
    """A purge was acknowledged by the ledger, or (``seq`` empty) could not be."""

    kind: str  # api | write | retry | schedule | put
    mode: str  # hard | soft
    selectors: tuple[str, ...]
    seq: str
    request_id: str = ""
    failure: str = ""


@value(frozen=True, slots=True)
class WarmerRan:
    """A run of a warmer has ended: how many items were ``warmed``, ``fresh``, ``failed``, ``skipped``.

    ``trigger``: startup, schedule, purge or order. ``error``: why it could not be made at all, or was broken off.
    """

    warmer: str
    trigger: str
    results: Mapping[str, int]
    seconds: float
    error: str = ""

    @property
    def result(self) -> str:
        """The worst that came of it."""
        worst = ("failed", "skipped", "warmed")
        return "failed" if self.error else next((one for one in worst if self.results.get(one)), "fresh")


@value(frozen=True, slots=True)
class DictionaryTrained:
    """A dictionary was trained on so many ``samples``; ``name`` is empty if it was not worth it.

    ``left`` is what is left of samples from now on, ``left_before`` what was, as shares of them.
    """

    name: str
    samples: int
    left: float
    left_before: float
    seconds: float


@value(frozen=True, slots=True)
class BreakerMoved:
    """The store's breaker opened or closed."""

    is_open: bool
    detail: str = ""


@value(frozen=True, slots=True)
class ExportFailed:
    """Metrics could not be handed over to another service; they wait for the next try."""

    to: str
    failure: str


@value(frozen=True, slots=True)
class TaskFailed:
    """Work beside a request ended with an error that nobody expected."""

    name: str
    error: BaseException


@value(frozen=True, slots=True)
class WorkerEnded:
    """A worker process ended without being told to; another one follows in ``restart_in`` seconds."""

    index: int
    how: str
    restart_in: float


Event = (
    RequestServed
    | OriginAnswered
    | StoreAnswered
    | ResponseStored
    | LifetimeAdapted
    | Purged
    | WarmerRan
    | DictionaryTrained
    | BreakerMoved
    | ExportFailed
    | TaskFailed
    | WorkerEnded
)


class Observer(Protocol):
    """Whoever wants to know. ``tell`` must not raise, wait or block."""

    def tell(self, event: Event) -> None:
        """Take note."""
        ...
