"""What the ledger's scripts answer, made into values."""

from __future__ import annotations

from dataclasses import field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from proxy.message.errors import StoreError
from proxy.message.selectors import Seq, text_of
from proxy.message.values import value
from proxy.purge.marks import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator


@value(frozen=True, slots=True)
class Logged:
    """One purge as the log has it; ``before`` is the position of the purge before it."""

    n: int
    before: int
    soft: bool
    selectors: tuple[str, ...]


@value(frozen=True, slots=True)
class Snapshot:
    """The whole ledger at one position: per selector its last hard and last soft purge, oldest first."""

    seq: Seq
    floor: int
    hard: dict[str, int]
    soft: dict[str, int]


@value(frozen=True, slots=True)
class Tail:
    """What the ledger says from some position on."""

    seq: Seq
    purges: tuple[Logged, ...]


@value(frozen=True, slots=True)
class Replica:
    """What a process with a mirror says of itself.

    ``seen``: up to where it has taken purges over, None where that is not known; ``max_lag``: seconds for which it
    trusts its mirror; ``until``: the server's time up to which its word is believed, seconds.
    """

    seen: Seq | None
    max_lag: float
    until: float = field(default=0.0, compare=False)


@value(frozen=True, slots=True)
class Roll:
    """Who mirrors the ledger at the server's time ``now``, seconds; ``since``: how old the list is, None without one."""

    seq: Seq
    now: float
    since: float | None
    live: dict[str, Replica]


@lru_cache(maxsize=64)  # the same until somebody purges; nothing here comes from clients
def parse_seq(value: bytes) -> Seq:
    """Read the value of ``seq``. Raises StoreError."""
    try:
        return Seq.parse(value.decode("ascii"))
    except ValueError as error:
        raise StoreError("the ledger's position is not readable") from error


def seq_of(reply: list[Any]) -> Seq:
    """Read how each script's reply begins. Raises StoreError."""
    try:
        return Seq(reply[0].decode("ascii"), int(reply[1]))
    except (ValueError, LookupError, AttributeError) as error:
        raise StoreError("the ledger's answer is not readable") from error


def snapshot_of(reply: list[Any]) -> Snapshot:
    """Read the reply of ``SNAPSHOT``. Raises StoreError."""
    seq = seq_of(reply)
    try:
        pairs = list(zip(reply[2][::2], map(int, reply[2][1::2]), strict=True))
    except (ValueError, LookupError, TypeError) as error:
        raise StoreError("the ledger is not readable") from error
    hard = {text_of(name[1:]): n for name, n in pairs if name.startswith(b"h")}
    soft = {text_of(name[1:]): n for name, n in pairs if name.startswith(b"s")}
    floor = max((n for name, n in pairs if name.startswith(b"#")), default=seq.n)
    return Snapshot(seq, floor, hard, soft)


def tail_of(reply: list[Any]) -> Tail:
    """Read the reply of ``TAIL``. Raises StoreError."""
    seq = seq_of(reply)
    try:
        return Tail(seq, log_of(reply[2]))
    except LookupError as error:
        raise StoreError("the ledger's log is not readable") from error


def log_of(reply: list[Any]) -> tuple[Logged, ...]:
    """Read log entries as ``XREVRANGE`` gives them. Raises StoreError."""
    try:
        return tuple(_logged(identity, fields) for identity, fields in reply)
    except (ValueError, LookupError, TypeError) as error:
        raise StoreError("the ledger's log is not readable") from error


def roll_of(reply: list[Any]) -> Roll:
    """Read the reply of ``REPLICAS``. Raises StoreError."""
    seq = seq_of(reply)
    try:
        now = int(reply[2])
        said = dict(zip(reply[3][::2], (value.split(b" ") for value in reply[3][1::2]), strict=True))
        since = said.pop(b"#since", None)
        live = {
            identity.decode(): Replica(_seen(words[2]), int(words[1]) / MICROSECONDS, int(words[0]) / MICROSECONDS)
            for identity, words in said.items()
            if int(words[0]) >= now
        }
        age = None if since is None else (now - int(since[0])) / MICROSECONDS
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise StoreError("the list of replicas is not readable") from error
    return Roll(seq, now / MICROSECONDS, age, live)


def _seen(word: bytes) -> Seq | None:
    return None if word == b"-" else Seq.parse(word.decode("ascii"))


def _logged(identity: bytes, fields: list[bytes]) -> Logged:
    field = dict(zip(fields[::2], fields[1::2], strict=True))
    return Logged(
        n=int(identity.partition(b"-")[0]),
        before=int(field[b"before"]),
        soft=field[b"mode"] == b"s",
        selectors=tuple(text_of(name) for name in _netstrings(field[b"selectors"])),
    )


def _netstrings(packed: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(packed):
        colon = packed.index(b":", start)
        end = colon + 1 + int(packed[start:colon])
        yield packed[colon + 1 : end]
        start = end
