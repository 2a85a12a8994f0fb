"""The calls that show what the service does and has, and the one that reloads it."""

from __future__ import annotations

from http import HTTPMethod
from typing import TYPE_CHECKING

from aiohttp import web

from proxy.admin import health
from proxy.admin.bodies import json_answer
from proxy.admin.problems import Problem

if TYPE_CHECKING:
    from proxy.admin.control import Control, Mistake


class InspectionCalls:
    """Handlers around one service."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def routes(self) -> list[web.RouteDef]:
        """Return what this class serves."""
        return [
            web.get("/entries", self.entries),
            web.get("/stats", self.stats),
            web.post("/stats/reset", self.reset),
            web.get("/health", self.health),
            web.get("/config", self.config),
            web.post("/reload", self.reload),
            web.get("/explain", self.explain),
        ]

    async def entries(self, request: web.Request) -> web.Response:
        """``GET /entries?url=``: what is stored for a URL."""
        url = _url(request)
        try:
            found = await self._control.entries(url)
        except ValueError as error:
            raise Problem(422, f"url: {error}") from None
        return json_answer({"url": url, "entries": list(found)})

    async def stats(self, request: web.Request) -> web.Response:
        """``GET /stats``."""
        del request
        return json_answer(await self._control.stats())

    async def reset(self, request: web.Request) -> web.Response:
        """``POST /stats/reset``: the statistics begin anew; they are shown as they then are."""
        del request
        await self._control.reset_stats()
        return json_answer(await self._control.stats())

    async def health(self, request: web.Request) -> web.Response:
        """``GET /health``: 503 when clients see errors, so that simple monitors need not read the body."""
        del request
        document = health.document(await self._control.health())
        return json_answer(document, 200 if document["healthy"] else 503)

    async def config(self, request: web.Request) -> web.Response:
        """``GET /config``."""
        del request
        return json_answer(self._control.config())

    async def reload(self, request: web.Request) -> web.Response:
        """``POST /reload``."""
        del request
        mistakes = await self._control.reload()
        if mistakes:
            detail = f"not reloaded, the running configuration stays: {_count(len(mistakes))}"
            raise Problem(422, detail, mistakes=[_addressed(mistake) for mistake in mistakes])
        return json_answer({"reloaded": True, "hash": self._control.config().get("hash")})

    async def explain(self, request: web.Request) -> web.Response:
        """``GET /explain?method=&url=&header=``: ``header`` any number of times, each ``Name: value``."""
        method = request.query.get("method", HTTPMethod.GET)
        url = _url(request)
        headers = [_header(text) for text in request.query.getall("header", [])]
        try:
            return json_answer(self._control.explain(method, url, headers))
        except ValueError as error:
            raise Problem(422, str(error)) from None


def _url(request: web.Request) -> str:
    url = request.query.get("url", "")
    if not url:
        raise Problem(422, "url: expected a path with its query, like /api/v1/plans?page=2, percent-encoded")
    return url


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise Problem(422, 'header: expected "Name: value"')
    return name.strip(), value.strip()


def _count(number: int) -> str:
    return "1 mistake" if number == 1 else f"{number} mistakes"


def _addressed(mistake: Mistake) -> dict[str, str | int]:
    return {
        "source": mistake.source,
        "line": mistake.line,
        "column": mistake.column,
        "path": mistake.path,
        "message": mistake.message,
        "text": str(mistake),
    }
