"""``Server-Timing`` for those who may know: how long an answer took, and what of it the store and the backend did.

Asked for with ``Sapwood-Debug: <admin token>``. Without the token nothing is said that would not have been said anyway;
the field never reaches the backend (``policy.hops``), and no other client is ever given such an answer.
"""

from __future__ import annotations

import hmac
import time
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from proxy.observe.events import OriginAnswered, StoreAnswered
from proxy.policy.hops import DEBUG

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.message.body import Body
    from proxy.message.request import Request
    from proxy.message.response import Response
    from proxy.observe.events import Event
    from proxy.pipeline.answer import Pipeline
    from proxy.pipeline.reply import Answer, Asker


class Stopwatch:
    """How often and how long the others were waited for on the way of one request; seconds."""

    __slots__ = ("seconds", "times")

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.times: dict[str, int] = {}

    def add(self, name: str, seconds: float) -> None:
        """Take note of one more wait."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
        self.times[name] = self.times.get(name, 0) + 1


_WATCH: Final[ContextVar[Stopwatch | None]] = ContextVar("stopwatch", default=None)
"""Of the request that this task, or the task that started it, is about: a flight is in its first asker's context."""


class Waits:
    """An observer: hands each wait to the request that is being timed, if one is."""

    def tell(self, event: Event) -> None:
        """Take note."""
        watch = _WATCH.get()
        if watch is None:  # nobody is timed, as nearly always
            return
        match event:
            case StoreAnswered():
                watch.add("store", event.seconds)
            case OriginAnswered():
                watch.add("backend", event.seconds)
            case _:
                pass


class Timed:
    """The pipeline, with ``Server-Timing`` where it is asked for. No token: for nobody. ``clock`` gives seconds."""

    def __init__(self, pipeline: Pipeline, token: str | None, clock: Callable[[], float] = time.perf_counter) -> None:
        self._pipeline = pipeline
        self._clock = clock
        self.finished = pipeline.finished
        self.use(token)

    def use(self, token: str | None) -> None:
        """Take another token from now on."""
        self._token = token.encode("utf-8", "surrogateescape") if token else None

    async def answer(self, request: Request, body: Body | None, interim: Callable[[Response], None] | None) -> Answer:
        """Answer as the pipeline does."""
        if DEBUG not in request.headers:
            return await self._pipeline.answer(request, body, interim)
        if not self._admits(request.headers.get_all(DEBUG)):
            return replace(await self._pipeline.answer(request, body, interim), repeat=None)
        watch, began = Stopwatch(), self._clock()
        before = _WATCH.set(watch)
        try:
            answer = await self._pipeline.answer(request, body, interim)
        finally:
            _WATCH.reset(before)
        line = (b"Server-Timing", timing(answer, watch, self._clock() - began))
        response = replace(answer.response, headers=answer.response.headers.plus([line]))
        # Not to be repeated: the next like request may be anybody's.
        return replace(answer, response=response, repeat=None)

    def ask(self, request: Request, body: Body | None, asker: Asker) -> None:
        """Answer as the pipeline does; who is timed waits in a task of its own."""
        if DEBUG in request.headers:
            asker.goes_on(partial(self.answer, request, body, asker.interim))
        else:
            self._pipeline.ask(request, body, asker)

    def _admits(self, given: list[bytes]) -> bool:
        """Say whether the one value is the token; takes equally long wherever they differ."""
        return self._token is not None and len(given) == 1 and hmac.compare_digest(given[0], self._token)


def timing(answer: Answer, watch: Stopwatch, seconds: float) -> bytes:
    """Return the field's value: milliseconds to the head, and names that are ours or the configuration's."""
    facts = answer.facts
    parts = [
        f"total;dur={seconds * 1000:.3f}",
        f'cache;desc="{facts.outcome.value}"',
        f'route;desc="{facts.route}"',
        *([f'detail;desc="{facts.detail}"'] if facts.detail else []),
        *(f'{name};dur={waited * 1000:.3f};desc="{watch.times[name]}x"' for name, waited in watch.seconds.items()),
    ]
    return ", ".join(parts).encode("ascii", "replace")
