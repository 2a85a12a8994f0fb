"""What a warmer's source has for it now, the most wanted first."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, Final, assert_never

import orjson

from proxy.message.errors import SapwoodError
from proxy.message.request import Request
from proxy.popularity.counts import Hits
from proxy.popularity.merging import EVERY
from proxy.popularity.ranking import MOST_AN_HOUR, MOST_NOW
from proxy.warming.requests import Bounds, Guise, guises_of, path_for, recipes_of, request_for, requests_of
from proxy.warming.warmers import Listed, Popular, Predicted, Urls

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from proxy.pipeline.answer import Pipeline
    from proxy.popularity.ranking import Ranked, Ranking
    from proxy.warming.warmers import Warmer

AHEAD: Final = 900.0
"""Seconds by which a prediction looks ahead: a run at ten to nine is for the hour from nine."""

SCANNED: Final = 2000
"""How many ranked entries are looked through for those of one route, those that a purge hit, the ways clients come."""

MOST_LIST_BYTES: Final = 8 << 20
"""Of a list of items: 50,000 plans as TreeBeard lists them."""

LIST_AT_MOST: Final = 60.0

_OK: Final = 200


class SourceError(SapwoodError):
    """A source has nothing to say: the backend's list could not be had, or is no list."""


class Sources:
    """Where candidates come from. ``hosts``: the accepted authorities."""

    def __init__(self, pipeline: Pipeline, ranking: Ranking, hosts: frozenset[bytes] = frozenset()) -> None:
        self._pipeline = pipeline
        self._ranking = ranking
        self._hosts = hosts
        self._seen: tuple[float, list[Ranked]] = (-math.inf, [])

    @property
    def bounds(self) -> Bounds:
        """What may be asked for under the running rules."""
        return Bounds(self._pipeline.parts.book, self._hosts)

    async def of(self, warmer: Warmer, limit: int) -> list[Request]:
        """Return what a warmer is to fetch, at most ``limit``. Raises SourceError, StoreError."""
        match warmer.source:
            case Popular():
                ranked = await self._ranking.most_read(min(MOST_NOW, max(SCANNED, limit)))
                return self._first(requests_of(ranked, self.bounds, warmer.route), limit)
            case Predicted():
                ranked = await self._ranking.read_at(self._pipeline.parts.wall() + AHEAD, MOST_AN_HOUR)
                return self._first(requests_of(ranked, self.bounds, warmer.route), limit)
            case Urls(urls):
                return await self.of_urls(urls, limit)
            case Listed(url, items):
                return await self._listed(warmer, url, items.values(await self._document(url)), limit)
            case _:
                assert_never(warmer.source)

    async def hit_by(self, warmer: Warmer, selectors: Collection[str]) -> list[Request]:
        """Return the most read of what a purge hit, for a warmer. Raises StoreError."""
        ranked, hits = await self._most_read(), Hits(selectors)
        hit = (one for one in ranked if hits(one.record.selectors))
        return self._first(requests_of(hit, self.bounds, warmer.route), warmer.limit)

    async def _most_read(self) -> list[Ranked]:
        """Return the ranking's top as it was at most one merge ago: many small purges make one question."""
        now = asyncio.get_running_loop().time()
        if now - self._seen[0] >= EVERY:
            self._seen = now, await self._ranking.most_read(SCANNED)
        return self._seen[1]

    async def of_urls(self, urls: Iterable[str], limit: int) -> list[Request]:
        """Return requests for URLs, in each guise that clients come in. Raises StoreError."""
        ranked, found = await self._most_read(), []
        for url in urls:
            matched = self.bounds.book.route_for(
                b"GET", recipes_of(url, [Guise(b"http", b"")])[0].target.partition(b"?")[0]
            )
            if matched is not None:
                recipes = recipes_of(url, guises_of(ranked, self.bounds, matched.route.name))
                found += [request_for(recipe, self.bounds) for recipe in recipes]
        return self._first((request for request in found if request is not None), limit)

    def _first(self, requests: Iterable[Request], limit: int) -> list[Request]:
        first: list[Request] = []
        for request in requests:
            if len(first) == limit:
                break
            first.append(request)
        return first

    async def _listed(self, warmer: Warmer, url: str, values: list[str], limit: int) -> list[Request]:
        route = next((route for route in self.bounds.book.routes if route.name == warmer.route), None)
        if not values or route is None:
            raise SourceError(f"the list has nothing at {_path_of(warmer)}" if route is not None else "no such route")
        paths = [path for value in values if (path := path_for(route, value)) is not None]
        if not paths:
            raise SourceError(f"no item of the list makes a path of the route {route.name}")
        requests = await self.of_urls(paths, limit)
        if not requests:
            raise SourceError(
                f"by which host clients ask is not known yet: give hosts, or a whole URL instead of {url}"
            )
        return requests

    async def _document(self, url: str) -> Any:
        ranked = await self._most_read()
        guises = guises_of(ranked, self.bounds, "") or [Guise(b"http", b"")]
        recipe = recipes_of(url, guises)[0]
        answer = await self._pipeline.answer(
            Request(
                method=b"GET",
                target=recipe.target,
                headers=recipe.headers,
                authority=recipe.authority,
                scheme=recipe.scheme,
                unasked=True,
            ),
            None,
            None,
        )
        if isinstance(answer.body, bytes):
            content = answer.body
        else:
            content = await _read(answer.body)
        if answer.response.status != _OK:
            raise SourceError(f"the list was answered with {answer.response.status}")
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise SourceError("the list is not JSON") from error


def _path_of(warmer: Warmer) -> str:
    return warmer.source.items.text if isinstance(warmer.source, Listed) else ""


async def _read(body: Any) -> bytes:
    content = b""
    try:
        async with asyncio.timeout(LIST_AT_MOST):
            while data := await body.read():
                content += data
                if len(content) > MOST_LIST_BYTES:
                    raise SourceError(f"the list is larger than {MOST_LIST_BYTES >> 20} MiB")
    except TimeoutError as error:
        raise SourceError(f"the list did not come within {LIST_AT_MOST:.0f} s") from error
    finally:
        await body.aclose()
    return content
