"""What is read, counted; and the most read fetched again, as if somebody had asked.

Only what everybody may read is counted, and a recipe never holds a credential: what is one client's own is refetched by
nobody but that client.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Final

from proxy.message.errors import SapwoodError
from proxy.message.request import Request
from proxy.message.stored import StoredResponse
from proxy.policy.keys import keyed_fields
from proxy.popularity.recipes import recipe_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxy.pipeline.answer import Pipeline
    from proxy.pipeline.lookup import Looked
    from proxy.pipeline.parts import Parts
    from proxy.pipeline.visit import Visit
    from proxy.popularity.recipes import Recipe

AT_ONCE: Final = 8
"""Refetches in flight: a backend that has just been written to has clients of its own."""

AT_MOST: Final = 60.0
"""Seconds for one body: what was stored once may be a stream without an end by now."""


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


def fetch_again(pipeline: Pipeline, recipes: Sequence[Recipe]) -> None:
    """Ask for each of these behind everybody's back, a few at a time, in the order given."""
    left = iter(recipes)
    for _ in range(min(AT_ONCE, len(recipes))):
        pipeline.parts.background.start(_ask_all(pipeline, left), name="fetch again")


async def _ask_all(pipeline: Pipeline, left: Iterator[Recipe]) -> None:
    for recipe in left:
        request = Request(
            method=b"GET",
            target=recipe.target,
            headers=recipe.headers,
            authority=recipe.authority,
            scheme=recipe.scheme,
            request_id=uuid.uuid4().hex.encode(),
            unasked=True,
        )
        body = (await pipeline.answer(request, None, None)).body
        if isinstance(body, bytes):
            continue
        try:
            async with asyncio.timeout(AT_MOST):
                while await body.read():
                    pass  # the flight saves it; somebody has to read along, or it is given up
        except (SapwoodError, TimeoutError):
            continue  # it broke off, so nothing was stored: the next who asks asks the backend
        finally:
            await body.aclose()
