"""The Origin by script, for tests: it says what it was told to, when its gates open, and remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from proxy.fetch.options import OriginOptions
from proxy.fetch.origin import Reply, is_event_stream
from proxy.fetch.places import Places
from proxy.message.errors import MessageError, OriginError
from proxy.message.headers import EMPTY, Headers
from proxy.message.response import Response, has_no_content

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.fetch.origin import Begun, Outgoing
    from proxy.fetch.places import Place
    from proxy.message.body import Body, Tunnel


@dataclass(frozen=True, slots=True)
class Scripted:
    """One answer: interim heads, then (with ``gate`` open) the head or ``error``, then (``body_gate``) the chunks.

    ``break_off``: the body ends there, short of its length. ``length``: the stated one; None states the chunks' own,
    unless ``unsized``. ``early``: the request's body is not read before the head.
    """

    response: Response = field(default_factory=lambda: Response(200))
    chunks: tuple[bytes, ...] = ()
    interim: tuple[Response, ...] = ()
    error: OriginError | None = None
    gate: asyncio.Event | None = None
    body_gate: asyncio.Event | None = None
    length: int | None = None
    unsized: bool = False
    trailers: Headers = EMPTY
    break_off: bool = False
    tunnel: Tunnel | None = None
    early: bool = False

    @property
    def stated_length(self) -> int | None:
        """The length its head states, None for a body in chunks."""
        if self.unsized or self.trailers:
            return None
        return self.length if self.length is not None else sum(map(len, self.chunks))


@dataclass(slots=True)
class Asked:
    """One request that came; ``body`` is None until it was read to its end."""

    request: Outgoing
    body: bytes | None = None


class FakeOrigin:
    """Answers with what ``will_answer`` queued, then with ``otherwise`` (a plain 200 without content)."""

    def __init__(self, options: OriginOptions | None = None) -> None:
        self._options = options or OriginOptions("http://fake")
        self._places = Places(min(self._options.max_concurrent, self._options.max_connections))
        self._script: deque[Scripted] = deque()
        self._came = asyncio.Event()
        self.otherwise: Callable[[Outgoing], Scripted] = lambda _: Scripted()
        self.asked: list[Asked] = []
        self.most_in_flight = 0

    @property
    def in_flight(self) -> int:
        """Requests that count toward ``max_concurrent`` now."""
        return self._places.taken

    @property
    def limit(self) -> int:
        """How many may count at once."""
        return self._places.limit

    @property
    def waiting(self) -> int:
        """Requests that wait for a place."""
        return self._places.waiting

    def will_answer(self, *answers: Scripted) -> None:
        """Queue answers, one per request in the order they come."""
        self._script.extend(answers)

    async def was_asked(self, times: int) -> None:
        """Wait until that many requests have come."""
        while len(self.asked) < times:
            self._came.clear()
            await self._came.wait()

    async def send(self, request: Outgoing, interim: Callable[[Response], None] | None = None) -> Reply:
        """Answer by script, as ``Origin.send``."""
        place = await self._places.take(self._options.queue_timeout)
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._answer(request, interim, place)
        except BaseException:
            place.give_back()
            raise

    def begin(
        self,
        request: Outgoing,
        heard: Callable[[Reply | OriginError | None], None],
        interim: Callable[[Response], None] | None = None,
    ) -> Begun | None:
        """Answer by script, as ``Origin.begin``; what is scripted without a gate is whole."""
        if request.body is not None or request.upgrade or self.in_flight >= self.limit:
            return None
        return _Begun(self, request, heard, interim)

    async def close(self) -> None:
        """Send whoever waits away."""
        self._places.close()

    async def _answer(self, request: Outgoing, interim: Callable[[Response], None] | None, place: Place) -> Reply:
        asked = Asked(request)
        self.asked.append(asked)
        self._came.set()
        scripted = self._script.popleft() if self._script else self.otherwise(request)
        for response in scripted.interim:
            if interim is not None:
                interim(response)
        if not scripted.early:
            asked.body = await _all_of(request.body) if request.body is not None else b""
        await self._head_is_due(scripted)
        if scripted.tunnel is not None or is_event_stream(scripted.response):
            place.give_back()
        body = _ScriptedBody(request.method, scripted, place)
        return Reply(scripted.response, body, scripted.tunnel)

    async def _head_is_due(self, scripted: Scripted) -> None:
        if scripted.gate is not None:
            try:
                async with asyncio.timeout(self._options.timeout):
                    await scripted.gate.wait()
            except TimeoutError:
                raise OriginError("the backend did not answer in time", 504) from None
        if scripted.error is not None:
            raise scripted.error


class _Begun:
    """One request that was begun."""

    def __init__(
        self,
        origin: FakeOrigin,
        request: Outgoing,
        heard: Callable[[Reply | OriginError | None], None],
        interim: Callable[[Response], None] | None,
    ) -> None:
        self._heard = heard
        self._task = asyncio.get_running_loop().create_task(self._run(origin, request, interim))

    async def _run(self, origin: FakeOrigin, request: Outgoing, interim: Callable[[Response], None] | None) -> None:
        outcome: Reply | OriginError
        try:
            outcome = await origin.send(request, interim)
        except OriginError as error:
            outcome = error
        else:
            if isinstance(outcome.body, _ScriptedBody) and outcome.body.is_here:
                outcome = replace(outcome, whole=await _all_of(outcome.body))
        self._heard(outcome)

    def give_up(self) -> None:
        self._task.cancel()


class _ScriptedBody:
    """The chunks of one answer."""

    def __init__(self, method: bytes, scripted: Scripted, place: Place) -> None:
        has_content = scripted.tunnel is None and not has_no_content(method, scripted.response.status)
        self.length = scripted.stated_length if has_content else 0
        self.trailers = EMPTY
        self.overrun = False
        self._scripted = scripted
        self._chunks = deque(scripted.chunks if has_content else ())
        self._place = place
        self._has_content = has_content
        self._is_closed = False
        if not has_content or (not self._chunks and self.length == 0):
            place.give_back()
            self._has_content = False

    @property
    def is_here(self) -> bool:
        """Say whether nothing of it has to be waited for, and nothing of it is unusual."""
        scripted = self._scripted
        return self.length is not None and scripted.body_gate is None and not scripted.break_off

    async def read(self) -> bytes:
        if self._is_closed:
            raise OriginError("the reply was closed")
        if not self._has_content:
            return b""
        if self._scripted.body_gate is not None:
            await self._scripted.body_gate.wait()
        if self._chunks:
            return self._chunks.popleft()
        self._has_content = False
        self._place.give_back()
        if self._scripted.break_off:
            self._is_closed = True
            raise MessageError("the response ended early", 502)
        self.trailers = self._scripted.trailers
        return b""

    async def aclose(self) -> None:
        if self._has_content:
            self._is_closed = True
            self._has_content = False
        self._place.give_back()


async def _all_of(body: Body) -> bytes:
    parts: list[bytes] = []
    while data := await body.read():
        parts.append(data)
    return b"".join(parts)
