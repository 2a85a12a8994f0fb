"""What is read, counted.

Only what everybody may read is counted, and a recipe never holds a credential: what is one client's own is refetched by
nobody but that client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.message.stored import StoredResponse
from proxy.policy.keys import keyed_fields
from proxy.popularity.recipes import recipe_of

if TYPE_CHECKING:
    from proxy.pipeline.lookup import Looked
    from proxy.pipeline.parts import Parts
    from proxy.pipeline.visit import Visit


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


def _count(parts: Parts, visit: Visit, digest: str, entry: StoredResponse, *, reads: int) -> None:
    if visit.request.unasked:
        reads = 0  # else what is warmed would stay popular for ever, whether or not anybody reads it
    if visit.route.scope != "public" or parts.popularity.count(digest, entry.selectors, reads):
        return
    chosen_by = {*keyed_fields(visit.route, cors=visit.book.cors is not None), *(name for name, _ in entry.vary)}
    recipe = recipe_of(visit.asked, visit.key.target, chosen_by)
    if recipe is not None:
        parts.popularity.begin(digest, recipe, entry.selectors, reads=0 if visit.request.unasked else 1)
