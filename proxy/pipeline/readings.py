"""What is read, counted.

Only what everybody may read is counted, and a recipe never holds a credential: what is one client's own is refetched by
nobody but that client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.message.stored import StoredResponse
from proxy.policy.hops import HARMLESS
from proxy.policy.keys import keyed_fields
from proxy.policy.trimming import COOKIES
from proxy.popularity.recipes import recipe_of

if TYPE_CHECKING:
    from proxy.pipeline.lookup import Looked
    from proxy.pipeline.parts import Parts
    from proxy.pipeline.visit import Visit

_ALIKE: Final = HARMLESS | {b"origin"}
"""Fields that name a program, a language or a site, and nobody in person."""


def was_read(parts: Parts, visit: Visit, looked: Looked) -> None:
    """Count what a look has found."""
    if isinstance(looked.entry, StoredResponse):
        _count(parts, visit, looked.place.digest, looked.entry, reads=1)


def was_stored(parts: Parts, visit: Visit, digest: str, entry: StoredResponse) -> None:
    """Learn under which selectors an entry is kept now; for a new one, the fetch was its first reading."""
    _count(parts, visit, digest, entry, reads=0)


def is_counted(visit: Visit) -> bool:
    """Say whether reads of what a visit finds are counted, in every replica."""
    return visit.route.scope == "public" and recipe_of(visit.asked, visit.key.target, ()) is not None


def is_for_all(visit: Visit, entry: StoredResponse) -> bool:
    """Say whether nothing in an entry is one client's: who asked said nothing of itself, and is told nothing to keep.

    Stricter than what may be shared: a field that the entry was chosen by must be one that all clients send alike.
    """
    if visit.route.scope != "public" or any(name.lower() in COOKIES for name, _ in entry.headers.lines):
        return False
    chosen_by = {*keyed_fields(visit.route, cors=visit.book.cors is not None), *(name for name, _ in entry.vary)}
    told = {name.lower() for name, _ in visit.asked.headers.lines}
    return chosen_by & told <= _ALIKE and recipe_of(visit.asked, visit.key.target, chosen_by) is not None


def _count(parts: Parts, visit: Visit, digest: str, entry: StoredResponse, *, reads: int) -> None:
    if visit.request.unasked:
        reads = 0  # else what is warmed would stay popular for ever, whether or not anybody reads it
    if visit.route.scope != "public" or parts.popularity.count(digest, entry.selectors, reads):
        return
    chosen_by = {*keyed_fields(visit.route, cors=visit.book.cors is not None), *(name for name, _ in entry.vary)}
    recipe = recipe_of(visit.asked, visit.key.target, chosen_by)
    if recipe is not None:
        parts.popularity.begin(digest, recipe, entry.selectors, reads=0 if visit.request.unasked else 1)
