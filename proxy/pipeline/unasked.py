"""What nobody waits for, asked for all the same: the most read after a purge, and what a warmer chose."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from proxy.message.errors import SapwoodError
from proxy.popularity.recipes import request_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxy.pipeline.answer import Pipeline
    from proxy.pipeline.reply import Answer
    from proxy.popularity.recipes import Recipe

AT_MOST: Final = 60.0
"""Seconds for one body: what was stored once may be a stream without an end by now."""


def fetch_again(pipeline: Pipeline, recipes: Sequence[Recipe]) -> None:
    """Ask for each of these behind everybody's back, ``refresh_at_once`` at a time, in the order given."""
    parts, left = pipeline.parts, iter(recipes)
    for _ in range(min(parts.options.refresh_at_once, len(recipes))):
        parts.background.start(_ask_all(pipeline, left), name="fetch again")


async def _ask_all(pipeline: Pipeline, left: Iterator[Recipe]) -> None:
    for recipe in left:
        # Whether it broke off is all the same: nothing was stored then, and the next who asks asks the backend.
        await read_to_end(await pipeline.answer(request_of(recipe), None, None))


async def read_to_end(answer: Answer) -> bool:
    """Read an answer along, or its flight is given up; say whether all of it came within ``AT_MOST`` seconds."""
    body = answer.body
    if isinstance(body, bytes):
        return True
    try:
        async with asyncio.timeout(AT_MOST):
            while await body.read():
                pass
    except (SapwoodError, TimeoutError):
        return False
    finally:
        await body.aclose()
    return True
