"""What a process does when it has just become ready: the rest of its imports, and an end of collecting them.

Nothing is collected until then (``gc.disable`` in the command line): what is imported stays, and looking through it again and again is a
twentieth of a start. Then all that there is, is taken out of what is looked through (``gc.freeze``). Otherwise each
full collection goes through 70,000 objects of imported modules, 20 to 30 ms in which nobody is answered, and there is
one whenever the hot tier has grown by a quarter.

The thresholds: 12,000 requests for 8,000 URLs, two in three of them misses, spent a sixth of their CPU on 917
collections by Python's own (700, 10, 10), the longest of 311 ms; with what is imported frozen 7 % and 228 ms; with
these as well 3 % and 46 ms, on a machine that was busy with other things. Larger ones make fewer, longer pauses.
"""

from __future__ import annotations

import gc
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

THRESHOLDS: Final = (2_000, 10, 50)

FOR_LINES: Final = "proxy.observe.logger"
FOR_METRICS: Final = "proxy.observe.metrics"
"""Modules that the first line and the first scrape need, and a start does not."""


def settle(*modules: str) -> threading.Thread:
    """Import what is needed sooner or later, beside the loop, then collect again, but nothing of what there is by then."""
    thread = threading.Thread(target=_settle, args=(modules,), name="sapwood-settling", daemon=True)
    thread.start()
    return thread


def _settle(modules: Iterable[str]) -> None:
    try:
        for name in modules:
            import_module(name)
    finally:
        gc.freeze()
        gc.set_threshold(*THRESHOLDS)
        gc.enable()
