"""One sidecar's pipeline, ranking and warming before the demo backend, without a socket between them.

The demo backend is the real one (its handlers, its 300 ms, its twelve hands); so are the pipeline, the popularity, the
schedules, the places and the pace. Time is simulated, so that a day takes seconds.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

import record  # noqa: F401 - lets the tests' and the project's modules be found
from aiohttp.test_utils import make_mocked_request

from proxy.background import Background
from proxy.demo.backend import AT_ONCE, Backend
from proxy.fetch.flights import Flights
from proxy.fetch.origin import Reply
from proxy.fetch.places import Places
from proxy.fetch.spool import Budget
from proxy.message.headers import EMPTY, Headers
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.pipeline.answer import Pipeline
from proxy.pipeline.parts import Parts, PipelineOptions
from proxy.policy.keys import Key, key_for
from proxy.popularity.counts import Gain
from proxy.popularity.merging import Merging
from proxy.popularity.own import OwnRanking
from proxy.popularity.recipes import Recipe
from proxy.popularity.tallying import Tallying
from proxy.purge.local import LocalLedger
from proxy.settings import load_settings
from proxy.settings.trial import forwarding_of
from proxy.store.memory import MemoryStore
from proxy.warming.archive import OwnArchive
from proxy.warming.turns import OwnTurns
from proxy.warming.warming import Warming

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from proxy.fetch.origin import Outgoing
    from proxy.observe.events import Event

MONDAY = datetime(2026, 6, 1, tzinfo=UTC).timestamp()
HOUR, DAY, WEEK = 3600.0, 86400.0, 7 * 86400.0
MERGED_EVERY = 600.0  # seconds; 5 in a sidecar, where nobody waits for weeks to pass

SAID: dict[int, dict[bytes, tuple[int, Headers, bytes]]] = {}
"""What the backend says by how many plans it has: nothing of it changes, from one simulated day to another."""

TALLIED = 20
"""Times between two merges: a window during which nobody speaks for a minute counts as not seen."""

HITS = frozenset({"hit_memory", "hit_redis", "stale", "revalidated"})


class Chunk:
    """A body that is here."""

    trailers, overrun = EMPTY, False

    def __init__(self, body: bytes) -> None:
        self.length, self._left = len(body), [body] if body else []

    async def read(self) -> bytes:
        """Return it, then nothing."""
        return self._left.pop() if self._left else b""

    async def aclose(self) -> None:
        """Nothing is held."""


class DemoOrigin:
    """The demo backend's handlers behind as many places as it has hands."""

    def __init__(self, delay: float, plans: int) -> None:
        self._app = Backend(0.0, plans).application()
        self._app.freeze()
        self._delay = delay
        self._said = SAID.setdefault(plans, {})
        self.answered = 0
        self.most_at_once = 0
        self._places = Places(AT_ONCE)

    @property
    def limit(self) -> int:
        """Its hands."""
        return self._places.limit

    @property
    def in_flight(self) -> int:
        """Those at work."""
        return self._places.taken

    @property
    def waiting(self) -> int:
        """Who waits for one."""
        return self._places.waiting

    async def send(self, request: Outgoing, interim: object = None) -> Reply:
        """Have it answered."""
        del interim
        place = await self._places.take(60.0)
        self.most_at_once = max(self.most_at_once, self.in_flight)
        try:
            if request.target not in self._said:
                self._said[request.target] = await self._answer(request)
            await asyncio.sleep(self._delay)
        finally:
            place.give_back()
        self.answered += 1
        status, headers, body = self._said[request.target]
        return Reply(Response(status, headers), Chunk(body))

    async def _answer(self, request: Outgoing) -> tuple[int, Headers, bytes]:
        """Ask the backend's own handler; once for each target, since mocking a request is slow."""
        fields = [(name.decode(), value.decode("latin-1")) for name, value in request.headers.lines]
        mocked = make_mocked_request(request.method.decode(), request.target.decode(), headers=fields, app=self._app)
        answer = await self._app._handle(mocked)  # noqa: SLF001 - what a server calls
        lines = [(name.encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
        return answer.status, Headers(lines), bytes(getattr(answer, "body", None) or b"")

    async def close(self) -> None:
        """Nothing is held."""


@dataclass(slots=True)
class Read:
    """What clients got: hits, and how long each waited in seconds."""

    hits: int = 0
    waits: list[float] = field(default_factory=list)

    @property
    def hit_rate(self) -> float:
        """In percent."""
        return 100 * self.hits / len(self.waits)

    def quantile(self, share: float) -> float:
        """Return the wait that this share of clients did not exceed, seconds."""
        return sorted(self.waits)[min(len(self.waits) - 1, int(share * len(self.waits)))]


class House:
    """Between ``async with`` it runs; ``ask`` is a client."""

    def __init__(
        self,
        rules: str,
        *,
        plans: int,
        delay: float = 0.3,
        begin: float = MONDAY,
        learned: Sequence[tuple[float, str]] = (),
    ) -> None:
        self._learned = learned
        self._settings = load_settings(rules)
        self._begin = begin
        self.origin = DemoOrigin(delay, plans)
        self.failures: list[BaseException] = []
        self.ranking = OwnRanking(UTC)
        self.background = Background(lambda _, error: self.failures.append(error))
        ledger = LocalLedger(self._settings.purge)
        self.parts = Parts(
            book=self._settings.book,
            forwarding=forwarding_of(self._settings),
            store=MemoryStore(ledger, self._settings.store, now=self.wall),
            ledger=ledger,
            origin=self.origin,
            flights=Flights(self.background, waiters=1000),
            budget=Budget(1 << 26),
            background=self.background,
            observer=self,
            wall=self.wall,
            options=PipelineOptions(),
        )
        self.pipeline = Pipeline(self.parts)
        self.merging = Merging(self.parts.popularity, self.ranking, self, self.wall)
        self.tallying = Tallying(self.parts.popularity, self.parts.windows, lambda: self.parts.book, self, self.wall)
        hosts = self._settings.front.hosts or frozenset()
        self.warming = Warming(self.pipeline, self.ranking, OwnTurns(), OwnArchive(), hosts)

    def tell(self, event: Event) -> None:
        """Take no notes."""

    def wall(self) -> float:
        """Return the wall-clock time."""
        return self._begin + asyncio.get_running_loop().time()

    async def __aenter__(self) -> Self:
        await self.learn(self._learned)
        self.warming.start(self._settings.warmers)
        self._merges = self.background.start(self._merge_again_and_again(), "merging")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, way: TracebackType | None
    ) -> None:
        await self.warming.close()
        self._merges.cancel()
        await self.background.drain(10)
        if self.failures and error is None:
            raise self.failures[0]

    async def _merge_again_and_again(self) -> None:
        while True:
            for _ in range(TALLIED):
                await asyncio.sleep(MERGED_EVERY / TALLIED)
                await self.tallying.merge()
            await self.merging.merge()

    async def learn(self, trace: Sequence[tuple[float, str]]) -> None:
        """Rank what was read in the past, hour by hour, as if the responses of that time were gone since."""
        hours: dict[int, Counter[str]] = {}
        for moment, target in trace:
            hours.setdefault(int(moment // HOUR), Counter())[target] += 1
        for hour, reads in hours.items():
            await self.ranking.add([self._gain(target, count) for target, count in reads.items()], hour * HOUR)

    def _gain(self, target: str, reads: int) -> Gain:
        request = Request(b"GET", target.encode(), EMPTY, b"a.example")
        matched = self.parts.book.route_for(b"GET", request.path)
        assert matched is not None
        key = key_for(request, matched, self.parts.book)
        assert isinstance(key, Key)
        return Gain(key.cache.digest, reads, Recipe(key.target, b"a.example", b"http", EMPTY), key.selectors)

    async def ask(self, target: str, read: Read) -> None:
        """Read one target as a client does."""
        began = asyncio.get_running_loop().time()
        request = Request(b"GET", target.encode(), EMPTY, b"a.example", client="192.0.2.1", request_id=b"1")
        answer = await self.pipeline.answer(request, None, None)
        if not isinstance(answer.body, bytes):
            while await answer.body.read():
                pass
            await answer.body.aclose()
        read.hits += answer.facts.outcome.value in HITS
        read.waits.append(asyncio.get_running_loop().time() - began)

    async def until(self, moment: float) -> None:
        """Let time pass until then, wall-clock seconds."""
        await asyncio.sleep(max(0.0, moment - self.wall()))

    async def play(self, trace: list[tuple[float, str]], read: Read) -> None:
        """Read each target at its time, whether or not others are still waiting."""
        async with asyncio.TaskGroup() as clients:
            for moment, target in trace:
                await self.until(moment)
                clients.create_task(self.ask(target, read))
