"""The calls that show how much is logged, and change it until the next reload."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, get_args

from aiohttp import web

from proxy.admin.bodies import json_answer, read_json
from proxy.admin.problems import Problem
from proxy.observe.options import Level

if TYPE_CHECKING:
    from proxy.admin.control import Control
    from proxy.observe.options import LogOptions

LEVELS: Final = get_args(Level)
_SHARE: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)%", re.ASCII)


class LogCalls:
    """Handlers around one service."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def routes(self) -> list[web.RouteDef]:
        """Return what this class serves."""
        return [web.get("/log", self.show), web.put("/log", self.change)]

    async def show(self, request: web.Request) -> web.Response:
        """``GET /log``."""
        del request
        return json_answer(document(self._control.log_options))

    async def change(self, request: web.Request) -> web.Response:
        """``PUT /log``: what is left out stays as it is."""
        changed = read_change(await read_json(request), self._control.log_options)
        await self._control.use_log(changed)
        return json_answer(document(self._control.log_options))


def document(options: LogOptions) -> dict[str, Any]:
    """Return the body of ``GET /log``."""
    return {"format": options.format, "level": options.level, "hits": f"{round(options.hits * 100, 6):g}%"}


def read_change(said: Any, running: LogOptions) -> LogOptions:
    """Return the options after ``said``. Raises Problem 422 with every mistake in it."""
    if not isinstance(said, dict) or not said:
        raise Problem(422, 'expected an object like {"level": "debug", "hits": "10%"}')
    mistakes: list[dict[str, str]] = []
    changed = running
    for name, value in said.items():
        match name:
            case "level" if value in LEVELS:
                changed = replace(changed, level=value)
            case "level":
                mistakes.append({"where": "level", "detail": f"expected {', '.join(LEVELS[:-1])} or {LEVELS[-1]}"})
            case "hits" if (share := _share(value)) is not None:
                changed = replace(changed, hits=share)
            case "hits":
                mistakes.append({"where": "hits", "detail": 'expected a share like "1%" or "100%"'})
            case _:
                mistakes.append({"where": "body", "detail": "expected nothing but level and hits"})
    if mistakes:
        raise Problem(422, "the log stays as it is", mistakes=mistakes)
    return changed


def _share(value: Any) -> float | None:
    found = _SHARE.fullmatch(value) if isinstance(value, str) else None
    share = float(found[1]) / 100 if found is not None else None
    return share if share is not None and share <= 1 else None
