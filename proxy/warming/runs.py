"""One run of one warmer, and its progress."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from proxy.observe.stats import moment
from proxy.warming.asking import Result, ask

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from proxy.message.request import Request
    from proxy.pipeline.answer import Pipeline
    from proxy.warming.asking import Asked
    from proxy.warming.courtesy import Courtesy
    from proxy.warming.pace import Pace

LOOKS_EVERY: Final = 0.02
"""Seconds between two looks whether there is room: places tell nobody that they are free, but those who queue."""

MOST_REASONS: Final = 20
"""Different words for why an item failed that a run keeps; they are ours, or statuses."""

MOST_DIGESTS: Final = 1000


@dataclass(slots=True)
class Run:
    """What one run is about and has come to. Times are wall-clock seconds; ``state``: pending, running, done, failed."""

    warmer: str
    trigger: str
    state: str = "pending"
    total: int = 0
    counts: Counter[Result] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    began: float | None = None
    ended: float | None = None
    error: str = ""
    digests: list[str] = field(default_factory=list)
    read_since: float | None = None  # of what the run before this one warmed or found, the share that was read since

    def count(self, asked: Asked) -> None:
        """Take down what came of one item."""
        self.counts[asked.result] += 1
        if asked.why and (asked.why in self.reasons or len(self.reasons) < MOST_REASONS):
            self.reasons[asked.why] += 1
        if asked.digest and len(self.digests) < MOST_DIGESTS:
            self.digests.append(asked.digest)

    @property
    def done(self) -> int:
        """How many items there is a result for."""
        return sum(self.counts.values())

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        seconds = self.ended - self.began if self.ended is not None and self.began is not None else None
        return {
            "warmer": self.warmer,
            "trigger": self.trigger,
            "state": self.state,
            "total": self.total,
            **{result.value: self.counts[result] for result in Result},
            "reasons": dict(self.reasons),
            "began": None if self.began is None else moment(self.began),
            "ended": None if self.ended is None else moment(self.ended),
            "seconds": None if seconds is None else round(seconds, 3),
            "read_since_last": self.read_since,
            "error": self.error,
        }


@dataclass(frozen=True, slots=True)
class Bounds:
    """At most so many requests at once, within so many seconds; ``min_fresh``: for how long what is there must last."""

    concurrency: int
    deadline: float
    min_fresh: float = 0.0


@dataclass(frozen=True, slots=True)
class Crew:
    """Carries out runs: what they share is one backend."""

    pipeline: Pipeline
    pace: Pace
    courtesy: Courtesy

    async def carry_out(self, run: Run, requests: Sequence[Request], bounds: Bounds) -> None:
        """Ask for each within the bounds; what is left at the deadline is skipped."""
        left = iter(requests)
        run.total = len(requests)
        try:
            async with asyncio.timeout(bounds.deadline), asyncio.TaskGroup() as group:
                for _ in range(min(bounds.concurrency, len(requests))):
                    group.create_task(self._ask_all(run, left, bounds))
        except TimeoutError:
            late = run.total - run.done
            run.counts[Result.SKIPPED] += late
            run.reasons["deadline"] += late

    async def _ask_all(self, run: Run, left: Iterator[Request], bounds: Bounds) -> None:
        concurrency = bounds.concurrency
        for request in left:
            asked = await ask(self.pipeline, request, self._place(concurrency), bounds.min_fresh)
            if asked.is_backend_down:
                self.pace.failed()
            elif asked.seconds is not None:
                self.pace.took(asked.seconds)
                self.pace.keep_within(concurrency)
            run.count(asked)

    @contextlib.asynccontextmanager
    async def _place(self, concurrency: int) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        courtesy, pace = self.courtesy, self.pace
        rests_until = loop.time() + pace.rest
        while (  # noqa: ASYNC110 - see LOOKS_EVERY
            loop.time() < rests_until or courtesy.under_way >= min(pace.allowed, concurrency) or not courtesy.has_room()
        ):
            await asyncio.sleep(LOOKS_EVERY)
        courtesy.under_way += 1  # no await since the look
        try:
            yield
        finally:
            courtesy.under_way -= 1
