"""Runs that were asked for, and those that came by themselves: the last of them, and how far they are."""

from __future__ import annotations

import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from proxy.observe.stats import moment

if TYPE_CHECKING:
    from proxy.warming.runs import Run

MOST_JOBS: Final = 50
"""Jobs that are remembered."""

MOST_UNDER_WAY: Final = 20
"""Jobs that may wait or run at once: whoever asks for more asks for the same again."""


@dataclass(frozen=True, slots=True)
class Job:
    """Some runs that one call or one due time gave rise to."""

    trigger: str
    asked: float
    runs: tuple[Run, ...]
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def state(self) -> str:
        """Say how it stands: pending, running, done, failed."""
        states = {run.state for run in self.runs}
        if states <= {"done", "failed"}:
            return "failed" if "failed" in states else "done"
        return "pending" if states == {"pending"} else "running"

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "id": self.id,
            "state": self.state,
            "trigger": self.trigger,
            "asked": moment(self.asked),
            "runs": [run.as_dict() for run in self.runs],
        }


class Jobs:
    """The last jobs of this process."""

    def __init__(self) -> None:
        self._jobs: deque[Job] = deque(maxlen=MOST_JOBS)

    def add(self, job: Job) -> Job:
        """Remember one more."""
        self._jobs.append(job)
        return job

    def drop(self, job: Job) -> None:
        """Forget one: it came to nothing."""
        if job in self._jobs:
            self._jobs.remove(job)

    @property
    def under_way(self) -> int:
        """How many are not at their end."""
        return sum(job.state in {"pending", "running"} for job in self._jobs)

    def shown(self) -> list[dict[str, Any]]:
        """Return all of them, the newest first."""
        return [job.as_dict() for job in reversed(self._jobs)]
