"""Plays the tour and says whether it was true."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import aiohttp
from yarl import URL

from proxy.demo.tour import CHAPTERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.demo.stage import Stage
    from proxy.demo.tour import Step

_BACKEND_TAKES: Final = 0.3
_SAVING_TAKES: Final = 0.05
"""An answer does not wait for its own saving: who asks elsewhere within a millisecond may find nothing yet."""
_HIT_TAKES: Final = 0.15
"""Half of what the backend takes: a loaded machine may be slow, but not as slow as if it had asked."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What came back for one step."""

    status: int
    cache_status: str
    seconds: float
    text: str


async def play(stage: Stage, say: Callable[[str], None]) -> list[str]:
    """Ask every line of the tour in order, tell each, and return the claims that were false."""
    false: list[str] = []
    tokens: dict[str, str] = {}
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False) as client:
        for chapter in CHAPTERS:
            say(f"\n{chapter.title}")
            for step in chapter.steps:
                seen = await _ask(client, stage, step, tokens)
                if step.login and seen.status == step.status:
                    tokens[step.login] = json.loads(seen.text)["access_token"]
                if seen.cache_status.endswith("stored"):
                    await asyncio.sleep(_SAVING_TAKES)
                wrong = failures(step, seen)
                say(_line(step, seen, wrong))
                false += wrong
    return false


def failures(step: Step, seen: Seen) -> list[str]:
    """Return what the step claims and was not so."""
    claims = {
        f"status {step.status}, not {seen.status}": seen.status == step.status,
        f"a {step.cached}, not {seen.cache_status!r}": _kind(seen.cache_status) == step.cached,
        f"the body shows {step.shows!r}": step.shows in seen.text,
        f"the body does not show {step.hides!r}": not step.hides or step.hides not in seen.text,
        f"a hit takes less than {_HIT_TAKES} s, not {seen.seconds:.3f}": step.cached != "hit"
        or seen.seconds < _HIT_TAKES,
        f"the backend takes {_BACKEND_TAKES} s, not {seen.seconds:.3f}": (
            step.cached == "hit" or seen.seconds >= _BACKEND_TAKES
        ),
    }
    who = f"{step.sidecar}: {step.method} {step.path}"
    return [f"{who}: expected {claim}" for claim, is_true in claims.items() if not is_true]


def _kind(cache_status: str) -> str:
    """Read the one member of Cache-Status that is ours (RFC 9211 section 2)."""
    cache, *parameters = [part.strip() for part in cache_status.split(";")]
    if cache != "sapwood":
        return ""
    if "hit" in parameters:
        return "hit"
    return "pass" if {"fwd=bypass", "fwd=method", "fwd=request"} & set(parameters) else "miss"


async def _ask(client: aiohttp.ClientSession, stage: Stage, step: Step, tokens: dict[str, str]) -> Seen:
    headers = {"Authorization": f"Bearer {tokens.get(step.user, '')}"} if step.user else {}
    url = URL(f"{stage.url(step.sidecar)}{step.path}", encoded=True)
    began = time.monotonic()
    async with client.request(step.method, url, json=step.body, headers=headers, allow_redirects=False) as response:
        text = await response.text()
        seconds = time.monotonic() - began
        return Seen(response.status, response.headers.get("Cache-Status", ""), seconds, text)


def _line(step: Step, seen: Seen, wrong: list[str]) -> str:
    mark = "FALSE" if wrong else "true "
    who = f" as {step.user}" if step.user else ""
    asked = f"{step.sidecar} {step.method} {step.path}{who}"
    return f"  {mark} {seen.seconds * 1000:6.1f} ms  {seen.status}  {asked}\n{'':20}{seen.cache_status}"
