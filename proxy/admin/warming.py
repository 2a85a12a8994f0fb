"""The calls that warm, and that ask how far warming is."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from proxy.admin.bodies import json_answer, read_json
from proxy.admin.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Collection

    from proxy.admin.control import Control

MOST_BYTES: Final = 256 << 10
MOST_URLS: Final = 1000
MOST_ITEMS: Final = 10_000
LONGEST_URL: Final = 8192  # characters; limits.target's default
_FIELDS: Final = ("names", "urls", "limit")


@dataclass(frozen=True, slots=True)
class WarmOrder:
    """What is to be warmed: these warmers and URLs, all warmers where neither is named; ``limit`` instead of theirs."""

    names: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    limit: int | None = None


class WarmCalls:
    """Handlers around one service's warming."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def routes(self) -> list[web.RouteDef]:
        """Return what this class serves."""
        return [web.post("/warm", self.warm), web.get("/warm", self.show)]

    async def warm(self, request: web.Request) -> web.Response:
        """``POST /warm``: 202 with the job, 422 with every mistake, 503 while too many jobs are under way."""
        document = await read_json(request, MOST_BYTES, "send it in parts") if request.can_read_body else {}
        order = read_warm_order(document, self._control.warmers)
        try:
            job = await self._control.warm(order)
        except ValueError as error:
            raise Problem(422, f"nothing was warmed: urls: {error}") from None
        if job is None:
            detail = "nothing was begun: too many jobs are under way; GET /warm shows them"
            raise Problem(503, detail, headers={"Retry-After": "5"})
        return json_answer(job, status=202)

    async def show(self, request: web.Request) -> web.Response:
        """``GET /warm``: every warmer with its last run, and the last jobs."""
        del request
        return json_answer(await self._control.warming())


def read_warm_order(document: Any, known: Collection[str]) -> WarmOrder:
    """Return the order. Raises Problem 422 with all mistakes."""
    if not isinstance(document, dict):
        raise _refusal([{"where": "body", "detail": "expected an object"}])
    mistakes = [
        {"where": name[:40], "detail": f"unknown; known: {', '.join(_FIELDS)}"}
        for name in document
        if name not in _FIELDS
    ]
    names, urls = _texts("names", document, mistakes), _texts("urls", document, mistakes)
    for index, name in enumerate(names):
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f", did you mean {near[0]}?" if near else f"; known: {', '.join(known) or 'none'}"
            mistakes.append({"where": f"names[{index}]", "detail": f"there is no such warmer{hint}"})
    if len(urls) > MOST_URLS:
        mistakes.append({"where": "urls", "detail": f"expected at most {MOST_URLS}, got {len(urls)}"})
    limit = document.get("limit")
    if limit is not None and (type(limit) is not int or not 1 <= limit <= MOST_ITEMS):
        mistakes.append({"where": "limit", "detail": f"expected a whole number from 1 to {MOST_ITEMS}"})
    if not names and not urls:
        names = tuple(known)
        if not names and not mistakes:
            detail = "nothing to warm: the configuration has no warmers; give urls"
            mistakes.append({"where": "body", "detail": detail})
    if mistakes:
        raise _refusal(mistakes)
    return WarmOrder(tuple(dict.fromkeys(names)), tuple(dict.fromkeys(urls)), limit)


def _texts(name: str, document: dict[str, Any], mistakes: list[dict[str, str]]) -> tuple[str, ...]:
    values = document.get(name, [])
    if not isinstance(values, list):
        mistakes.append({"where": name, "detail": "expected a list of strings"})
        return ()
    for index, value in enumerate(values):
        if not isinstance(value, str) or not 0 < len(value) <= LONGEST_URL or not value.isprintable():
            mistakes.append({"where": f"{name}[{index}]", "detail": f"expected text of 1 to {LONGEST_URL} characters"})
    return tuple(value for value in values if isinstance(value, str))


def _refusal(mistakes: list[dict[str, str]]) -> Problem:
    summary = "; ".join(f"{mistake['where']}: {mistake['detail']}" for mistake in mistakes[:3])
    return Problem(422, f"nothing was warmed: {summary}", mistakes=mistakes)
