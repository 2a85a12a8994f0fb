"""What the operator says about logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class LogOptions:
    """The ``log`` section: ``hits`` is the share of hits that get a line, 0.0 to 1.0."""

    format: Literal["json", "console"] = "json"
    level: Level = "info"
    hits: float = 0.01
