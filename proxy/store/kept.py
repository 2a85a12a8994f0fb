"""One thing in memory, and its place in a queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from proxy.message.stored import StoredResponse, Uncacheable, VaryRecord

    Value = StoredResponse | Uncacheable | VaryRecord


class Rendered(Protocol):
    """What was made of an entry, and is told when the entry goes."""

    def forgotten(self) -> None:
        """Let go of it: the entry is not kept any more, or something else was made of it."""
        ...


@dataclass(slots=True, eq=False)
class Kept:
    """What is kept, until its time ``ends``. ``size``, in bytes, is all that it counts for, with what is ``rendered``.

    Whoever finds it counts up ``hits``. ``rendered`` belongs to whoever called ``MemoryStore.dress``, and is forgotten
    with the entry. Nothing else is to be changed but by the store and the queue it stands in.
    """

    digest: str
    material: bytes
    value: Value
    ends: float
    size: int
    rendered: Rendered | None = None
    rendered_size: int = 0
    hits: int = 0
    is_proven: bool = False
    older: Kept | None = None
    newer: Kept | None = None

    def undress(self) -> None:
        """Let go of what was made of it; the size is the store's to set right."""
        rendered, self.rendered = self.rendered, None
        if rendered is not None:
            rendered.forgotten()


class Queue:
    """First in, first out; but anybody may leave from any place, or be followed there by another."""

    __slots__ = ("newest", "oldest", "size")

    def __init__(self) -> None:
        self.oldest: Kept | None = None
        self.newest: Kept | None = None
        self.size = 0

    def push(self, item: Kept) -> None:
        """Let an item in as the newest."""
        item.older = self.newest
        self.newest = item
        if item.older is None:
            self.oldest = item
        else:
            item.older.newer = item
        self.size += item.size

    def pull(self, item: Kept) -> None:
        """Let an item out."""
        self._join(item.older, item.newer)
        item.older = item.newer = None
        self.size -= item.size

    def swap(self, item: Kept, other: Kept) -> None:
        """Put another in an item's place."""
        other.older, other.newer = item.older, item.newer
        self._join(item.older, other)
        self._join(other, item.newer)
        item.older = item.newer = None
        self.size += other.size - item.size

    def has_other_than(self, item: Kept) -> bool:
        """Say whether anything else is here."""
        return self.oldest is not None and not (self.oldest is item and self.newest is item)

    def _join(self, older: Kept | None, newer: Kept | None) -> None:
        if older is None:
            self.oldest = newer
        else:
            older.newer = newer
        if newer is None:
            self.newest = older
        else:
            newer.older = older
