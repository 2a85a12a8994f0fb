"""How far a purge has come: which processes with a mirror have taken it over, and when it holds at all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from proxy.message.selectors import Seq
    from proxy.purge.records import Roll

HEARTBEAT: Final = 5.0
"""Seconds for which a replica is believed to live: fifty looks, or two that time out and a new connection."""

MOST: Final = 1024
"""Replicas that are listed by name; 100 bytes each."""


@dataclass(frozen=True, slots=True)
class Replicas:
    """What the replicas have seen of one purge.

    A replica that trusts its mirror for ``max_lag`` asks before it judges by an older one. So a purge holds everywhere
    once the largest announced ``max_lag`` has passed, whatever became of those who never confirmed it: one that is
    stopped serves nothing, and finds its mirror too old when it goes on. ``age``: seconds since the purge by the
    server's clock, never more than they are. ``complete``: nobody can trust a mirror and not be on the list.
    """

    live: int
    confirmed: int
    max_lag: float
    age: float
    complete: bool = True

    def hold_after(self, seconds: float) -> bool:
        """Say whether the purge holds everywhere, ``seconds`` or more after it was acknowledged."""
        return (self.complete and self.confirmed >= self.live) or seconds >= self.max_lag


@dataclass(frozen=True, slots=True)
class Follower:
    """One process with a mirror, as it is seen just now.

    ``looked``: seconds since it last read the ledger; ``seen``: up to where it then had taken purges over, None where
    that is not known; ``current``: there is no purge after that. ``max_lag``: seconds for which it trusts its mirror.
    """

    name: str
    is_this: bool
    looked: float
    seen: Seq | None
    current: bool
    max_lag: float


def followers(roll: Roll, own: str) -> tuple[Follower, ...]:
    """Return who follows the ledger, the asking process, named ``own``, first."""
    listed = (
        Follower(
            name=name,
            is_this=name == own,
            looked=max(0.0, roll.now - (replica.until - kept_for(replica.max_lag))),
            seen=replica.seen,
            current=_has_seen(roll, replica.seen, roll.seq),
            max_lag=replica.max_lag,
        )
        for name, replica in roll.live.items()
    )
    return tuple(sorted(listed, key=lambda one: (not one.is_this, one.name)))


def kept_for(max_lag: float) -> float:
    """Return for how many seconds a replica's word is kept: it may not be forgotten while it trusts its mirror."""
    return max(HEARTBEAT, 2 * max_lag)


def counted(roll: Roll, purge: Seq, own: str, own_max_lag: float, *, seen_here: bool) -> Replicas:
    """Count who has seen a purge; the asking process, named ``own``, knows of itself.

    Race: (1) a process trusts its mirror, (2) the list is lost with the ledger or evicted, (3) somebody purges, before
    the process's next look puts it on the list again. Hence a list younger than any mirror's trust is not complete.
    """
    others = [replica for name, replica in roll.live.items() if name != own]
    max_lag = max([own_max_lag, *(replica.max_lag for replica in others)])
    return Replicas(
        live=len(others) + 1,
        confirmed=sum(_has_seen(roll, replica.seen, purge) for replica in others) + seen_here,
        max_lag=max_lag,
        age=max(0.0, roll.now - purge.n / 1e6),
        complete=roll.since is not None and roll.since >= max_lag,
    )


def _has_seen(roll: Roll, seen: Seq | None, purge: Seq) -> bool:
    if seen is None:
        return False
    if seen.epoch == purge.epoch:
        return seen.n >= purge.n
    return seen.epoch == roll.seq.epoch  # a ledger after the purge's own: all before it is purged
