"""What the operator says about logs, and about metrics for CloudWatch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class LogOptions:
    """The ``log`` section: ``hits`` is the share of hits that get a line, 0.0 to 1.0; ``waiting`` a number of lines."""

    format: Literal["json", "console"] = "json"
    level: Level = "info"
    hits: float = 0.01
    waiting: int = 10_000  # about 4 MB of requests' lines


@dataclass(frozen=True, slots=True)
class CloudWatchOptions:
    """The ``cloudwatch`` section: ``put`` calls its API, ``emf`` writes lines. ``interval`` in seconds."""

    mode: Literal["put", "emf"] = "emf"
    namespace: str = "TreeBeard/Cache"
    region: str | None = None
    interval: float = 60.0
    dimensions: tuple[tuple[str, str], ...] = ()
