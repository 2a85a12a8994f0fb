"""Redis as the ledger's scripts use it: each function is one atomic step on the server, as in ``proxy.purge.scripts``."""

from __future__ import annotations

from typing import NamedTuple

from proxy.message.selectors import Seq
from proxy.purge.records import Logged, Snapshot, Tail


class Entry(NamedTuple):
    """What is stored: a version of the data, and the position read before its fetch."""

    version: int
    s0: Seq


class Server(NamedTuple):
    """The ledger's three keys and one entry. ``epoch`` is empty where there is no ledger.

    ``home``: the server, by promotions, on which the epoch began; a part of its name where servers tell theirs.
    """

    epoch: str = ""
    n: int = 0
    hard: tuple[tuple[str, int], ...] = ()
    soft: tuple[tuple[str, int], ...] = ()
    floor: int = 0
    log: tuple[Logged, ...] = ()
    entry: Entry | None = None
    home: int = 0

    @property
    def seq(self) -> Seq | None:
        """What a lookup reads together with the entry."""
        return Seq(self.epoch, self.n) if self.epoch else None


def opened(server: Server, fresh: str, clock: int, home: int) -> Server:
    """``open()`` of the scripts: begin a ledger where there is none, or another server's."""
    return server if server.epoch and server.home == home else Server(fresh, clock, entry=server.entry, home=home)


def purged(server: Server, names: tuple[str, ...], *, soft: bool, seen: int, clock: int, most: int = 99) -> Server:
    """``PURGE`` on an open ledger. The purge's own position is the new ``n``, its predecessor the old one."""
    n = max(server.n + 1, seen + 1, clock)
    hard, gently = dict(server.hard), dict(server.soft)
    for name in names:
        (gently if soft else hard)[name] = n
    floor = server.floor
    while len(hard) + len(gently) > most:
        marks, oldest = min(((m, name) for m in (hard, gently) for name in m), key=lambda each: each[0][each[1]])
        floor = marks.pop(oldest)
    log = (*server.log, Logged(n, server.n, soft, names)) if names else server.log
    return server._replace(n=n, hard=_by_age(hard), soft=_by_age(gently), floor=floor, log=log)


def tail(server: Server, after: int) -> Tail:
    """``TAIL`` on an open ledger."""
    return Tail(Seq(server.epoch, server.n), tuple(purge for purge in server.log if purge.n > after))


def snapshot(server: Server) -> Snapshot:
    """``SNAPSHOT`` on an open ledger."""
    return Snapshot(Seq(server.epoch, server.n), server.floor, dict(server.hard), dict(server.soft))


def without_ledger(server: Server) -> Server:
    """The ledger's keys are evicted; entries stay."""
    return Server(entry=server.entry)


def _by_age(marks: dict[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(marks.items(), key=lambda mark: (mark[1], mark[0])))
