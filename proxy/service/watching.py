"""Noticing that a file is another one now: where nobody sends a signal, as when a mounted ConfigMap or Secret changes.

A kubelet changes a mounted volume by pointing its link ``..data`` at another directory, so a file's own path stays and
its inode is another's; an editor writes a new file, or into the old one. All of it shows in where a path really leads
and in what ``stat`` says, asked every few seconds: an event queue on a path whose directories are exchanged is harder to
get right than a look is dear.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

EVERY: Final = 2.0
"""Seconds between two looks, which cost microseconds. A kubelet takes up to 90 s to change a volume: that is what counts."""


class Look(NamedTuple):
    """What tells that a path leads to other content; ``real`` alone where nothing is there."""

    real: str
    inode: int = 0
    modified: int = 0
    size: int = 0


def look_at(path: str) -> Look:
    """Look where ``path`` leads; never raises for what is not there or may not be read."""
    real = os.path.realpath(path)
    try:
        found = os.stat(real)  # noqa: PTH116 - a path as it stands
    except OSError:
        return Look(real)
    return Look(real, found.st_ino, found.st_mtime_ns, found.st_size)


class Watch:
    """Calls ``reload`` when one of ``paths()`` has changed since the look before.

    The first look calls it too: what changed between the reading at the start and that look would be missed otherwise.
    A look comes before the reading that it leads to, so a change in between is found by the next one.
    """

    def __init__(self, paths: Callable[[], Iterable[str]], reload: Callable[[], object], every: float = EVERY) -> None:
        self._paths = paths
        self._reload = reload
        self._every = every
        self._seen: dict[str, Look] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def look(self) -> None:
        """Look once."""
        now = {path: look_at(path) for path in self._paths()}
        if now != self._seen:
            self._seen = now
            self._reload()

    def start(self) -> None:
        """Look every ``every`` seconds from now on, until ``stop``."""
        self._timer = asyncio.get_running_loop().call_later(self._every, self._turn)

    def stop(self) -> None:
        """Look no more. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _turn(self) -> None:
        self.start()  # first, so that a reload that fails unexpectedly is told by the loop and does not end the looking
        self.look()
